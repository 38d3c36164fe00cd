"""`mine` tells what it does, and `miner status` tells a person everything about it."""

import asyncio
import json
import os
import pty
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cybervein_miner.chain.paid import PaidEpochs
from cybervein_miner.cli.miner import MinerHere
from cybervein_miner.cli.next_step import NOTHING, next_step
from cybervein_miner.cli.quantities import size
from cybervein_miner.cli.screen import screen
from cybervein_miner.plot.forecast import Forecast, PlotsNow
from cybervein_protocol.api.miner.disks import DiskDocument
from cybervein_protocol.api.miner.status import LedgerDocument, ReachDocument, StatusDocument
from cybervein_protocol.api.super_node.epochs import PastContribution
from cybervein_protocol.api.super_node.miners import BatchDocument
from cybervein_protocol.errors import UnavailableError
from cybervein_protocol.presets import TEST
from cybervein_protocol.signing import KeyPair, address
from documents import made
from ports import free_ports
from rich.console import Console
from services import Service, command, miner, run, super_node
from structlog.testing import capture_logs
from waiting import until

PAYOUT = address(KeyPair(b"\x34" * 32).public)


@dataclass
class Earning:
    """A miner that is paid, with its super node."""

    node: Service
    worker: Service
    data: Path

    def told(self) -> Any:
        done = run("miner", "status", "--data", self.data, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def earning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Earning]:
    folder = tmp_path_factory.mktemp("earning")
    node = super_node(folder / "sn", 2)
    node.start()
    network = node.run_file.with_name("network.json")
    worker = miner(folder / "m", network, "--plots", "3", "--payout", PAYOUT, "--log-json")
    worker.start()
    running = Earning(node, worker, folder / "m" / "data")
    try:
        until(lambda: running.worker.status()["ledger"], "the registration")
        until(lambda: running.worker.status()["ledger"]["per_day"], "a reward")
        yield running
    finally:
        worker.kill()
        node.kill()


def events(worker: Service) -> dict[str, list[dict[str, Any]]]:
    """Lines of the log by their event."""
    found: dict[str, list[dict[str, Any]]] = {}
    for line in worker.log.read_text().splitlines():
        entry = json.loads(line)
        found.setdefault(entry["event"], []).append(entry)
    return found


def test_a_log_tells_the_way_from_the_start_to_the_first_reward(earning: Earning) -> None:
    log, status = events(earning.worker), earning.worker.status()
    [start] = log["miner starts"]
    own = (status["address"], status["url"], PAYOUT)
    assert (start["address"], start["url"], start["payout"]) == own
    assert (start["disks"], start["wanted"]) == ([status["disks"][0]["path"]], 3)
    plots = log["plot made"]
    counts = [each["plots"] for each in plots]  # two may be finished in one moment
    assert (counts, len(counts), counts[-1]) == (sorted(counts), 3, 3)
    assert {each["wanted"] for each in plots} == {3}
    assert plots[-1]["left_seconds"] == 0
    assert len(log["the ledger knows this miner"]) == 1
    assert sum(each["plots"] for each in log["plots count"]) == 3
    lost = len(log.get("super node cannot reach you", []))
    assert len(log["super node reaches you"]) in {lost, lost + 1}, "a change, no flood"
    assert log["space proof accepted"][-1]["plots"] <= 3
    assert all(float(each["coins"]) > 0 for each in log["epoch is paid"])
    assert all(each["why"] for each in log.get("epoch paid nothing", ()))
    epochs = [each["epoch"] for each in log["epoch is paid"]]
    assert len(set(epochs)) == len(epochs), "one line for an epoch"


def test_the_command_tells_the_ledgers_facts_and_the_next_step(earning: Earning) -> None:

    def content() -> Any:
        told = earning.told()
        return told["next"] == NOTHING and told

    told = until(content, "nothing to be left to do")
    ledger = told["ledger"]
    assert (ledger["payout"], told["problem"]) == (PAYOUT, "")
    assert ledger["per_day"] > 0
    assert ledger["space_bytes"] > 0
    assert (ledger["plots_active"], told["plots_by_state"]["active"]) == (3, 3)
    done = run("miner", "status", "--data", earning.data, environment={"COLUMNS": "80"})
    assert max(map(len, done.stdout.splitlines())) <= 80
    for text in (told["address"], "coins a day", "yes, by the super node", "next: "):
        assert text in done.stdout


def test_the_root_option_for_json_is_the_same(earning: Earning) -> None:
    done = run("--json", "miner", "status", "--data", earning.data)
    assert json.loads(done.stdout)["address"] == earning.told()["address"]


def test_watching_shows_it_again_and_again_until_it_is_interrupted(earning: Earning) -> None:
    line = command("miner", "status", "--data", earning.data, "--watch", "--json")
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        looks = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.send_signal(2)
        assert process.wait() == 130
    assert looks[1]["uptime_seconds"] > looks[0]["uptime_seconds"]


def test_on_a_terminal_it_is_drawn_in_place(earning: Earning) -> None:
    ours, theirs = pty.openpty()
    line = command("miner", "status", "--data", earning.data, "--watch")
    drawn = b""
    with subprocess.Popen(line, stdout=theirs, stderr=subprocess.DEVNULL) as process:
        os.close(theirs)
        while drawn.count(b"next: ") < 2:
            drawn += os.read(ours, 65536)
        process.send_signal(2)
    os.close(ours)
    assert b"\x1b[1A" in drawn, "the cursor goes back up"


def test_where_nobody_mines_the_next_step_is_said(tmp_path: Path) -> None:
    done = run("miner", "status", "--data", tmp_path)
    assert (done.returncode, len(done.stderr.splitlines())) == (4, 1)
    assert "start it with cybervein mine" in done.stderr


def test_without_a_data_directory_the_default_port_is_asked(tmp_path: Path) -> None:
    [port] = free_ports(1)
    here = MinerHere(None, f"http://127.0.0.1:{port}")
    with pytest.raises(UnavailableError, match="name its --data"):
        asyncio.run(here.ask())
    assert MinerHere(tmp_path).default == "http://127.0.0.1:7070"


def disk(state: str = "ready", reason: str = "") -> DiskDocument:
    return made(DiskDocument, path="/mnt/a", state=state, reason=reason)


def reached(*, yes: bool, reason: str = "") -> ReachDocument:
    return ReachDocument(reached=yes, url="http://m", reason=reason)


def told(**fields: Any) -> StatusDocument:
    """A miner that lacks nothing, but for these fields."""
    paid = {"space_bytes": 1, "bytes_per_second": 1, "per_day": 1, "coin_decimals": 9}
    ledger = made(LedgerDocument, url="http://m", **paid)
    well = {"disks": [disk()], "super_node_reachable": True, "registered": True, "plots": 2}
    well |= {"plots_wanted": 2, "plots_by_state": {"active": 2}, "last_proved_epoch": 3}
    well |= {"ledger": ledger, "reach": reached(yes=True), "url": "http://m"}
    return made(StatusDocument, **(well | fields))


@pytest.mark.parametrize(
    ("fields", "step"),
    [
        ({}, NOTHING),
        ({"disks": []}, "no disk was given"),
        ({"disks": [disk("missing", "not mounted")]}, "mount or mend a disk: /mnt/a is missing"),
        ({"disks": [disk(), disk("missing", "")]}, "lost for good: cybervein disk remove --force"),
        ({"disks": [disk(), disk("quarantined", "I/O")]}, "look at a disk: /mnt/a is quarantined"),
        ({"super_node_reachable": False}, "wait for the super node"),
        ({"problem": "super node cannot reach you at http://m: no"}, "mend this: super node"),
        ({"registered": False}, "registers as soon as"),
        ({"plots": 0, "plots_wanted": 0}, "give it plots"),
        (
            {"plots_wanted": 5, "plotting_left_seconds": 7200.0},
            "wait: 2 of 5 plots are made, about 2 h left",
        ),
        ({"plots_by_state": {"pending": 2}}, "commit audit"),
        ({"plots_by_state": {"active": 1, "void": 1}}, "1 plots are void"),
        ({"last_proved_epoch": None}, "the first proof"),
        ({"ledger": made(LedgerDocument)}, "space and bandwidth are measured"),
        ({"ledger": made(LedgerDocument, space_bytes=1, bytes_per_second=1)}, "first reward"),
        ({"draining": True, "held_shards": 4}, "4 shards still have to leave"),
        ({"draining": True, "drained": True}, "drained: stop it"),
    ],
)
def test_the_next_step_is_the_first_thing_that_is_missing(fields: Any, step: str) -> None:
    assert step in next_step(told(**fields))


def test_a_disk_that_says_what_to_do_is_told_nothing_else() -> None:
    aside = disk("missing", "it is empty; say `cybervein disk add /mnt/a --as-new`")
    assert "--force" not in next_step(told(disks=[disk(), aside]))


def drawn(document: StatusDocument, columns: int = 80) -> str:
    console = Console(width=columns, no_color=True)
    with console.capture() as captured:
        console.print(screen(document))
    return captured.get()


def test_wish_and_fact_stand_side_by_side_where_they_differ() -> None:
    assert "the ledger has" not in drawn(told())
    assert "http://new (the ledger has http://m)" in drawn(told(url="http://new"))
    assert "no: refused" in drawn(told(reach=reached(yes=False, reason="refused")))


def test_the_page_of_a_miner_of_the_version_before_is_shorter() -> None:
    old = made(StatusDocument, url="http://m", disks=[disk()])
    assert "the super node has not tried yet" in drawn(old)
    assert "coins a day" not in drawn(old)


def test_why_a_disk_is_as_it_is_has_a_line_of_its_own() -> None:
    lines = [
        line.rstrip() for line in drawn(told(disks=[disk("missing", "no marker")])).splitlines()
    ]
    assert "/mnt/a: no marker" in lines


def test_a_path_with_brackets_is_shown_as_it_is() -> None:
    odd = made(DiskDocument, path="/mnt/[bold]x[/bold]", state="ready")
    assert "/mnt/[bold]x[/bold]" in drawn(told(disks=[odd])).replace("\n", "")


def test_a_day_is_reckoned_from_the_epochs_that_were_paid() -> None:
    paid = PaidEpochs(TEST)
    assert paid.per_day() is None
    past = [made(PastContribution, epoch=7 - i, reward=10, fees=i) for i in range(2)]
    with capture_logs() as lines:
        paid.see(past)
        paid.see(past)
    pairs_a_day = 24 * 3600 // (2 * TEST.epoch_seconds)
    assert paid.per_day() == (10 + 0 + 10 + 1) * pairs_a_day
    assert [line["epoch"] for line in lines] == [7], "one line for an epoch"


EARLY = {"batch": "b", "registered": 1, "plots": 3, "reason": ""}


@pytest.mark.parametrize(
    ("entry", "batch", "why"),
    [
        ({}, None, "no plot counted in it; none is registered"),
        ({}, {"state": "pending", "live": 3}, "the epoch after the commit audit is the first"),
        ({}, {"state": "active", "live": 3, "counts_from": 8}, "epoch 8 is the first that can"),
        ({}, {"state": "void", "live": 3}, "none is registered"),
        ({}, {"state": "active", "live": 3, "counts_from": 7}, "no space proof was accepted"),
        ({"estimate": 3}, {"state": "active", "live": 3, "counts_from": 7}, "bandwidth is not"),
        (
            {"estimate": 3, "bandwidth": 1},
            {"state": "active", "live": 3, "counts_from": 7},
            "less than a reward takes",
        ),
    ],
)
def test_an_epoch_that_paid_nothing_says_what_was_missing_once(
    entry: dict[str, int], batch: dict[str, Any] | None, why: str
) -> None:
    paid = PaidEpochs(TEST)
    batches = [] if batch is None else [made(BatchDocument, **EARLY | batch)]
    with capture_logs() as lines:
        for epoch in (7, 7 if "epoch 8" in why else 9):
            paid.see([made(PastContribution, epoch=epoch, **entry)], batches)
        paid.see([made(PastContribution, epoch=10, reward=5)], batches)
    assert [line["event"] for line in lines] == ["epoch paid nothing", "epoch is paid"]
    assert why in lines[0]["why"]


def test_time_left_follows_the_plots_that_were_made() -> None:
    now = 0.0
    forecast = Forecast(lambda: now)
    assert forecast.left_seconds(PlotsNow(0, 4)) is None
    forecast.begin()
    now = 50.0
    assert forecast.left_seconds(PlotsNow(0, 4, (0.0,))) is None, "nothing is done yet"
    assert forecast.left_seconds(PlotsNow(0, 4, (0.5,))) == pytest.approx(350)
    now = 100.0
    with capture_logs() as lines:
        forecast.finish(PlotsNow(1, 4), 0, "/mnt/a")
    assert lines[0] == {
        "log_level": "info", "event": "plot made", "plot": 0, "disk": "/mnt/a", "plots": 1,
        "wanted": 4, "left_seconds": 300,
    }  # fmt: skip
    forecast.tell(PlotsNow(1, 4))
    assert forecast.left_seconds(PlotsNow(1, 4)) is None, "it is measured anew"


def test_progress_is_told_once_a_minute_however_often_it_is_looked_at() -> None:
    now = 0.0
    forecast = Forecast(lambda: now)
    forecast.begin()
    with capture_logs() as lines:
        for second in range(150):
            now = float(second)
            forecast.tell(PlotsNow(0, 2, (second / 300, 0.0)))
    assert [(line["event"], line["percent"]) for line in lines] == [
        ("plotting", [20, 0]),
        ("plotting", [40, 0]),
    ]
    assert [line["left_seconds"] for line in lines] == [540, 480]


def test_sizes_are_words_of_people() -> None:
    assert [size(each) for each in (0, 1 << 20, 3 << 29, 5 << 40)] == [
        "0.0 MiB",
        "1.0 MiB",
        "1.50 GiB",
        "5.00 TiB",
    ]
