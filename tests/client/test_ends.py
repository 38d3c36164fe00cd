"""Files whose deals have ended, or end soon: told everywhere, and mended by the obvious command."""

import asyncio
import json
import re
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import PIPE, CompletedProcess, Popen
from typing import Any
from unittest.mock import AsyncMock

import pytest
from cybervein_client import AsyncClient, Client
from cybervein_client.catalogue import Catalogue, DealState, FileState
from cybervein_client.home import Home
from cybervein_client.lasting.outlook import next_price
from cybervein_client.lasting.renewal import RenewalPlan
from cybervein_client.ledger import UnitSender
from cybervein_client.ledger.fees import small_fees
from cybervein_client.lifetimes import Life
from cybervein_client.upload import FileSource, Offer
from cybervein_protocol.amounts import coins
from cybervein_protocol.api.super_node.units import UnitStatus
from cybervein_protocol.coding import SEGMENT_PLAIN
from cybervein_protocol.encoding import parse_cid
from cybervein_protocol.errors import ConflictError, FundsError, UnavailableError
from cybervein_protocol.ledger.storage.bodies import DealClose
from cybervein_protocol.placement import Code
from cybervein_protocol.presets import TEST
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.files import write_atomic
from cybervein_runtime.identity import save_identity
from real_network import RealNetwork
from services import command, run_bytes
from waiting import until

Noise = Callable[..., Path]
OLD, NEW = b"old bytes " * 700, b"new bytes " * 900


def cybervein(home: Path, *arguments: str, code: int = 0) -> CompletedProcess[bytes]:
    done = run_bytes("--home", home, *arguments)
    assert done.returncode == code, (arguments, done.stdout, done.stderr)
    return done


def flat(text: bytes) -> str:
    """What was said, without the line breaks of an 80 columns' terminal."""
    return " ".join(text.decode().split())


def answer(home: Path, *arguments: str, code: int = 0) -> Any:
    return json.loads(cybervein(home, "--json", *arguments, code=code).stdout)


@pytest.fixture(scope="module")
def past(running: RealNetwork, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A home with one file, `photo`, whose deal has ended; its source lies beside the home."""
    folder = tmp_path_factory.mktemp("past")
    home = Home(folder / "home")
    save_identity(home.identity_path, running.wallet)
    write_atomic(home.network_path, running.network_file.read_bytes(), mode=0o644)
    (folder / "photo").write_bytes(OLD)
    stored = answer(home.directory, "put", str(folder / "photo"), "--epochs", "1")
    [deal] = stored["deals"]
    assert stored["state"] in {"expiring", "expired"}  # an epoch may end in this moment
    until(lambda: running.get(f"/deals/{deal}")["state"] == "ended", "the deal to end")
    return home


@pytest.fixture
def ended(past: Home, network: RealNetwork, tmp_path: Path) -> Path:
    """A copy of that home, to be changed."""
    del network  # every process runs
    return Path(shutil.copytree(past.directory.parent, tmp_path / "ended")) / "home"


def test_an_ended_file_is_listed_as_expired_with_its_date(ended: Path) -> None:
    [row] = answer(ended, "ls")
    assert (row["state"], row["seconds_left"]) == ("expired", 0)
    listed = cybervein(ended, "ls").stdout
    assert b"expired" in listed
    assert b"UTC" in listed


def test_reading_an_ended_file_says_when_it_ended_and_what_to_do(
    ended: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    for arguments in (("get", "photo", "--out", str(copy)), ("cat", "photo")):
        said = cybervein(ended, *arguments, code=1).stderr.decode()
        assert "photo is not stored any more: its deal ended on 20" in said
        assert "cybervein put" in said
    assert list(tmp_path.glob(".copy*")) == []


@pytest.mark.parametrize("line", [("audit", "photo"), ("renew", "photo"), ("keep", "photo")])
def test_an_ended_file_is_refused_in_one_line_and_without_a_fee(
    ended: Path, line: tuple[str, ...]
) -> None:
    before = answer(ended, "wallet", "show")["balance"]
    done = cybervein(ended, *line, code=1)
    assert done.stdout == b""
    assert len(done.stderr.splitlines()) == 1
    assert b"its deal ended on 20" in done.stderr
    after = answer(ended, "wallet", "show")["balance"]
    assert after >= before  # what other tests stored may end meanwhile, and its rest comes back


def test_every_overview_warns_of_an_ended_file(ended: Path) -> None:
    report = answer(ended, "doctor", code=1)
    [check] = [each for each in report["checks"] if not each["ok"]]
    assert (check["name"], "photo" in check["detail"]) == ("files", True)
    status = answer(ended, "status")
    assert (status["expired"], status["next_end"], len(status["warnings"])) == (1, None, 1)
    assert "no file is paid for" in flat(cybervein(ended, "status").stdout)


def test_that_a_file_has_ended_is_said_once_and_wherever_it_is_asked_for(ended: Path) -> None:
    notice = "warning: not stored any more, their deals have ended: photo"
    told = {
        command: [notice in flat(cybervein(ended, command).stderr) for _ in range(2)]
        for command in ("miners", "deals", "ls", "status")
    }
    assert told == {
        "miners": [True, False],
        "deals": [False, False],
        "ls": [True, True],
        "status": [True, True],
    }


def test_an_ended_deal_is_shown_as_ended_with_what_came_back(ended: Path) -> None:
    [cid] = answer(ended, "ls")[0]["deals"]
    [deal] = [row for row in answer(ended, "deals") if row["deal"] == cid]
    assert (deal["state"], deal["health"], deal["kib"]) == ("ended", "none", 0)
    assert deal["refunded"] == deal["escrow"] - deal["spent"]  # 0 where its one epoch was paid
    _, heading, *rows = cybervein(ended, "deals").stdout.decode().splitlines()
    assert "returned" in heading
    assert any("ended" in row and "good" not in row for row in rows)


@pytest.mark.parametrize("data", [OLD, NEW], ids=["same", "changed"])
def test_putting_an_ended_file_again_stores_it_and_says_so(ended: Path, data: bytes) -> None:
    source = ended.parent / "photo"
    source.write_bytes(data)
    [gone] = answer(ended, "ls")[0]["deals"]
    done = cybervein(ended, "put", str(source), "--for", "1h")
    assert "it has ended and is stored again" in flat(done.stderr)
    assert done.stdout.startswith(b"stored photo")
    [row] = answer(ended, "ls")
    assert (row["state"], row["epochs"]) == ("stored", 3600 // 15)
    assert gone not in row["deals"]
    assert cybervein(ended, "cat", "photo").stdout == data


def test_a_put_whose_deal_ended_before_it_was_finished_uploads_it_again(ended: Path) -> None:
    catalogue = Catalogue(Home(ended).catalogue_path)
    row = catalogue.resolve("photo")
    catalogue.set_file_state(row.id, FileState.UPLOADING)
    source = FileSource(ended.parent / "photo")  # the copy has another path
    catalogue.close()
    source.close()
    database = sqlite3.connect(Home(ended).catalogue_path)
    with database:
        facts = (source.name, source.mtime_ns)
        database.execute("UPDATE files SET source = ?, mtime_ns = ?", facts)
    database.close()
    stored = answer(ended, "put", source.name, "--epochs", "50")
    assert (stored["state"], stored["epochs"]) == ("stored", 50)
    assert cybervein(ended, "cat", "photo").stdout == OLD


async def test_a_file_that_lost_one_of_its_deals_gets_that_one_again(
    client: AsyncClient, noise: Noise, tmp_path: Path
) -> None:
    source = noise(8 * SEGMENT_PLAIN + 1)  # preset test: 8 segments in a deal
    row = await client.put(FileSource(source), "large", epochs=20, code=Code(2, 3))
    kept, lost = client.catalogue.deals(row.id)
    await client._units.send(DealClose(deal=parse_cid(lost.cid, "deal")))
    life = await client.watch.ask(row)
    assert (life.life, life.ended) == (Life.EXPIRED, 1)
    assert client.catalogue.resolve("large").state is FileState.STORED

    def no(*_: object) -> None:
        raise UnavailableError("not at that price")

    with pytest.raises(UnavailableError, match="not at that price"):
        await client.put(FileSource(source), "large", epochs=60, offered=no)
    with pytest.raises(FundsError, match="nothing was paid"):
        await client.put(FileSource(source), "large", epochs=10_000)
    assert client.catalogue.resolve("large") == row
    notes: list[str] = []
    offers: list[Offer] = []
    deal = await client.supernode.deal(kept.cid)
    assert deal is not None
    mended = await client.put(
        FileSource(source),
        "large",
        epochs=60,
        note=notes.append,
        offered=lambda offer, _: offers.append(offer),
    )
    assert "coins of that made what was paid earlier last as long" in notes[-1]
    [price] = [offer.price for offer in offers]
    assert price is not None
    deals = [await client.supernode.deal(each.cid) for each in client.catalogue.deals(mended.id)]
    taken = sum(each.escrow for each in deals if each is not None) - deal.escrow
    assert 0 < price - taken <= small_fees(60, TEST)  # the fees, as what they are at most
    assert client.catalogue.resolve("large").epochs == mended.epochs == 60
    first, second = client.catalogue.deals(mended.id)
    assert (first.cid, first.state, second.state) == (kept.cid, DealState.ACTIVE, DealState.ACTIVE)
    life = await client.watch.ask(mended)
    assert life.expires is not None
    assert life.expires - life.time.epoch > 50  # the older deal was brought to the new end
    await client.get("large", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == source.read_bytes()


async def test_other_bytes_take_no_place_of_a_file_that_lost_one_of_its_deals(
    client: AsyncClient, noise: Noise
) -> None:
    source = noise(8 * SEGMENT_PLAIN + 1)
    row = await client.put(FileSource(source), "large", code=Code(2, 3))
    kept, lost = client.catalogue.deals(row.id)
    await client._units.send(DealClose(deal=parse_cid(lost.cid, "deal")))
    before = source.read_bytes()
    source.write_bytes(b"other bytes")
    with pytest.raises(ConflictError, match=r"has other bytes now; `cybervein rm` it first"):
        await client.put(FileSource(source), "large")
    assert client.catalogue.resolve("large").state is FileState.STORED
    first = client.stream("large", 0, 8 * SEGMENT_PLAIN)
    assert (await client.supernode.deal(kept.cid)).state == "active"
    with pytest.raises(ConflictError, match="a deal of 2 was closed before its time"):
        await anext(first)
    source.write_bytes(before)
    assert (await client.put(FileSource(source), "large")).state is FileState.STORED
    assert b"".join([data async for data in client.stream("large")]) == before


async def test_a_put_whose_earlier_part_the_wallet_cannot_prolong_is_stored_all_the_same(
    client: AsyncClient, noise: Noise, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = noise(8 * SEGMENT_PLAIN + 1)
    row = await client.put(FileSource(source), "dear", epochs=20, code=Code(2, 3))
    _, lost = client.catalogue.deals(row.id)
    await client._units.send(DealClose(deal=parse_cid(lost.cid, "deal")))

    async def poor(*_: object) -> RenewalPlan:
        raise FundsError("the wallet has 1 coin")

    monkeypatch.setattr(client.renewer, "plan", poor)
    notes: list[str] = []
    stored = await client.put(FileSource(source), "dear", epochs=60, note=notes.append)
    assert stored.state is FileState.STORED
    assert "what was paid earlier may end earlier: the wallet has 1 coin" in notes[-1]


def test_price_duration_and_end_are_shown_before_anything_is_paid(home: Home, noise: Noise) -> None:
    source = str(noise(5000))
    said = flat(cybervein(home.directory, "put", source, "--name", "a", "--for", "10m").stderr)
    assert "for 10 min, until about 20" in said
    assert "coins" in said
    done = cybervein(home.directory, "--json", "put", source, "--name", "b", "--epochs", "40")
    offer, stored = json.loads(done.stderr)["offer"], json.loads(done.stdout)
    assert (offer["epochs"], offer["price"]) == (40, stored["price"])
    assert offer["price"] >= stored["escrow"]
    assert abs(offer["ends"] - stored["ends"]) <= 2 * 15
    stream = run_bytes("--home", home.directory, "put", "-", "--name", "c", data=b"stream")
    assert "coins per GiB, and at most" in flat(stream.stderr)
    assert "held back until the end" in flat(stream.stderr)


def test_no_more_is_paid_than_was_shown(home: Home, network: RealNetwork, noise: Noise) -> None:
    wallet = f"/accounts/{address(network.wallet.keys.public)}"
    before = network.get(wallet)["balance"]
    price = answer(home.directory, "put", str(noise(5000)), "--name", "a")["price"]
    assert price > 0
    assert before - network.get(wallet)["balance"] <= price


def test_a_file_that_is_stored_is_not_paid_for_twice(home: Home, noise: Noise) -> None:
    source = str(noise(5000))
    first = answer(home.directory, "put", source, "--name", "a")
    done = cybervein(home.directory, "put", source, "--name", "a", "--epochs", "900")
    assert "stored already, until 20" in flat(done.stdout)
    assert "nothing was paid" in flat(done.stdout)
    [row] = answer(home.directory, "ls")
    assert (row["deals"], row["epochs"]) == (first["deals"], 100)


def test_two_ways_to_say_how_long_exclude_each_other(home: Home) -> None:
    both = ("--for", "1d", "--epochs", "3")
    cybervein(home.directory, "put", "/etc/hostname", *both, code=2)
    cybervein(home.directory, "renew", "a", *both, code=2)
    said = cybervein(home.directory, "put", "/etc/hostname", "--for", "soon", code=2)
    assert b"such as 12h or 30d" in said.stderr


def escrow_of(home: Home, network: RealNetwork) -> int:
    """What the deals of the home's only file have escrowed so far, by the ledger.

    The wallet's balance tells less: what other tests stored ends meanwhile, and comes back.
    """
    [row] = answer(home.directory, "ls")
    return sum(network.get(f"/deals/{deal}")["escrow"] for deal in row["deals"])


def test_a_renewal_that_is_too_long_costs_no_fee(
    home: Home, network: RealNetwork, noise: Noise
) -> None:
    answer(home.directory, "put", str(noise(5000)), "--name", "a")
    wallet = f"/accounts/{address(network.wallet.keys.public)}"
    before, escrow = network.get(wallet), escrow_of(home, network)
    said = cybervein(home.directory, "renew", "a", "--epochs", "9950", code=1).stderr
    assert b"at most 99" in said
    assert network.get(wallet)["nonce"] == before["nonce"]
    done = cybervein(home.directory, "--json", "renew", "a", "--for", "1h")
    renewed, [row] = json.loads(done.stdout), answer(home.directory, "ls")
    assert json.loads(done.stderr)["offer"] == renewed
    assert renewed["escrow"] == escrow_of(home, network) - escrow > 0
    assert renewed["price"] == renewed["escrow"] + small_fees(1, TEST)
    said = flat(cybervein(home.directory, "renew", "a", "--for", "1h").stderr)
    assert said.startswith("a: 1 h more, until 20")
    assert coins(renewed["price"], 9) in said
    assert (renewed["epochs"], row["ends_epoch"]) == (240, renewed["ends_epoch"])


def kept_and_due(home: Home, source: str) -> Any:
    """A kept file, `a`: its renewal is due, and two minutes are left of it."""
    stored = answer(home.directory, "put", source, "--name", "a", "--epochs", "8", "--keep")
    assert stored["keep_epochs"] == 8
    answer(home.directory, "keep", "a", "--epochs", "50")
    return stored


def test_a_kept_file_is_renewed_when_it_ends_soon_and_only_then(home: Home, noise: Noise) -> None:
    source = str(noise(5000))
    stored = kept_and_due(home, source)
    warned = cybervein(home.directory, "miners").stderr
    assert b"a is kept" not in warned  # its renewal is not late yet
    [kept] = answer(home.directory, "keep", "--once")
    assert (kept["renewed_epochs"], kept["problem"]) == (50, None)
    [row] = answer(home.directory, "ls")
    assert (row["ends_epoch"], row["keep_epochs"]) == (stored["ends_epoch"] + 50, 50)
    [again] = answer(home.directory, "keep", "--once")
    assert again["renewed_epochs"] == 0
    assert cybervein(home.directory, "keep", "--once").stdout == b"1 kept file, none is due\n"
    told = cybervein(home.directory, "put", source, "--name", "a", "--keep").stdout
    assert "kept if `cybervein keep` runs; nothing was paid" in flat(told)
    assert answer(home.directory, "keep", "a", "--off")["keep_epochs"] == 0
    assert answer(home.directory, "keep", "--once") == []


def test_times_of_kept_files_are_whole_at_80_columns(home: Home, noise: Noise) -> None:
    name = "a-name-of-some-length.tar.gz"
    answer(home.directory, "put", str(noise(5_000_000)), "--name", name, "--for", "65m", "--keep")
    heading, *rows = cybervein(home.directory, "ls").stdout.decode().splitlines()
    assert "renews for" in heading
    assert re.search(r"1 h \d min +20\d\d-\d\d-\d\d \d\d:\d\d +1 h 5 min", rows[0])
    assert "".join(row.split()[0] for row in rows) == name


def test_a_wallet_that_cannot_keep_a_file_is_told_before_and_by_the_service(
    home: Home, network: RealNetwork, noise: Noise
) -> None:
    poor = home.directory.parent / "poor"
    made = answer(poor, "wallet", "new", "--network", str(network.network_file))
    cybervein(home.directory, "wallet", "send", made["address"], "0.02", "--yes")
    answer(poor, "put", str(noise(5000)), "--name", "a", "--epochs", "30", "--code", "2/4")
    friend = address(KeyPair(b"\x46" * 32).public)
    left = answer(poor, "wallet", "show")["balance"] - 30_000
    cybervein(poor, "wallet", "send", friend, f"0.{left:09d}", "--yes")
    said = cybervein(poor, "keep", "a", "--epochs", "9000").stderr
    assert "the wallet cannot pay the next renewal of a" in flat(said)
    done = cybervein(poor, "keep", "--once", code=3)
    assert done.stdout.startswith(b"not renewed: the wallet has ")
    assert b"pay coins in" in done.stderr


def test_a_renewal_from_another_home_is_known_before_a_file_is_called_expiring(
    home: Home, noise: Noise, tmp_path: Path
) -> None:
    Client(home.directory).put(noise(5000), "a", epochs=8)
    with closing(Catalogue(home.catalogue_path)) as catalogue:  # as if most of its time was over
        catalogue.set_epochs(catalogue.resolve("a").id, 50)
    assert answer(home.directory, "ls")[0]["state"] == "expiring"
    other = Path(shutil.copytree(home.directory, tmp_path / "other"))
    answer(other, "renew", "a", "--epochs", "60")
    assert answer(home.directory, "ls")[0]["state"] == "stored"


@pytest.mark.parametrize("others", [50, 60], ids=["other units", "one and the same unit"])
async def test_two_homes_of_one_wallet_that_keep_a_file_at_once_buy_its_time_once(
    client: AsyncClient, noise: Noise, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    stored = await client.put(FileSource(noise(5000)), "a", epochs=8)
    await client.keep("a", 60)
    first = await client.watch.ask(stored)
    other_home = client.home.directory.with_name("other")
    async with AsyncClient(Home(Path(shutil.copytree(client.home.directory, other_home)))) as other:
        await other.keep("a", others)
        sent, send = list[bytes](), client.supernode.send_unit
        if others == 60:  # a block between the two signatures would make them two units
            parents = AsyncMock(return_value=await client.renewer._units._parents())
            monkeypatch.setattr(UnitSender, "_parents", parents)

        async def after_the_other(raw: bytes) -> UnitStatus:
            """The other home is as late as can be: it buys just before this unit arrives."""
            if not sent:
                [bought] = await other.keeper.once()
                assert (bought.epochs, bought.problem) == (others, None)
            sent.append(raw)
            return await send(raw)

        monkeypatch.setattr(client.supernode, "send_unit", after_the_other)
        before = await other.account()
        [late] = await client.keeper.once()
        assert (late.epochs, late.problem) == (60 if others == 60 else 0, None)
        assert len(sent) == 1  # its nonce was used: nothing was paid for it
        after = await other.account()
        assert after.nonce == before.nonce + 1
        assert late.life.expires == (first.expires or 0) + others
        both = await asyncio.gather(client.keeper.once(), other.keeper.once())
        assert [kept.epochs for [kept] in both] == [0, 0]


async def test_a_renewal_stands_on_the_end_that_it_was_planned_from(
    client: AsyncClient, noise: Noise, tmp_path: Path
) -> None:
    stored = await client.put(FileSource(noise(5000)), "a", epochs=20)
    planned = await client.renewer.plan(await client.watch.ask(stored), 60)
    other_home = Home(Path(shutil.copytree(client.home.directory, tmp_path / "other")))
    async with AsyncClient(other_home) as other:
        await other.renew("a", 30)
    before = (await client.account()).nonce
    with pytest.raises(ConflictError, match="another home of this wallet renewed"):
        await client.renewer.run(planned)
    assert (await client.account()).nonce == before
    await client.send(KeyPair(b"\x48" * 32).public, 1)  # another unit alone is no obstacle
    await client.renewer.run(await client.renewer.plan(await client.watch.ask(stored), 60))


def test_what_is_left_is_estimated_while_no_super_node_answers(
    home: Home, network: RealNetwork, noise: Noise
) -> None:
    answer(home.directory, "put", str(noise(5000)), "--name", "a")
    [before] = answer(home.directory, "ls")
    network.supernode.kill()
    done = cybervein(home.directory, "ls")
    assert "estimated by this machine's clock" in flat(done.stderr)
    [row] = answer(home.directory, "ls")
    assert (row["state"], row["ends_epoch"]) == ("stored", before["ends_epoch"])
    assert abs(row["ends"] - before["ends"]) < 1


def test_the_service_renews_a_file_that_is_kept_after_it_was_started(
    home: Home, noise: Noise
) -> None:
    with Popen(command("--home", home.directory, "--json", "keep"), stdout=PIPE) as service:
        try:
            end = kept_and_due(home, str(noise(5000)))["ends_epoch"]
            assert service.stdout is not None
            said = list[bytes]()
            while not any(row["renewed_epochs"] for line in said for row in json.loads(line)):
                said.append(service.stdout.readline())
            assert answer(home.directory, "ls")[0]["ends_epoch"] > end
        finally:
            service.send_signal(signal.SIGINT)
        said += service.communicate()[0].splitlines()
    renewed = [row for line in said for row in json.loads(line)]
    assert [row["renewed_epochs"] for row in renewed if row["renewed_epochs"]] == [50]
    assert service.returncode == 130


def test_the_service_outlives_a_super_node_that_is_away(
    home: Home, network: RealNetwork, noise: Noise
) -> None:
    end = kept_and_due(home, str(noise(5000)))["ends_epoch"]
    database = sqlite3.connect(home.catalogue_path)
    with database:
        database.execute("DELETE FROM meta")  # the network's time was never known here
    database.close()
    network.supernode.kill()
    with Popen(command("--home", home.directory, "keep"), stdout=PIPE, stderr=PIPE) as service:
        try:
            assert service.stderr is not None
            assert service.stderr.readline().startswith(b"later: ")
            network.supernode.revive()
            renewed = "its renewal"
            until(lambda: (answer(home.directory, "ls")[0]["ends_epoch"] or 0) > end, renewed)
        finally:
            service.kill()


async def test_a_wallet_with_few_coins_keeps_a_file_for_what_they_buy(
    home: Home, network: RealNetwork, noise: Noise
) -> None:
    poor = home.directory.parent / "poor"
    made = answer(poor, "wallet", "new", "--network", str(network.network_file))
    cybervein(home.directory, "wallet", "send", made["address"], "0.02", "--yes")
    answer(poor, "put", str(noise(5000)), "--name", "a", "--epochs", "30", "--code", "2/4")
    answer(poor, "keep", "a", "--epochs", "9000")
    async with AsyncClient(Home(poor)) as client:
        price = next_price(
            (await client.watch.look(client.files()))[0], client.network.genesis.preset
        )
    friend = address(KeyPair(b"\x47" * 32).public)
    left = answer(poor, "wallet", "show")["balance"] - price // 2 - 30_000
    cybervein(poor, "wallet", "send", friend, f"0.{left:09d}", "--yes")
    [kept] = answer(poor, "keep", "--once")
    assert 9000 // 10 <= kept["renewed_epochs"] < 9000
    assert kept["problem"] is None
