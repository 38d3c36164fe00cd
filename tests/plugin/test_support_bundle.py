"""A support bundle has what a helper needs, and nothing that must stay secret."""

import json
import tarfile
from pathlib import Path

import pytest
from cluster.control_plane import ControlPlane
from cybervein_operator.plugin.redaction import GONE, clean, clean_text
from farm import Plugin
from hypothesis import given
from hypothesis import strategies as st

PLANTED = "planted-hunter2-91c4"
JWT = f"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJwbGFudGVkIn0.{PLANTED}"
KEY = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----"


def read(path: Path) -> dict[str, str]:
    with tarfile.open(path) as archive:
        files = {}
        for member in archive.getmembers():
            held = archive.extractfile(member)
            assert held is not None
            files[member.name.removeprefix("cybervein-support/")] = held.read().decode()
        return files


def plant(farm: Plugin) -> None:
    """Secrets where they belong and where they do not."""
    ours = {"app.kubernetes.io/name": "cybervein", "app.kubernetes.io/component": "miner"}
    secret = {"name": "pool-0-identity", "labels": ours}
    note = {"example.com/token": PLANTED, "example.com/note": f"call with password={PLANTED}"}
    container = {
        "name": "miner",
        "image": f"https://user:{PLANTED}@registry.example.com/cybervein",
        "args": [f"--api-key={PLANTED}"],
        "env": [{"name": "API_TOKEN", "value": PLANTED}],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    text = {"network.json": json.dumps({"seed": PLANTED, "ca": KEY})}
    farm.api.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": secret, "stringData": {"a": PLANTED}},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "pool-0-0", "labels": ours, "annotations": note},
            "spec": {"containers": [container], "automountServiceAccountToken": False},
        },
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "home-network", "labels": ours},
            "data": text,
        },
    )


@pytest.mark.kubernetes
def test_it_has_resources_and_objects_and_no_planted_secret(farm: Plugin) -> None:
    plant(farm)
    farm("support-bundle", "--out", "bundle.tar.gz")
    path = farm.directory / "bundle.tar.gz"
    files = read(path)
    everything = "\n".join(files.values())
    assert PLANTED not in everything
    assert "PRIVATE KEY" not in everything
    assert '"kind": "Secret"' not in everything
    disks = json.loads(files["resources/minerdisks.json"])
    assert [each["status"]["shards"] for each in disks] == [5, 5]
    pods = json.loads(files["objects/pods.json"])
    assert pods[0]["spec"]["containers"][0]["env"] == [{"name": "API_TOKEN", "value": GONE}]
    assert "cluster/nodes.yaml" in files
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.kubernetes
def test_what_cannot_be_had_is_named(farm: Plugin) -> None:
    plant(farm)
    farm("support-bundle", "--out", "bundle.tar.gz")
    errors = read(farm.directory / "bundle.tar.gz")["errors.txt"]
    assert f"pods/{farm.api.namespace}/pool-0-0/metrics.txt" in errors  # no node runs it


@pytest.mark.kubernetes
def test_the_api_server_is_never_asked_for_secrets(
    control_plane: ControlPlane, farm: Plugin
) -> None:
    plant(farm)
    before = control_plane.audit.mark()
    farm("support-bundle", "--out", "bundle.tar.gz")
    calls = control_plane.audit.calls(since=before, agent="kubectl-cybervein")
    asked = {call.resource for call in calls}
    assert {"minerpools", "pods/log", "pods/proxy"} <= asked
    assert "secrets" not in asked


@pytest.mark.parametrize(
    "text",
    [
        f"password={PLANTED}",
        f"passphrase: {PLANTED}",
        f'{{"seed": "{PLANTED}"}}',
        f'{{"vrf_seed":"{PLANTED}"}}',
        f"Authorization: Bearer {PLANTED}",
        f"https://user:{PLANTED}@example.com/",
        f"?api_key={PLANTED}&page=1",
        f"got {JWT} from the kubelet",
        f"{KEY} and more",
        f"-----BEGIN EC PRIVATE KEY-----\n{PLANTED}\ncut off",
    ],
)
def test_a_line_of_a_log_loses_its_secret(text: str) -> None:
    cleaned = clean_text(text)
    assert PLANTED not in cleaned
    assert "MC4CAQAwBQYDK2Vw" not in cleaned
    assert GONE in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "epoch 7 closed, 3 plots proved in 12.5 s",
        "PUT /v1/shards/ab12 201",
        '{"event": "space.proof", "epoch": 7, "accepted": true}',
        "time: 2026-11-21T06:35:44Z",
        "https://home-supernode.farm.svc:7700/v1/network",
    ],
)
def test_a_line_without_a_secret_stays_as_it_is(text: str) -> None:
    assert clean_text(text) == text


def test_what_only_points_at_a_secret_stays_readable() -> None:
    volume = {"secret": {"secretName": "pool-0-identity", "defaultMode": 288}}
    assert clean(volume) == volume
    assert clean({"automountServiceAccountToken": False}) == {"automountServiceAccountToken": False}


secret_names = st.sampled_from(["password", "apiToken", "seed", "clientSecret", "privateKey"])
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=10,
)


@given(plain, secret_names, st.lists(st.text(min_size=1, max_size=5), max_size=3))
def test_a_named_secret_is_removed_wherever_it_lies(
    around: object, name: str, path: list[str]
) -> None:
    held: object = {name: PLANTED, "around": around}
    for step in path:
        held = [{step: held}]
    assert PLANTED not in json.dumps(clean(held))


@given(plain)
def test_cleaning_twice_changes_no_more(value: object) -> None:
    once = clean(value)
    assert clean(once) == once
