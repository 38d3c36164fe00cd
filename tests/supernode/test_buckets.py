"""Snapshots in a bucket: the same as in a directory, over S3, with signatures that are checked."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import (
    CyberVeinError,
    ForbiddenError,
    LimitError,
    MalformedError,
    UnavailableError,
    UnknownError,
)
from cybervein_runtime.identity import save_identity
from cybervein_runtime.network_file import save_network
from cybervein_supernode.backup.keeping import choose, prune, snapshots
from cybervein_supernode.backup.manifest import place_of
from cybervein_supernode.backup.snapshot import take
from cybervein_supernode.backup.vault import Vault, open_vault
from cybervein_supernode.node.home import SuperNodeHome
from cybervein_supernode.process.restoring import restore
from ports import free_ports
from services import get_json, run, super_node
from small_bucket import NAME, small_bucket
from super_lab import Lab
from waiting import until

pytestmark = pytest.mark.kubernetes
TARGET = f"s3://{NAME}/some/prefix"
BIG = 11 << 20  # more than two parts of an upload
NOON = 1_796_040_000.0


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    with small_bucket(tmp_path_factory.mktemp("bucket")) as given:
        yield given


@pytest.fixture
def vault(environment: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Vault:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return open_vault(TARGET)


def test_a_file_comes_back_as_it_was_sent_however_long_it_is(vault: Vault, tmp_path: Path) -> None:
    for size in (0, 1, BIG):
        data = bytes(range(251)) * (size // 251 + 1)
        source, back = tmp_path / "source", tmp_path / "back"
        source.write_bytes(data[:size])
        name = f"files/{size}"
        vault.put(name, source)
        assert not source.exists()
        assert name in vault.names("files")
        vault.fetch(name, back)
        assert back.read_bytes() == data[:size]
        vault.drop(name)
        vault.drop(name)
    assert vault.names("files") == []
    with pytest.raises(UnknownError, match="are bucket and name right"):
        vault.fetch("files/1", tmp_path / "back")


def test_a_small_file_that_is_large_is_refused(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "source").write_bytes(b"x" * 100)
    vault.put("small", tmp_path / "source")
    with pytest.raises(LimitError, match="larger than 99"):
        vault.read("small", 99)
    assert vault.read("small", 100) == b"x" * 100
    vault.drop("small")


async def test_a_ledger_is_kept_found_pruned_and_restored(
    lab: Lab, vault: Vault, tmp_path: Path
) -> None:
    save_network(lab.home.network, lab.genesis, (("http://127.0.0.1:1", lab.identity.keys.public),))
    save_identity(lab.home.identity, lab.identity)
    evidence = lab.desk.evidence.keep(0, b"evidence")
    files = lab.home.files(lab.genesis)
    for second in range(3):
        take(files, vault, NOON + second)
    network = cid_text(lab.desk.view.network)
    names = [each.name for each in snapshots(vault, network)]
    assert prune(vault, network, 2, 9, NOON) == names[:1]
    assert choose(vault, None).name == names[-1]
    assert not (lab.home.directory / ".backup").exists() or not list(
        (lab.home.directory / ".backup").iterdir()
    )
    home = SuperNodeHome(tmp_path / "again")
    assert restore(vault, home, identity=lab.home.identity).name == names[-1]
    assert (home.evidence / "0" / evidence.hex()).read_bytes() == b"evidence"
    for each in choose(vault, network).files:
        vault.drop(place_of(network, names[-1], each.name))
    with pytest.raises(UnknownError):
        restore(vault, SuperNodeHome(tmp_path / "third"), identity=lab.home.identity)


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, ForbiddenError, "look at AWS_ACCESS_KEY_ID"),
        ({"AWS_ACCESS_KEY_ID": "nobody"}, ForbiddenError, "look at AWS_ACCESS_KEY_ID"),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:{port}"},
            UnavailableError,
            "Connection refused; is it",
        ),
    ],
)
def test_a_bucket_that_refuses_or_is_away_is_told_in_one_line(
    vault: Vault,
    monkeypatch: pytest.MonkeyPatch,
    changes: Mapping[str, str],
    error: type[CyberVeinError],
    words: str,
) -> None:
    del vault
    (port,) = free_ports(1)
    for name, value in changes.items():
        monkeypatch.setenv(name, value.format(port=port))
    with pytest.raises(error, match=words) as refused:
        open_vault(TARGET).names("")
    assert "\n" not in str(refused.value)
    assert "the-secret" not in str(refused.value)


def test_what_is_no_target_is_wrong_usage(vault: Vault) -> None:
    del vault
    for target in ("s3://", "gs://bucket"):
        with pytest.raises(MalformedError, match="expected"):
            open_vault(target)


def test_a_super_node_that_lost_its_volume_comes_back_from_a_bucket(
    environment: Mapping[str, str], vault: Vault, tmp_path: Path
) -> None:
    del vault
    data, key = tmp_path / "node", tmp_path / "key.json"
    node = super_node(data, 2)
    shutil.copy(data / "identity.json", key)
    node.start("--backup", f"s3://{NAME}/live", "--backup-seconds", "1")
    until(lambda: get_json(f"{node.url}/v1/backup")["last"], "a snapshot is there")
    node.kill()
    shutil.rmtree(data)
    line = ("supernode", "restore", f"s3://{NAME}/live", "--data", data, "--identity", key)
    done = run("--json", *line, environment=dict(environment))
    assert done.returncode == 0, done.stderr
    node.start()
    told = get_json(f"{node.url}/v1/backup")
    assert told["restored"]["snapshot"] == json.loads(done.stdout)["name"]
    node.stop()
