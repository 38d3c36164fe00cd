"""A founded network outlives its volume: its key, name and snapshots, and a restore's price."""

import base64
import json
from typing import Any

import msgspec
import pytest
from cluster.rest import Object
from cybervein_operator.api import Network, NetworkStatus, parse
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired import supernode
from cybervein_operator.desired.facts import SuperNodeFacts
from cybervein_operator.judgement.network import NetworkSeen, answers
from cybervein_operator.observed.extract import seen
from cybervein_operator.observed.facts import PodFacts
from cybervein_operator.observed.shapes import Item
from cybervein_operator.reconcile.keeping import backup_status, recovered_status
from cybervein_protocol.api.super_node.backup import (
    BackupDocument,
    RestoredDocument,
    SnapshotDocument,
)
from cybervein_protocol.errors import LOST_LEDGER
from cybervein_runtime.identity import identity_json, new_identity, parse_identity
from operator_lab import API, Lab, condition
from waiting import until

NOON = 1_796_040_000.0
LOST = f"error: {LOST_LEDGER}: /data has no ledger of network bafyx"
S3 = {"bucket": "vein-backups", "prefix": "home", "secretName": "s3"}


def network(**spec: Any) -> Object:
    return {
        "apiVersion": API,
        "kind": "Network",
        "metadata": {"name": "own"},
        "spec": {"preset": "test", **spec},
    }


def node(**more: Any) -> dict[str, Any]:
    return {"superNode": {"storage": {"size": "1Gi"}, **more}}


def ended(message: str, code: int = 6, name: str = "found", **state: Any) -> dict[str, Any]:
    """An init container between two tries."""
    terminated = {"exitCode": code, "message": message, "reason": "Error"}
    return {"name": name, "state": state, "lastState": {"terminated": terminated}}


def pod(*containers: dict[str, Any]) -> PodFacts:
    body = {"metadata": {"name": "own-supernode-0"}, "spec": {}}
    raw = json.dumps(body | {"status": {"initContainerStatuses": containers}})
    facts = seen(ClusterKind.POD, msgspec.json.decode(raw, type=Item)).facts
    assert isinstance(facts, PodFacts)
    return facts


def said(**more: Any) -> tuple[str, str, str]:
    """Ready's reason, Degraded's, and its message."""
    told = answers(
        NetworkSeen(
            **{
                "founds": True,
                "pod": None,
                "exists": True,
                "pinned": True,
                "trouble": None,
                "error": "",
                "epoch": 3,
                "epoch_seconds": 60,
                "now": NOON,
            }
            | more
        )
    )
    return told.ready.reason, told.degraded.reason, told.degraded.message


def kept(taken: float | None = NOON - 60, failing: str = "") -> BackupDocument:
    last = None if taken is None else SnapshotDocument("s", taken, 40, 4, 1000)
    return BackupDocument(3600, 24, last, failing, restored=None)


def test_what_an_init_container_refused_is_read_between_its_tries() -> None:
    waiting = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}
    assert pod(ended(f"log\n{LOST}\n", **waiting)).refused == ("found", LOST)
    assert pod(ended(LOST, running={})).refused == ("found", LOST)
    now = {"name": "found", "state": {"terminated": {"exitCode": 1, "message": "no"}}}
    assert pod(now).refused == ("found", "no")
    assert pod(ended(LOST, terminated={"exitCode": 0})).refused is None
    assert pod({"name": "found", "state": {"running": {}}}).refused is None


def test_a_refusal_is_the_reason_and_its_words_are_the_message() -> None:
    assert said(pod=pod(ended(LOST)), error="no answer") == ("LedgerLost", "LedgerLost", LOST)
    restore = pod(ended("error: a backup has no key", name="restore"))
    assert said(pod=restore)[:2] == ("RecoveryFailed", "RecoveryFailed")
    assert said(pod=pod(ended("error: asked for is main")), pinned=False)[0] == "FoundingRefused"


def test_snapshots_that_fail_or_are_late_degrade_and_the_network_stays_ready() -> None:
    assert said(kept=kept()) == ("Running", "AsExpected", "")
    assert said(kept=kept(taken=None)) == ("Running", "AsExpected", "")
    ready, degraded, words = said(kept=kept(failing="disk full"))
    assert (ready, degraded) == ("Running", "BackupFailing")
    assert "disk full" in words
    ready, degraded, words = said(kept=kept(NOON - 4 * 3600))
    assert (ready, degraded) == ("Running", "BackupOld")
    assert "4 h old, one is planned every 1 h" in words


def test_a_restore_is_told_with_the_blocks_that_are_gone_and_once() -> None:
    restored = RestoredDocument("s", 40, 4, NOON)
    told = BackupDocument(3600, 24, None, "", restored)
    before = NetworkStatus(height=55, backup=backup_status(kept(), None))
    after = recovered_status(told, before)
    assert after is not None
    assert (after.height, after.last_seen_height, after.blocks_lost) == (40, 55, 15)
    assert recovered_status(told, NetworkStatus(height=41, recovered=after)) == after
    assert recovered_status(None, NetworkStatus(recovered=after)) == after


def containers(body: Object, *, identity: bool = True) -> dict[str, Object]:
    made = supernode.statefulset(
        parse(Network, body | {"metadata": {"name": "own", "namespace": "vein", "uid": "u"}}),
        SuperNodeFacts("cybervein:1", identity=identity),
    )
    spec: Object = made["spec"]["template"]["spec"]
    return {each["name"]: each for each in (*spec["initContainers"], *spec["containers"])} | {
        "volumes": {each["name"]: each for each in spec["volumes"]}
    }


def test_a_bucket_is_reached_with_keys_that_only_the_pod_sees() -> None:
    body = network(
        **node(backup={"everySeconds": 60, "keep": 3, "s3": S3}), recovery={"fromS3": S3}
    )
    made = containers(body)
    run, restore = made["supernode"], made["restore"]
    assert run["args"][-6:] == [
        *("--backup", "s3://vein-backups/home", "--backup-seconds", "60", "--backup-keep", "3")
    ]
    assert restore["args"][2:4] == ["s3://vein-backups/home", "--if-absent"]
    for each in (run, restore):
        keys = {each["name"]: each.get("valueFrom") for each in each["env"]}
        ref = {"secretKeyRef": {"name": "s3", "key": "AWS_SECRET_ACCESS_KEY"}}
        assert keys["AWS_SECRET_ACCESS_KEY"] == ref
        assert keys["AWS_REGION"] is None


def test_a_claim_that_is_restored_from_and_backed_up_to_is_one_volume() -> None:
    backup = {"existingClaim": "vault"}
    made = containers(network(**node(backup=backup), recovery={"fromClaim": "vault"}))
    assert "recovery" not in made["volumes"]
    assert made["restore"]["args"][2] == "/var/lib/cybervein-backup"
    made = containers(network(**node(backup=backup), recovery={"fromClaim": "other"}))
    assert made["volumes"]["recovery"]["persistentVolumeClaim"]["claimName"] == "other"


def refuse(lab: Lab, message: str) -> None:
    """The super node's pod as a kubelet shows it whose init container fails."""
    status = {
        "conditions": [{"type": "Ready", "status": "False"}],
        "initContainerStatuses": [
            ended(message) | {"image": "i", "imageID": "i", "ready": False, "restartCount": 1}
        ],
    }
    lab.api.patch("pod", "own-supernode-0", {"status": status}, subresource="status")


@pytest.mark.kubernetes
def test_a_network_keeps_its_key_and_its_name_and_tells_a_lost_ledger(lab: Lab) -> None:
    lab.api.apply(network(**node(backup={"claimTemplate": {"size": "1Gi"}})))
    made = lab.wait("secret", "own-supernode-identity", lambda _: True, "is there")
    assert made["immutable"] is True
    assert "ownerReferences" not in made["metadata"]
    parse_identity(base64.b64decode(made["data"]["identity.json"]), "the Secret")
    lab.wait("pvc", "own-supernode-backup", lambda _: True, "is there")
    played = lab.super_node("own")
    played.height = 90
    played.backup = kept(NOON)
    lab.wait("network", "own", lambda it: it.get("status", {}).get("backup"), "tells the snapshot")
    lab.api.delete("configmap", "own-network")
    file = lab.wait("configmap", "own-network", lambda _: True, "is written again")
    assert played.network in file["data"]["network.json"]

    played.down = True
    lab.wait("pod", "own-supernode-0", lambda it: it.get("status", {}).get("podIP"), "runs")
    refuse(lab, LOST)
    lost = lab.wait("network", "own", lambda it: condition(it, "Ready")[1] == "LedgerLost", "says")
    assert condition(lost, "Degraded") == ("True", "LedgerLost")
    assert lost["status"]["height"] == 90

    source = {"fromClaim": "own-supernode-backup"}
    lab.api.patch("network", "own", {"spec": {"recovery": source}})
    played.height, played.down = 40, False
    played.backup = BackupDocument(
        3600, 24, None, "", restored=RestoredDocument("20261130T120000Z-40", 40, 4, NOON)
    )
    back = lab.wait("network", "own", lambda it: it["status"].get("recovered"), "tells the restore")
    assert back["status"]["recovered"]["blocksLost"] == 50
    until(lambda: "LedgerRestored" in lab.events("own"), "it is an event")
    lab.wait("statefulset", "own-supernode", restores_first, "restores before it founds")


def restores_first(found: Object) -> bool:
    before = found["spec"]["template"]["spec"]["initContainers"]
    return [each["name"] for each in before] == ["restore", "found"]


@pytest.mark.kubernetes
def test_a_network_whose_key_is_on_its_volume_alone_keeps_it_and_says_so(lab: Lab) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": "own-supernode-data",
            "labels": {"app.kubernetes.io/managed-by": "cybervein-operator"},
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    lab.api.apply(claim)
    lab.api.apply(network(**node()))
    lab.super_node("own")
    ready = lab.wait("network", "own", lambda it: condition(it, "Ready")[0] == "True", "is Ready")
    assert lab.api.get("secret", "own-supernode-identity") is None
    words = {each["type"]: each["message"] for each in ready["status"]["conditions"]}["Ready"]
    assert "its key is on its volume alone" in words
    key = base64.b64encode(identity_json(new_identity())).decode()
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "own-supernode-identity"}}
    lab.api.apply(secret | {"data": {"identity.json": key}})
    lab.wait(
        "statefulset",
        "own-supernode",
        lambda it: any(each["name"] == "identity" for each in volumes(it)),
        "is given it",
    )


def volumes(found: Object) -> list[Object]:
    mounted: list[Object] = found["spec"]["template"]["spec"]["volumes"]
    return mounted
