"""Two processes of one identity with one URL and payout: both are told, and which one to stop."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cybervein_miner.chain.clock import NetworkClock
from cybervein_miner.chain.naming import EACH_SECONDS, SelfNaming
from cybervein_miner.chain.paid import PaidEpochs
from cybervein_miner.chain.reach import Reach
from cybervein_miner.chain.standing import Standing
from cybervein_miner.chain.twin import OLDER, Twin
from cybervein_protocol.api.super_node.miners import FullMinerDocument
from cybervein_protocol.errors import UnavailableError
from cybervein_protocol.presets import TEST
from cybervein_protocol.signing import KeyPair
from documents import made
from services import Service, get_json, miner, super_node
from structlog.testing import capture_logs
from waiting import until

URL = "http://127.0.0.1:7070"
BEGAN = 1000.0
Heard = dict[str, object]


def a_standing() -> Standing:
    """Of the process `ours`, which serves since `BEGAN`."""
    reach = Reach(NetworkClock(lambda: BEGAN, lambda: BEGAN))
    reach.begin()
    return Standing(reach, PaidEpochs(TEST), url=URL, twin=Twin("ours"))


def heard(name: str, at: float = BEGAN + 1) -> Heard:
    return {"name": name, "heard": at}


def view(instance: str = "ours", *named: Heard, **fields: object) -> FullMinerDocument:
    known = {"url": URL, "online": True, "asked": BEGAN + 1, "asked_url": URL}
    seen = {"instance": instance, "instances": list(named)}
    return made(FullMinerDocument, **(known | seen | fields))


@pytest.mark.parametrize(
    ("told", "stop"),
    [
        (view("theirs"), f"{URL} leads to the other, so stop this one"),
        (view("ours", heard("theirs")), f"{URL} leads to this one, so stop the other"),
        (view("", heard("theirs"), online=False), f"{URL} leads to neither, so stop one"),
        (view(""), "leads to the other, so stop this one"),
    ],
)
def test_who_is_to_stop_follows_from_where_the_url_leads(
    told: FullMinerDocument, stop: str
) -> None:
    standing = a_standing()
    with capture_logs() as lines:
        standing.see(told)
        standing.see(told)
    [problem] = [each for each in standing.problems() if "identity" in each]
    assert stop in problem
    assert ("theirs" in problem or OLDER in problem, "ours" in problem) == (True, True)
    assert [line["its"] for line in lines if line["log_level"] == "error"] == [
        "theirs" if "theirs" in problem else OLDER
    ], "once, not with every look"
    assert standing.twin.seen, "nothing is retired for plots that may be on the other machine"


@pytest.mark.parametrize(
    "told",
    [
        view("ours"),
        view("ours", heard("ours")),
        view("before", asked=BEGAN - 1),
        view("ours", heard("before", at=BEGAN - 1)),
        view("", online=False, unreachable="refused"),
        made(FullMinerDocument, url=URL, online=True, asked=BEGAN + 1, asked_url=URL),
    ],
)
def test_a_process_alone_is_not_taken_for_two(told: FullMinerDocument) -> None:
    """Nor with the traces of its own last start, nor by a super node that knows no names."""
    standing = a_standing()
    standing.see(told)
    assert not standing.twin.seen
    assert standing.twin.problem() == ""


def test_one_that_has_ended_is_forgotten_and_that_is_said() -> None:
    standing = a_standing()
    standing.see(view("ours", heard("theirs")))
    with capture_logs() as lines:
        standing.see(view("ours"))
    assert standing.twin.problem() == ""
    assert [line["was"] for line in lines] == ["theirs"]


class Ears:
    """A super node that takes names, or not."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.deaf = False

    async def name_own(self, _: KeyPair, name: str) -> None:
        if self.deaf:
            raise UnavailableError("away")
        self.heard.append(name)


async def test_only_a_process_that_its_url_does_not_lead_to_names_itself_once_a_minute() -> None:
    now = BEGAN
    reach = Reach(NetworkClock(lambda: now, lambda: now))
    reach.begin()
    standing, ears = Standing(reach, PaidEpochs(TEST), url=URL, twin=Twin("ours")), Ears()
    naming = SelfNaming(ears, KeyPair(b"1" * 32), standing)  # type: ignore[arg-type]
    for told, names in [(view("ours"), 0), (view("theirs"), 1), (view("theirs"), 1)]:
        standing.see(told)
        await naming.tell()
        assert len(ears.heard) == names
    now += EACH_SECONDS
    ears.deaf = True
    await naming.tell()
    ears.deaf = False
    await naming.tell()
    assert ears.heard == ["ours", "ours"], "what failed is told the next time"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Service]:
    running = super_node(tmp_path / "sn", 2)
    running.start()
    yield running
    running.kill()


def test_two_machines_with_one_identity_url_and_payout_are_both_told(
    node: Service, tmp_path: Path
) -> None:
    network = tmp_path / "sn" / "network.json"
    first = miner(tmp_path / "first", network, "--plots", "1")
    first.start()
    until(lambda: on_ledger(node, first)["plots_active"] == 1, "its plot to count")
    (tmp_path / "copy" / "data").mkdir(parents=True)
    shutil.copy2(tmp_path / "first" / "data" / "identity.json", tmp_path / "copy" / "data")
    copy = miner(tmp_path / "copy", network, "--plots", "0", "--url", first.url)
    copy.start()
    names = [each.status()["instance"] for each in (first, copy)]
    assert len(set(names)) == 2
    words = f"{first.url} leads to the other, so stop this one"
    until(lambda: words in copy.status()["problem"], "the copy to be told", diagnose=copy.tail)
    words = f"{first.url} leads to this one, so stop the other"
    until(lambda: words in first.status()["problem"], "the first to be told", diagnose=first.tail)
    assert names[1] in first.status()["problem"]
    assert f"instance={names[1]}" in copy.log.read_text(), "the log of each says which it is"
    assert on_ledger(node, first)["plots"] == 1
    copy.stop()
    first.stop()


def on_ledger(node: Service, worker: Service) -> Any:
    return get_json(f"{node.url}/v1/miners/{worker.status()['address']}")
