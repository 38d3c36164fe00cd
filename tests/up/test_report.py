"""The scripted run's report: it is good only if something was checked and everything held."""

import json
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from cybervein_protocol.presets import LOCAL
from cybervein_up.facts import MovedShard, machine_of, why_missed
from cybervein_up.report import CHUNK_BYTES, RunReport
from cybervein_up.snapshot import MinerState, Snapshot
from cybervein_up.watch import Holding, Proofs

SUPPLY = {"genesis": 10, "minted": 5, "held": 9, "escrowed": 3, "bonded": 2, "burnt": 1}
SEGMENT = 256 * CHUNK_BYTES


def stored(size: int) -> RunReport:
    report = RunReport(size, segment_bytes=SEGMENT, deal_segments=64)
    report.stored(
        {"deals": ["first", "second"], "code": "2/6", "price": 1_500_000_000, "epochs": 9}, 2.0
    )
    return report


def living(name: str, *, proofs: int = 3, rewards: int = 9) -> MinerState:
    return MinerState(name, "cv", "", "", running=True, proofs=proofs, rewards=rewards)


def network(*miners: MinerState, supply: dict[str, int] | None = None) -> Snapshot:
    return Snapshot(6, 1, 40, "ab", supply or SUPPLY, miners)


def test_a_report_without_checks_is_not_good() -> None:
    assert not RunReport(1).ok


def test_one_check_that_failed_spoils_it() -> None:
    report = RunReport(1)
    report.check("one", ok=True)
    assert report.ok
    report.check("two", ok=False)
    assert not report.ok


def test_a_miner_without_a_proof_or_reward_spoils_it() -> None:
    for lazy in (living("miner-2", proofs=0), living("miner-2", rewards=0)):
        report = stored(1)
        report.network(network(living("miner-1"), lazy), Proofs(3, 0), [])
        assert not report.ok


def test_a_supply_that_does_not_add_up_spoils_it() -> None:
    report = stored(1)
    report.network(network(living("a"), supply={**SUPPLY, "held": 8}), Proofs(), [])
    assert not report.ok


def test_a_segments_place_in_the_file_follows_from_its_deal_and_number() -> None:
    report = stored(100 * SEGMENT + 5)
    first = report.segment(Holding("first", 3, 0, "ab", "cv"))
    assert (first.start, first.stop, first.k) == (3 * SEGMENT, 4 * SEGMENT, 2)
    last = report.segment(Holding("second", 36, 0, "ab", "cv"))
    assert (last.start, last.stop) == (100 * SEGMENT, 100 * SEGMENT + 5)


def test_the_document_is_json_with_all_figures_that_were_promised() -> None:
    report = stored(1000)
    report.fetched(0.5)
    report.network(network(living("miner-1")), Proofs(5, 1), [])
    document = json.loads(json.dumps(report.document()))
    assert document["ok"]
    assert document["proofs"] == {"accepted": 5, "missed": 1}
    assert document["rewards"] == {"miner-1": 9}
    assert document["supply"] == SUPPLY
    assert (document["put_bytes_per_second"], document["get_bytes_per_second"]) == (500, 2000)
    promised = {"plots", "plot_bytes", "stored_bytes", "audits", "repair_seconds", "shards_rebuilt"}
    assert promised <= document.keys()


def test_the_document_says_what_ran_where_and_what_it_cost(tmp_path: Path) -> None:
    report = stored(1000)
    report.machine, report.preset = machine_of(tmp_path), LOCAL
    report.fetched(0.5)
    report.moved = [MovedShard("first", 0, 3, "ab", "miner-1", "miner-2")]
    document = json.loads(json.dumps(report.document()))
    assert document["version"] == version("cybervein")
    assert document["machine"]["cores"] >= 1
    assert document["machine"]["memory_bytes"] > 1 << 20
    assert document["machine"]["disk_bytes"] >= document["machine"]["disk_free_bytes"]
    assert document["preset"]["name"] == "local"
    assert document["cost"] == {"veins": 1_500_000_000, "coins": "1.5", "epochs": 9}
    assert document["seconds"] == {"put": 2.0, "get": 0.5}
    assert (document["shards_rebuilt"], document["moved"][0]["held_by"]) == (1, "miner-2")


def test_the_supply_is_told_as_an_equation() -> None:
    report = stored(1)
    report.network(network(living("miner-1")), Proofs(), [])
    [supply] = [each.detail for each in report.checks if each.what == "the supply adds up"]
    assert supply == "genesis 10 + minted 5 = held 9 + escrowed 3 + bonded 2 + burnt 1 veins"


def test_a_missed_proof_has_a_reason() -> None:
    late = replace(living("miner-1"), proofs_missed=2, problem="disk /a answers late")
    assert why_missed(late, killed="miner-1") == "the run had killed it"
    assert "disk /a answers late (by its own count 2 missed" in why_missed(late, killed="miner-2")
    assert "its process had ended" in why_missed(replace(late, running=False), killed="")
