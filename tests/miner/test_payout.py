"""Who is paid stays who is paid until another is asked for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cybervein_miner.chain.clock import NetworkClock
from cybervein_miner.chain.paid import PaidEpochs
from cybervein_miner.chain.reach import Reach
from cybervein_miner.chain.standing import Standing
from cybervein_miner.node.payout import asked_payout
from cybervein_miner.node.settings import Settings
from cybervein_protocol.api.super_node.miners import FullMinerDocument
from cybervein_protocol.errors import MalformedError
from cybervein_protocol.names import PublicKey
from cybervein_protocol.presets import TEST
from cybervein_protocol.signing import KeyPair, address
from documents import made
from miner_world import World, settings_of
from services import Service, get_json, miner, run, super_node
from structlog.testing import capture_logs
from waiting import until

OWN, FIRST, SECOND = (KeyPair(bytes([digit]) * 32).public for digit in (0x31, 0x32, 0x33))


def asked(settings: Settings, payout: PublicKey | None = None, *, own: bool = False) -> Any:
    """The account, and the events of such a start."""
    given = Settings(settings.data, settings.network, payout=payout, own_payout=own)
    with capture_logs() as lines:
        return asked_payout(given, OWN), [line["event"] for line in lines]


def test_what_was_asked_for_last_stays_and_a_change_is_said(world: World, tmp_path: Path) -> None:
    settings = settings_of(world, tmp_path)
    settings.data.mkdir()
    stays, changed = "payout stays as it was asked for", "payout is changed"
    assert asked(settings) == (None, []), "nothing was ever asked for"
    assert asked(settings, FIRST) == (FIRST, [])
    assert asked(settings) == (FIRST, [stays])
    assert asked(settings, SECOND) == (SECOND, [changed])
    assert asked(settings, SECOND) == (SECOND, [])
    assert asked(settings, own=True) == (OWN, [changed])
    assert asked(settings) == (OWN, [])


def test_a_damaged_note_pays_nobody_else_and_is_mended_by_asking(
    world: World, tmp_path: Path
) -> None:
    settings = settings_of(world, tmp_path)
    settings.data.mkdir()
    settings.payout_file.write_text("cvnobody\n")
    with pytest.raises(MalformedError, match=r"payout\.address: .*once with --payout ADDRESS"):
        asked(settings)
    assert asked(settings, FIRST) == (FIRST, [])
    assert asked(settings)[0] == FIRST


def test_without_a_note_the_account_of_the_ledger_stays() -> None:
    standing = Standing(
        Reach(NetworkClock()), PaidEpochs(TEST), payout=address(OWN), payout_asked=False
    )
    standing.see(None)
    assert standing.payout == address(OWN), "an unknown miner is paid at its own account"
    standing.see(made(FullMinerDocument, payout=address(FIRST)))
    assert standing.payout == address(FIRST)
    assert standing.differs("payout") == []


def test_both_options_contradict_each_other(world: World, tmp_path: Path) -> None:
    line = ("mine", "--network", world.file, "--data", tmp_path / "d", "--disk", tmp_path)
    done = run(*line, "--payout", address(FIRST), "--own-payout")
    assert (done.returncode, "give --payout or --own-payout, not both" in done.stderr) == (2, True)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Service]:
    running = super_node(tmp_path / "sn", 2)
    running.start()
    yield running
    running.kill()


def test_a_start_that_forgets_the_option_goes_on_paying_the_wallet(
    node: Service, tmp_path: Path
) -> None:
    worker = miner(tmp_path / "m", tmp_path / "sn" / "network.json", "--plots", "0")
    worker.start("--payout", address(FIRST))
    assert paid(node, worker) == address(FIRST)
    note = tmp_path / "m" / "data" / "payout.address"
    for release in ("this", "one that kept no note"):
        worker.stop()
        if release != "this":
            note.unlink()
        worker.start()
        assert paid(node, worker) == address(FIRST), release
    worker.stop()
    worker.start("--own-payout")
    assert paid(node, worker) == worker.status()["address"]


def paid(node: Service, worker: Service) -> str:
    """Who is, once the ledger has what the miner wants."""

    def settled() -> bool:
        told = worker.status()
        return bool(told["ledger"] and told["ledger"]["payout"] == told["payout"])

    until(settled, "miner and ledger to agree")
    row = get_json(f"{node.url}/v1/miners/{worker.status()['address']}")
    return str(row["payout"])
