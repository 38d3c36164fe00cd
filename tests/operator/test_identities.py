"""Keys are made once, adopted again, never replaced, never written anywhere else."""

import base64
import json

import pytest
from cluster.rest import Object
from operator_lab import Lab, condition
from waiting import until

pytestmark = pytest.mark.kubernetes


def seed(lab: Lab, miner: str) -> str:
    found = lab.api.get("secret", f"{miner}-identity")
    assert found is not None
    return str(json.loads(base64.b64decode(found["data"]["identity.json"]))["seed"])


def test_deleting_the_pool_keeps_keys_and_claims_and_creating_it_adopts_them(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=2)
    lab.ready("home", 2)
    before = [seed(lab, f"home-{each}") for each in range(2)]
    assert len(set(before)) == 2
    claim = lab.api.get("pvc", "home-0-a")
    assert claim is not None
    lab.api.delete("minerpool", "home")
    lab.api.wait_gone("statefulset", "home-0")
    lab.api.wait_gone("pod", "home-0-0")
    lab.pool(replicas=2)
    lab.ready("home", 2)
    assert [seed(lab, f"home-{each}") for each in range(2)] == before
    after = lab.api.get("pvc", "home-0-a")
    assert after is not None
    assert after["metadata"]["uid"] == claim["metadata"]["uid"]
    log = lab.process.log.read_text()
    assert not any(each in log for each in before)


def test_a_lost_identity_blocks_and_a_restored_one_goes_on(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    kept = lab.api.get("secret", "home-0-identity")
    assert kept is not None
    kept["metadata"].pop("managedFields")  # who applies it says so anew
    lab.api.delete("minerpool", "home")
    lab.api.wait_gone("statefulset", "home-0")
    lab.api.delete("secret", "home-0-identity")
    lab.pool(replicas=1)
    found = lab.wait(
        "minerpool",
        "home",
        lambda pool: condition(pool, "Degraded") == ("True", "IdentityLost"),
        "says IdentityLost",
    )
    assert found["status"]["phases"] == {"Blocked": 1}
    assert "restore" in found["status"]["attention"][0]["message"]
    assert lab.api.get("secret", "home-0-identity") is None
    for field in ("uid", "resourceVersion", "creationTimestamp", "managedFields"):
        kept["metadata"].pop(field, None)
    lab.api.apply(kept)
    lab.ready("home", 1)
    lab.wait(
        "minerpool", "home", lambda pool: condition(pool, "Degraded")[0] == "False", "recovered"
    )


def test_a_journals_claim_that_is_deleted_comes_back_with_the_same_identity(lab: Lab) -> None:
    """What the miner then does with an empty journal is in tests/miner and tests/node."""
    lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    before, claim = seed(lab, "home-0"), lab.api.get("pvc", "home-0-state")
    assert claim is not None
    lab.api.delete("pvc", "home-0-state", wait=False)
    lab.api.delete("pod", "home-0-0")
    again = lab.wait(
        "pvc",
        "home-0-state",
        lambda found: found["metadata"]["uid"] != claim["metadata"]["uid"],
        "is made again",
    )
    notes = again["metadata"]["annotations"]
    assert notes["cybervein.io/address"] == claim["metadata"]["annotations"]["cybervein.io/address"]
    pool = lab.ready("home", 1)
    assert condition(pool, "Degraded")[0] == "False"
    assert seed(lab, "home-0") == before
    assert "IdentityLost" not in lab.events("home")


def test_nothing_has_a_finalizer(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    for kind in ("network", "minerpool", "minerdisk", "statefulset", "service", "secret"):
        for each in lab.api.list(kind):
            assert "finalizers" not in each["metadata"], (kind, each["metadata"]["name"])


def test_one_control_key_signs_everything(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=2)
    lab.ready("home", 2)
    lab.responder.control.clear()
    lab.kubectl("scale", "minerpool", "home", "--replicas=0")
    lab.api.wait_gone("statefulset", "home-0")
    lab.api.wait_gone("statefulset", "home-1")
    until(lambda: len(lab.responder.control) == 1, "one key signed")


def test_a_key_that_was_there_before_is_taken_and_never_read(lab: Lab) -> None:
    """Restored from a backup into a new cluster: the miner itself tells whose it is."""
    lab.join()
    meta, data = {"name": "home-0-identity"}, {"identity.json": "{}"}
    lab.api.apply({"apiVersion": "v1", "kind": "Secret", "metadata": meta, "stringData": data})
    lab.pool(replicas=1)
    lab.ready("home", 1)

    def told(claim: Object) -> bool:
        return str(claim["metadata"]["annotations"]["cybervein.io/address"]).startswith("cv")

    lab.wait("pvc", "home-0-state", told, "has the address that the miner told")
    lab.api.delete("minerpool", "home")
    lab.api.wait_gone("statefulset", "home-0")
    lab.api.delete("secret", "home-0-identity")
    lab.pool(replicas=1)
    lab.wait(
        "minerpool",
        "home",
        lambda pool: condition(pool, "Degraded") == ("True", "IdentityLost"),
        "says IdentityLost",
    )
    assert lab.api.get("secret", "home-0-identity") is None


def test_a_quota_of_secrets_that_is_used_up_stops_no_miner_that_has_its_key(lab: Lab) -> None:
    """The question whether the key is there is refused then, which is no answer."""
    lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    meta, spec = {"name": "full"}, {"hard": {"count/secrets": "1"}}
    lab.api.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": meta, "spec": spec})
    used = {"count/secrets": str(len(lab.api.list("secret")))}
    lab.wait("resourcequota", "full", lambda seen: seen["status"]["used"] == used, "counts")
    before = lab.api.get("statefulset", "home-0")
    assert before is not None
    lab.process.kill()  # who starts knows no key yet
    lab.api.delete("statefulset", "home-0")
    lab.start()
    lab.wait(
        "statefulset",
        "home-0",
        lambda seen: seen["metadata"]["uid"] != before["metadata"]["uid"],
        "is put back",
    )
    lab.ready("home", 1)
