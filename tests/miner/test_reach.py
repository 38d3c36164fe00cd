"""What a miner wants reaches the ledger, and a miner that nobody reaches says so."""

import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cybervein_miner.chain.clock import NetworkClock
from cybervein_miner.chain.paid import PaidEpochs
from cybervein_miner.chain.reach import Reach
from cybervein_miner.chain.standing import Standing
from cybervein_protocol.api.super_node.miners import NOT_ASKED, FullMinerDocument
from cybervein_protocol.presets import TEST
from cybervein_protocol.signing import KeyPair, address
from documents import made
from ports import free_ports
from services import Service, get_json, miner, super_node
from structlog.testing import capture_logs
from waiting import DEADLINE_SECONDS, until

FIRST, SECOND = (address(KeyPair(bytes([digit]) * 32).public) for digit in (0x31, 0x32))
DECLARED = ("url", "payout", "group", "owner")
URL = "http://127.0.0.1:7070"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    running = super_node(tmp_path_factory.mktemp("network") / "sn", 2)
    running.start()
    yield running
    running.kill()


def a_miner(folder: Path, node: Service, *options: str) -> Service:
    return miner(folder, node.run_file.with_name("network.json"), "--plots", "0", *options)


def ledger(node: Service, worker: Service) -> Any:
    return get_json(f"{node.url}/v1/miners/{worker.status()['address']}")


def settled(worker: Service) -> bool:
    """The ledger has what the miner wants, as the miner itself tells."""
    status = worker.status()
    fact = status["ledger"]
    return fact is not None and all(status[name] == fact[name] for name in DECLARED)


def test_a_new_port_payout_or_url_reaches_the_ledger(tmp_path: Path, node: Service) -> None:
    worker = a_miner(tmp_path, node, "--payout", FIRST)
    worker.start()
    until(lambda: settled(worker), "the registration")
    first = worker.url
    assert (ledger(node, worker)["url"], ledger(node, worker)["payout"]) == (first, FIRST)
    worker.stop()
    [worker.port] = free_ports(1)
    worker.start("--payout", SECOND)
    until(lambda: settled(worker), "the new port and payout account")
    assert worker.url != first
    assert (ledger(node, worker)["url"], ledger(node, worker)["payout"]) == (worker.url, SECOND)
    worker.stop()
    other = worker.url.replace("127.0.0.1", "localhost")
    worker.start("--payout", SECOND, "--url", other)
    until(lambda: settled(worker), "the new URL")
    assert ledger(node, worker)["url"] == other
    until(lambda: worker.status()["reach"] == reached(other), "the super node to use it")
    until(lambda: worker.status()["problem"] == "", "no problem is left")


def reached(url: str) -> dict[str, object]:
    return {"reached": True, "url": url, "reason": ""}


def test_a_miner_that_nobody_reaches_says_so_until_somebody_does(
    tmp_path: Path, node: Service
) -> None:
    [closed] = free_ports(1)
    url = f"http://127.0.0.1:{closed}"
    worker = a_miner(tmp_path, node, "--url", url)
    worker.start()
    until(lambda: worker.status()["reach"]["reached"] is False, "the super node's word")
    said = f"super node cannot reach you at {url}: "
    assert worker.status()["problem"].startswith(said)
    assert any(reason.startswith(said) for reason in get_json(f"{worker.url}/readyz")["reasons"])
    assert "super node cannot reach you" in worker.log.read_text()
    with open_door(closed, worker.url):
        until(lambda: worker.status()["reach"] == reached(url), "the super node to get through")
    assert "super node reaches you" in worker.log.read_text()
    assert worker.log.read_text().count("super node cannot reach you") == 1, "a change, no flood"
    until(lambda: worker.status()["problem"].startswith(said), "the closed door to be told")
    assert worker.log.read_text().count("super node cannot reach you") == 2


@contextmanager
def open_door(port: int, url: str) -> Iterator[None]:
    """What answers at that port as the server at `url` does."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with urllib.request.urlopen(url + self.path, timeout=DEADLINE_SECONDS) as answer:  # noqa: S310
                body = answer.read()
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Door)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


def a_standing(now: float = 1000.0) -> Standing:
    """Of a miner that serves since `now`, on a wall clock that says the same."""
    reach = Reach(NetworkClock(lambda: now, lambda: now))
    reach.begin()
    return Standing(reach, PaidEpochs(TEST), url=URL, payout=FIRST, group="g", owner="o")


def view(**fields: object) -> FullMinerDocument:
    known = {"url": URL, "payout": FIRST, "group": "g", "owner": "o"}
    seen = {"online": True, "asked": 1001.0, "asked_url": URL}
    return made(FullMinerDocument, **(known | seen | fields))


def test_wish_and_fact_are_both_told_while_they_differ() -> None:
    standing = a_standing()
    assert standing.due(), "nothing was heard yet"
    standing.see(view())
    assert (standing.due(), standing.problems()) == (False, [])
    standing = a_standing()  # after a restart with another --payout
    standing.see(view(payout=SECOND))
    assert standing.due()
    [problem] = standing.problems()
    assert FIRST in problem
    assert SECOND in problem


def test_what_no_unit_changes_is_told_once_and_asks_nothing_of_the_ledger() -> None:
    standing = a_standing()
    with capture_logs() as lines:
        for _ in range(3):
            standing.see(view(group="another"))
    [line] = [each for each in lines if "registration" in each["event"]]
    assert (line["wanted"], line["ledger"]) == ({"group": "g"}, {"group": "another"})
    assert (standing.due(), standing.problems()) == (False, [])


@pytest.mark.parametrize(
    "old",
    [
        {"asked": 999.0},
        {"asked": 1001.0, "asked_url": "http://127.0.0.1:1"},
        {"asked": 0.0, "asked_url": ""},
    ],
)
def test_an_answer_of_before_or_of_elsewhere_is_no_verdict(old: dict[str, object]) -> None:
    standing = a_standing()
    standing.see(view(online=False, unreachable="refused", **old))
    assert standing.reach.reached is None
    assert standing.problems() == []
    assert standing.due(), "the verdict is waited for"


def test_a_super_node_of_the_version_before_is_understood() -> None:
    standing = a_standing()
    for online, why, verdict in [(True, "", True), (False, "no", False), (False, NOT_ASKED, None)]:
        fields = {"online": online, "unreachable": why, "url": URL, "payout": FIRST}
        standing.see(made(FullMinerDocument, **fields))
        assert standing.reach.reached is verdict


@pytest.mark.parametrize(
    ("url", "advice"),
    [("http://127.0.0.1:7070", "--host 0.0.0.0"), ("https://miner.example:7070", "router")],
)
def test_the_next_step_fits_the_address(url: str, advice: str) -> None:
    standing = a_standing()
    standing.url = url
    standing.see(view(url=url, asked_url=url, online=False, unreachable="connection refused"))
    [problem] = standing.problems()
    assert problem.startswith(f"super node cannot reach you at {url}: connection refused; ")
    assert advice in problem
