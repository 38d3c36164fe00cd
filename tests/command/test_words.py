"""Whatever goes wrong with a command is one line that names the thing and the next step.

No traceback, no exception's name, no piece of a box; with `--json` one document says the same.
"""

import json
import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from cybervein_runtime.identity import new_identity, save_identity
from ports import free_ports
from services import run
from write_stores import write_ledger

CLASS = re.compile(r"\b[A-Z]\w*(Error|Exception|Expired)\b|\bErrno\b|<class|0x[0-9a-f]+")
BEACON = "42" * 32
PASSPHRASE = {"CYBERVEIN_PASSPHRASE": "long enough for one"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which much is wrong: see the names."""
    made = tmp_path_factory.mktemp("words")
    for home in ("home", "dead", "talks"):
        save_identity(made / home / "identity.json", new_identity())
    (closed,) = free_ports(1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        busy = listening.getsockname()[1]
        (made / "busy").write_text(str(busy))
        for home, url in (("dead", f"http://127.0.0.1:{closed}"), ("unnamed", "https://n.invalid")):
            told = run("supernode", "init", "--data", made / home, "--preset", "test", "--url", url)
            told.check_returncode()
        damage(made)
        yield made


def damage(made: Path) -> None:
    whole = (made / "dead" / "network.json").read_bytes()
    (made / "cut.json").write_bytes(whole[: len(whole) // 2])
    (made / "binary").write_bytes(b"\xff\xfe\x00" * 99)
    (made / "empty").touch()
    (made / "README.md").write_text(
        "# CyberVein\n\nCyberVein pays people for disk and bandwidth.\n"
    )
    (made / "noted").touch()
    (made / "noted.meta").write_bytes(b"\xff" * 99)
    (made / "disk").mkdir()
    (made / "home" / "network.json").write_bytes(whole.replace(b"bafy", b"bafz"))
    (made / "cut" / "ledger.sqlite").parent.mkdir()
    write_ledger(made / "cut" / "ledger.sqlite")
    os.truncate(made / "cut" / "ledger.sqlite", 20_000)
    (made / "cut" / "network.json").write_bytes(whole)
    (made / "cut" / "run.json").write_text("{")


TO_MINE = "mine --network {0}/dead/network.json --data {0}/data --disk {0}/disk"
TO_RUN = "supernode run --data {0}/dead --port 0"
TO_UP = "up --data {0}/up"
SITUATIONS = [
    # The machine's own words
    ("--home {0}/nobody ls", 1, "no wallet in .*/nobody; run `cybervein wallet new`"),
    ("--home {0}/empty ls", 6, "empty is a file; name a directory with --home"),
    ("--home {0}/empty wallet new", 6, "empty: File exists; move it away, or name another"),
    ("--home /proc/nothing wallet new", 6, "/proc/nothing: No such file or directory; name one"),
    ("--home {0}/dead wallet backup /proc/b", 6, "cannot write /proc/b: "),
    ("--home {0}/nobody wallet restore {0}/none", 1, "none does not exist; name a file that does"),
    ("--home {0}/nobody wallet restore {0}/disk", 6, "disk: Is a directory; name a file, not a"),
    (
        "--home {0}/nobody wallet restore {0}/empty",
        1,
        "empty is no wallet backup; name a file",
    ),
    ("--home {0}/nobody wallet restore {0}/binary", 1, "binary is no wallet backup; name a file"),
    ("--home {0}/dead wallet backup {0}/empty", 1, "empty exists; name another file"),
    ("--home {0}/dead wallet backup {0}/disk", 1, "disk exists; name another file"),
    ("--home {0}/dead put {0}/disk", 1, "disk is a folder; store it as one file: `tar c"),
    ("--home {0}/dead put {0}/none", 1, "none does not exist"),
    ("--home {0}/dead put {0}/\udcff", 1, r"\\xff does not exist"),
    ("--home {0}/dead get \udcff", 6, r"\\xff is not a name in UTF-8; rename it"),
    ("plot create {0}/none --identity {0}/i", 6, "none is not a directory; create it first"),
    ("plot create {0}/disk --identity {0}/binary", 1, "binary is not an identity file; restore"),
    ("plot create {0}/disk --identity {0}/disk", 6, "disk: Is a directory; name a file"),
    ("plot check {0}/empty", 1, "empty is no plot file, or .* empty.meta is not beside it; bring"),
    ("plot check {0}/none", 1, "none does not exist; name a plot file that does"),
    ("plot check {0}/disk", 6, "disk is a folder; name one of its plot files"),
    ("plot check {0}/noted", 1, "noted.meta: .*not DAG-CBOR.*; make the same plot again with"),
    (f"prove {{0}}/empty --out {{0}}/p --beacon {BEACON}", 1, "empty is no plot file, or has lost"),
    ("verify {0}/binary", 1, "binary is no proof .*; name a file that `cybervein prove` wrote"),
    ("verify {0}/empty", 1, "empty is no proof .*; name a file that `cybervein prove` wrote"),
    ("verify {0}/disk", 6, "cannot read .*/disk: Is a directory; name a file"),
    # A network file, and who is behind it
    ("--home {0}/home status", 1, "home/network.json"),
    ("--home {0}/nobody wallet new --network {0}/cut.json", 1, "cut.json is not a network file"),
    ("--home {0}/dead status", 4, r"does not answer \(Connection refused\); is it running\?"),
    ("--home {0}/unnamed miners", 4, r"n.invalid.* does not answer \(((Name|Tempor)|no answer in)"),
    ("mine --network {0}/binary --data {0}/d --disk {0}/disk", 1, "binary is not a network file"),
    ("mine --network {0}/none --data {0}/d --disk {0}/disk", 1, "none does not exist; name a file"),
    (
        "mine --network {0}/disk --data {0}/d --disk {0}/disk",
        6,
        "disk: Is a directory; name a file",
    ),
    (TO_MINE + " --identity {0}/binary --port 0", 1, "binary is not an identity file; restore it"),
    ("mine --network {0}/dead/network.json --data {0}/empty --disk {0}/disk", 6, "empty is a file"),
    ("--home {0}/nobody wallet new --network {0}/empty", 1, "empty is not a network file; get a"),
    ("--home {0}/nobody wallet new --network {0}/disk", 6, "disk: Is a directory; name a file"),
    ("sidecar --port 0 --miner http://127.0.0.1:1 --network {0}/cut.json", 1, "not a network file"),
    # Addresses
    (TO_MINE + " --port 99999", 2, "'--port' .*65535; see `cybervein mine --help`"),
    (TO_MINE + " --port {1}", 4, r"\(Address already in use\); stop what listens there, or choose"),
    (TO_MINE + " --host n.invalid --port 0", 4, "cannot listen on n.invalid.*name a --host of"),
    ("supernode run --data {0}/dead --port -1", 2, "'--port'"),
    ("sidecar --port 65536 --miner x --supernode x", 2, "'--port'"),
    (TO_UP + " --port {1}", 4, "--port [0-9]+ is in use; stop what listens there, choose another"),
    (TO_UP + " --port 99999", 2, "'--port'"),
    (TO_UP + " --epoch-seconds 1", 2, "'--epoch-seconds': .* 2; see `cybervein up --help`"),
    ("up --data {0}/empty", 6, "empty is a file; give a directory"),
    ("up --data /proc/nothing", 6, "/proc/nothing/up.lock: No such file or directory"),
    # Directories of a super node and a miner
    ("supernode init --data {0}/empty", 6, "cannot write .*/empty/identity.json: File exists"),
    ("supernode init --data {0}/new --ca {0}/empty", 1, "--ca .*/empty: no PEM cert.*; name the"),
    ("supernode init --data {0}/new --ca {0}/binary", 1, "--ca .*/binary: no PEM cert.*; name the"),
    ("supernode init --data {0}/new --ca {0}/disk", 6, "disk: Is a directory; name a file"),
    ("supernode run --data {0}/empty", 6, "network.json: Not a directory; a part of this path"),
    ("supernode run --data {0}/none", 1, "none/network.json does not exist"),
    (TO_RUN + " --tls-cert {0}/empty --tls-key {0}/empty", 1, "empty: no PEM certificate with its"),
    (TO_RUN + " --tls-cert {0}/disk --tls-key {0}/none", 1, "disk is no file; name a PEM file"),
    ("disk list --data {0}/none", 4, "no miner runs on .*/none; start it"),
    ("disk list --data {0}/empty", 6, "run.json: Not a directory; a part of this path is a file"),
    ("miner status --data {0}/empty", 6, "run.json: Not a directory; a part of this path"),
    ("drain --data {0}/cut", 1, "run.json does not say where a miner listens"),
    ("chain verify --data {0}/cut", 6, "ledger .*/cut/ledger.sqlite: .*; is the disk mounted?"),
    ("chain export --data {0}/cut --out {0}/chain.car", 6, "ledger .*/cut/ledger.sqlite: "),
    ("chain export --data {0}/dead --out {0}/empty", 6, "empty: File exists; move it away"),
    ("chain verify --export {0}/none", 6, "none: No such file or directory; name one that exists"),
    ("chain verify --export {0}/empty", 1, "empty is empty; it is truncated or damaged: fetch it"),
    ("chain verify --export {0}/binary", 1, "binary is no export of a chain; name a file that"),
    ("chain verify --export {0}/README.md", 1, "README.md is no export of a chain; name a file"),
    ("chain verify --export {0}/disk", 6, "disk: Is a directory; name a file, not a directory"),
    ("chain verify --data {0}/empty", 6, "network.json: Not a directory; a part of this path"),
    ("chain verify --data {0}/disk", 1, "disk/network.json does not exist; name a file that does"),
    ("chain export --data {0}/dead --out {0}/disk", 6, "disk: File exists; move it away"),
    # Kubernetes
    ("k8s status --kubeconfig {0}/none", 1, "none is not a kubeconfig: it does not exist; name"),
    ("k8s status --kubeconfig {0}/disk", 1, r"disk is not .* \(Is a directory\); name another"),
    ("k8s status --kubeconfig {0}/binary", 1, r"binary .*\(it is not the YAML of a kubeconfig\)"),
    # Wrong usage
    ("", 2, "Missing command; see `cybervein --help`"),
    ("pur", 2, "No such command 'pur'.*'put'.*; see `cybervein --help`"),
    ("wallet", 2, "no command is named; see `cybervein wallet --help`"),
    ("wallet sned", 2, "No such command 'sned'"),
    ("put", 2, "Missing argument .*; see `cybervein put --help`"),
    ("put a b", 2, "unexpected extra argument"),
    ("ls --what", 2, "No such option: --what"),
    ("mine --fill lots", 2, "'--fill'"),
    ("--home", 2, "'--home' requires an argument"),
    # Values that the parser cannot judge
    ("put x --code 9", 2, "'--code': code '9': expected k/n, for instance 2/6; see `cybervein put"),
    ("put x --for soon", 2, "'--for': duration 'soon': expected a number and m, h, d, w or y"),
    ("put x --for 2d --epochs 9", 2, "--for and --epochs exclude each other"),
    ("put -", 2, "standard input has no name; give one with --name; see `cybervein put --help`"),
    ("cat x --range 9-1", 2, "'--range': '9-1': the last byte is before the first"),
    ("cat x --range all", 2, "'--range': 'all': expected FIRST-LAST, as in 0-1023"),
    ("renew x --for 0d", 2, "'--for': duration '0d'"),
    ("keep x --for d", 2, "'--for': duration 'd'"),
    ("deals --owner cvx", 2, "'--owner': address 'cvx': checksum is wrong; copy it again"),
    ("wallet send cvx 1", 2, "'TO': address 'cvx': checksum is wrong; copy it again"),
    (TO_MINE + " --payout cvx", 2, "'--payout': address 'cvx'"),
    (TO_MINE + " --control cvx", 2, "'--control': address 'cvx'"),
    (TO_MINE + f" --group {'g' * 65}", 2, "'--group': 65 characters: at most 64"),
    (TO_MINE + " --url ftp://host", 2, "'--url': URL 'ftp://host': expected http://"),
    (TO_MINE + " --supernode host:x", 2, "'--supernode': URL 'host:x'"),
    ("sidecar", 2, "give --network or --supernode; see `cybervein sidecar --help`"),
    ("sidecar --supernode http://host", 2, "give --data of a miner on this machine, or --miner"),
    ("sidecar --supernode http://host --miner host", 2, "'--miner': URL 'host'"),
    ("supernode init --data {0}/new --preset none", 2, "'--preset': preset 'none': expected one"),
    ("supernode init --data {0}/new --fund cvx", 2, "'--fund': 'cvx': expected ADDRESS=VEINS"),
    ("supernode init --data {0}/new --url http://n.example", 2, "'--url': URL .*expected https://"),
    ("supernode run --data {0}/dead --url x", 2, "'--url': URL 'x': expected http://"),
    ("supernode run --data {0}/dead --host 0.0.0.0", 2, "--host 0.0.0.0: TLS is required off"),
    ("supernode run --data {0}/dead --tls-key x", 2, "--tls-cert and --tls-key: give both or"),
    ("supernode run --data {0}/dead --free-from x", 2, "'--free-from': 'x' .*for instance 10.42"),
    ("chain verify", 2, "give either --data or --export; see `cybervein chain verify --help`"),
    ("plot create {0}/disk --identity {0}/i --preset x", 2, "'--preset': preset 'x'"),
    ("prove {0}/none --out {0}/p --beacon 12", 2, "'--beacon': '12': expected 64 hex digits"),
    ("verify {0}/none --beacon 12", 2, "'--beacon': '12': expected 64 hex digits"),
    (TO_UP + " --preset none", 2, "'--preset': preset 'none': expected one of test, local, main"),
    (TO_UP + " --host 192.0.2.1", 2, "--host 192.0.2.1: `up` is one machine without TLS"),
    (TO_UP + " --store {0}/none", 2, "'--store': .*none is no file; name one that exists"),
    (TO_UP + " --store {0}/busy --report {0}/disk", 2, "'--report': file .*disk' is a directory"),
    ("operator run --miner-url http://{{x}}", 2, "'--miner-url': 'http://{x}': expected a URL in"),
    ("k8s probe x", 2, "'URL': URL 'x': expected http:// or https://"),
    ("k8s drain", 2, r"name miners \(POOL-N\) or --node NODE, one of the two; see"),
    ("k8s drain pool", 2, "'MINER': pool is no miner's name; they are called POOL-N"),
]


@pytest.mark.parametrize(("line", "code", "words"), SITUATIONS, ids=[s[0] for s in SITUATIONS])
def test_it_is_told_in_one_line(place: Path, line: str, code: int, words: str) -> None:
    busy = (place / "busy").read_text()
    arguments = [each.format(place, busy) for each in line.split()]
    told = run("--json", *arguments, environment=PASSPHRASE)
    assert told.returncode == code, told.stderr
    begin, _, said = told.stderr.removesuffix("\n").partition(": ")
    assert begin == "error"
    assert re.search(words, said), said
    assert "\n" not in said
    assert not CLASS.search(said), said
    assert not re.search("[\u2500-\u257f]|Traceback", told.stdout + told.stderr)
    document = json.loads(told.stdout)
    assert document.keys() == {"error", "message"}
    assert document["message"] == said
    assert (document["error"] == "usage") == (code == 2)


def test_an_export_that_failed_leaves_no_file(place: Path) -> None:
    told = run("chain", "export", "--data", place / "cut", "--out", place / "half.car")
    assert told.returncode == 6
    assert not (place / "half.car").exists()


def test_a_service_that_cannot_say_where_it_listens_ends_in_order(place: Path) -> None:
    network, unusable = place / "dead" / "network.json", place / "disk"
    line = ("sidecar", "--port", "0", "--miner", "http://127.0.0.1:1", "--network", network)
    told = run(*line, "--run-file", unusable)
    assert told.returncode == 6
    [started, error] = told.stderr.splitlines()
    assert "sidecar starts" in started
    assert error.endswith(f"{unusable} is no file but a device, pipe or folder; name a file")


def test_a_person_who_left_out_the_command_reads_the_help() -> None:
    told = run("wallet")
    assert told.returncode == 2
    assert told.stderr.startswith("Usage: cybervein wallet")
    assert "backup" in told.stderr
    assert run().stderr.startswith("Usage: cybervein [OPTIONS] COMMAND")


def test_the_traceback_is_there_for_who_asks(place: Path) -> None:
    line = ("--home", place / "nobody", "ls")
    for told in (run("--debug", *line), run(*line, environment={"CYBERVEIN_DEBUG": "1"})):
        assert told.stderr.startswith("Traceback")
        assert told.stderr.splitlines()[-1].startswith("error: no wallet")
    assert "Traceback" not in run(*line, environment={"CYBERVEIN_DEBUG": "0"}).stderr
