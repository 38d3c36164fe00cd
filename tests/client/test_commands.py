"""The command line: what it prints, its exit codes, its wallet."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cybervein_client import Client
from cybervein_client.home import Home
from cybervein_protocol.amounts import coins
from cybervein_protocol.signing import KeyPair, address
from real_network import RealNetwork
from services import run_bytes

Noise = Callable[..., Path]


NARROW = 80  # columns


def run(home: Path, *arguments: str, code: int = 0, data: bytes = b"") -> bytes:
    done = run_bytes("--home", home, *arguments, data=data)
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    return done.stderr if code else done.stdout


def run_json(home: Path, *arguments: str, data: bytes = b"") -> Any:
    return json.loads(run(home, "--json", *arguments, data=data))


def test_a_file_lives_from_standard_input_to_standard_output(home: Home) -> None:
    data = bytes(range(256)) * 1000
    put = run_json(home.directory, "put", "-", "--name", "bytes", "--code", "2/5", data=data)
    assert (put["code"], put["size"], len(put["deals"])) == ("2/5", len(data), 1)
    assert run(home.directory, "get", "bytes", "--out", "-") == data
    assert run(home.directory, "cat", "bytes", "--range", "100-199") == data[100:200]
    assert run(home.directory, "cat", put["cid"], "--range", "255990:") == data[255990:]
    assert run(home.directory, "cat", "bytes", "--range", "255990-999999") == data[255990:]
    behind = run(home.directory, "cat", "bytes", "--range", "256000-", code=1)
    assert b"256000 bytes; byte 256000 is beyond its end" in behind
    [listed] = run_json(home.directory, "ls")
    assert (listed["name"], listed["state"]) == ("bytes", "stored")


def test_a_stored_stream_is_not_taken_for_another_one_of_the_same_name(home: Home) -> None:
    run_json(home.directory, "put", "-", "--name", "stream [1/2]", data=b"first")
    command_line = ("put", "-", "--name", "stream [1/2]")
    assert b"another --name" in run(home.directory, *command_line, code=1, data=b"second")
    assert run(home.directory, "cat", "stream [1/2]") == b"first"
    assert b"stream [1/2]" in run(home.directory, "ls")


def test_a_removed_file_is_gone_from_the_miners_and_the_ledger(
    home: Home, network: RealNetwork, noise: Noise
) -> None:
    put = run_json(home.directory, "put", str(noise(5000)), "--name", "file")
    held = network.get(f"/deals/{put['deals'][0]}/shards")["shards"]
    asked = run(home.directory, "rm", "file", code=1, data=b"n\n")
    assert re.search(rb"for good\? 0\.\d+ coins come back now\.", asked)
    assert run_json(home.directory, "ls") != []
    before = network.get(f"/deals/{put['deals'][0]}")
    removed = run_json(home.directory, "rm", "file", "--yes")
    ended = network.get(f"/deals/{put['deals'][0]}")
    assert (ended["state"], ended["epochs_left"], ended["refund"]) == ("ended", 0, 0)
    assert removed == {
        "name": "file",
        "removed": True,
        "miners_not_reached": 0,
        "refunded": ended["refunded"],
    }
    assert 0 < ended["refunded"] <= before["refund"] < ended["escrow"]
    for row in held:
        assert network.miner_of(row["miner"]).shard_file(bytes.fromhex(row["root"])) is None
    assert run_json(home.directory, "ls") == []


def test_miners_fit_a_narrow_terminal(home: Home) -> None:
    lines = run(home.directory, "miners").decode().splitlines()
    assert lines[0].split() == [
        "miner",
        "state",
        "plots",
        "held",
        "KiB",
        "MiB/s",
        "rewards",
        "fees",
    ]
    assert all("online" in line and len(line) <= NARROW for line in lines[1:])


def test_a_renewed_deal_lasts_longer(home: Home, network: RealNetwork, noise: Noise) -> None:
    [deal] = run_json(home.directory, "put", str(noise(5000)), "--name", "file")["deals"]
    before = network.get(f"/deals/{deal}")["expires"]
    run_json(home.directory, "renew", "file", "--epochs", "7")
    assert network.get(f"/deals/{deal}")["expires"] == before + 7


def test_coins_are_sent(home: Home, network: RealNetwork) -> None:
    friend = address(KeyPair(b"\x44" * 32).public)
    before = network.get(f"/accounts/{friend}").get("balance", 0)
    send = ("wallet", "send", friend)
    paid = run_json(home.directory, *send, "0.000012345", "--memo", "lunch", "--yes")
    assert (paid["to"], paid["amount"]) == (friend, 12345)
    assert network.get(f"/accounts/{friend}")["balance"] == before + 12345
    mistyped = friend[:-1] + ("1" if friend[-1] != "1" else "2")
    assert b"checksum" in run(home.directory, "wallet", "send", mistyped, "1", code=2)


def test_a_payment_is_made_only_after_it_was_shown_and_agreed_to(
    home: Home, network: RealNetwork
) -> None:
    friend = address(KeyPair(b"\x45" * 32).public)
    send = ("--home", home.directory, "wallet", "send", friend, "0.5")
    no, nobody, agreed = (run_bytes(*send, data=data) for data in (b"n\n", b"", b"y\n"))
    assert (no.returncode, nobody.returncode, agreed.returncode) == (1, 1, 0)
    asked = rb"Pay 0\.5 coins to cv\w+\? The fee is at most 0\.0000\d+ coins, \d+\.\d+ stay\."
    assert re.match(asked, no.stderr)
    assert b"--yes asks nothing" in nobody.stderr
    assert b"nothing was done, as the answer was not yes" in no.stderr
    asked_json = run_bytes("--json", *send, data=b"")
    assert json.loads(asked_json.stdout)["message"].startswith("no answer, so nothing was done")
    assert b"paid 0.5 coins to cv" in agreed.stdout.replace(b"\n", b"")
    assert network.get(f"/accounts/{friend}")["balance"] == 500_000_000


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (("13",), 3, rb"has \d+\.\d+ coins, 13 and a fee of up to 0\.0000\d+ are needed"),
        (("1", "--memo", "x" * 65), 2, rb"65 characters: at most 64"),
        (("1.5e3",), 2, rb"expected coins such as 12 or 0\.5"),
    ],
)
def test_a_payment_that_cannot_succeed_costs_no_fee(
    home: Home, network: RealNetwork, line: tuple[str, ...], code: int, message: bytes
) -> None:
    account = f"/accounts/{address(network.wallet.keys.public)}"
    before = network.get(account)
    friend = address(KeyPair(b"\x46" * 32).public)
    refused = run(home.directory, "wallet", "send", friend, *line, "--yes", code=code)
    assert re.search(message, refused)
    after = network.get(account)
    assert after["nonce"] == before["nonce"]


def test_a_backup_brings_every_file_to_another_machine(
    home: Home, noise: Noise, tmp_path: Path
) -> None:
    source = noise(70_000)
    run_json(home.directory, "put", str(source), "--name", "file")
    backup = tmp_path / "wallet.backup"
    right, wrong, empty = (tmp_path / name for name in ("right", "wrong", "empty"))
    right.write_text("correct horse\n")
    wrong.write_text("battery staple\n")
    empty.write_text("\n")
    option = "--passphrase-file"
    run_json(home.directory, "wallet", "backup", str(backup), option, str(right))
    assert backup.stat().st_mode & 0o077 == 0
    other = tmp_path / "other"
    restore = ("wallet", "restore", str(backup), option)
    assert b"wrong passphrase" in run(other, *restore, str(wrong), code=5)
    assert b"no passphrase" in run(other, *restore, str(empty), code=1)
    run_json(other, *restore, str(right))
    assert run(other, "cat", "file") == source.read_bytes()
    assert b"has a wallet" in run(other, *restore, str(right), code=1)
    damaged = bytearray(backup.read_bytes())
    damaged[-1] ^= 1
    backup.write_bytes(damaged)
    run(tmp_path / "third", *restore, str(right), code=5)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("get", "nothing"), 1, b"neither a name nor a CID"),
        (("put", "/nonexistent/file"), 1, b"does not exist"),
        (("put", "-"), 2, b"--name"),
        (("put", "/dev/null"), 1, b"not a regular file"),
        (("put", "/proc/self"), 1, b"is a folder; store it as one file: `tar c /proc/self |"),
        (("put", "/etc/hostname", "--name", "a\nb"), 2, b"printable"),
        (("put", "/etc/hostname", "--epochs", "10001"), 1, b"at most 10000 in this network, 1"),
        (("put", "/etc/hostname", "--for", "300y"), 1, b"epochs are too long: at most 10000"),
        (("cat", "nothing", "--range", "9-3"), 2, b"before the first"),
        (("put", "/etc/hostname", "--code", "6/2"), 2, b"1 <= k < n"),
        (("nonsense",), 2, b"No such command"),
        (("put", "/etc/hostname", "--name", "x", "--epochs", "0"), 2, b"epochs"),
    ],
)
def test_mistakes_are_answered_with_a_code_and_what_to_do(
    home: Home, arguments: tuple[str, ...], code: int, message: bytes
) -> None:
    assert message in run(home.directory, *arguments, code=code)


def test_an_escrow_beyond_the_balance_has_its_own_exit_code(home: Home, noise: Noise) -> None:
    source = str(noise(50_000_000))
    assert b"escrows" in run(home.directory, "put", source, "--epochs", "10000", code=3)


def test_a_fresh_home_is_told_how_to_begin(tmp_path: Path, network: RealNetwork) -> None:
    assert b"wallet new" in run(tmp_path / "new", "wallet", "show", code=1)
    assert b"wallet new" in run(tmp_path / "new", "ls", code=1)
    assert not (tmp_path / "new").exists()
    made = run_json(tmp_path / "new", "wallet", "new", "--network", str(network.network_file))
    shown = run_json(tmp_path / "new", "wallet", "show")
    assert (shown["address"], shown["balance"]) == (made["address"], 0)
    assert b"has a wallet already, which stays" in run(tmp_path / "new", "wallet", "new", code=1)
    broken = tmp_path / "broken.json"
    broken.write_text("{}")
    again = ("wallet", "new", "--network", str(broken))
    assert b"not a network file" in run(tmp_path / "other", *again, code=1)
    assert not (tmp_path / "other" / "identity.json").exists()


def test_a_wallet_without_a_network_is_told_where_its_file_goes(tmp_path: Path) -> None:
    new = tmp_path / "new"
    place = str(new / "network.json").encode()
    made = run(new, "wallet", "new")
    assert b"copy a network's network.json to " + place in made
    again = run(new, "wallet", "new", code=1)
    assert b"to use it, copy a network's network.json to " + place in again
    told = run_bytes("--home", new, "doctor").stdout
    assert made.split()[0] in told  # the whole address, though a line needs a next step
    assert b"next: copy the network's network.json to the home" in told


def test_a_home_without_files_says_how_one_is_stored(home: Home) -> None:
    assert run(home.directory, "ls") == (
        b"no file is stored yet; `cybervein put FILE` stores one\n"
    )


def test_deals_fit_a_narrow_terminal_with_every_digit(home: Home, noise: Noise) -> None:
    put = run_json(home.directory, "put", str(noise(900_000)), "--name", "file", "--epochs", "99")
    told = run(home.directory, "deals").decode()
    assert told.count("…") == len(run_json(home.directory, "deals"))  # in each deal's name alone
    assert coins(put["escrow"], 9) in told
    assert all(len(line) <= NARROW for line in told.splitlines())


def test_doctor_finds_nothing_wrong_then_names_what_is(
    home: Home, network: RealNetwork, tmp_path: Path
) -> None:
    report = run_json(home.directory, "doctor")
    assert report["ok"], report
    names = [check["name"] for check in report["checks"]]
    assert names[:5] == ["python", "native code", "disk", "wallet", "network file"]
    assert "clock" in names
    network.supernode.kill()
    output = run(home.directory, "doctor", code=1)
    assert output == b""
    run(tmp_path / "fresh", "doctor", code=1)


def test_what_the_network_knows_is_shown(home: Home, noise: Noise) -> None:
    run_json(home.directory, "put", str(noise(10)), "--name", "file")
    assert len(run_json(home.directory, "miners")) == 8
    deals = run_json(home.directory, "deals")
    assert deals[-1]["state"]
    status = run_json(home.directory, "status")
    assert (status["files"], status["preset"]) == (1, "test")
    shown = run(home.directory, "miners").decode().replace("\n", "")
    assert all(heading in shown for heading in ("miner", "held KiB", "rewards"))
    assert "cv" in shown


def test_the_blocking_client_does_the_same_for_programs(
    home: Home, noise: Noise, tmp_path: Path
) -> None:
    client = Client(home.directory)
    source = noise(100_000)
    client.put(source, "file", code="2/4")
    client.get("file", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()
    assert client.read("file", 5, 10) == source.read_bytes()[5:10]
    assert {check.outcome.value for check in client.audit("file")} == {"passed"}
    assert [row.name for row in client.files()] == ["file"]
    assert client.balance() > 0
    assert client.renew("file", 1) > 0
    assert client.remove("file") == 0
