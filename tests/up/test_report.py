"""The scripted run's report: it is good only if something was checked and everything held."""

import json

from cybervein_up.report import CHUNK_BYTES, RunReport
from cybervein_up.snapshot import MinerState, Snapshot
from cybervein_up.watch import Holding, Proofs

SUPPLY = {"genesis": 10, "minted": 5, "held": 9, "escrowed": 3, "bonded": 2, "burnt": 1}
SEGMENT = 256 * CHUNK_BYTES


def stored(size: int) -> RunReport:
    report = RunReport(size, segment_bytes=SEGMENT, deal_segments=64)
    report.stored({"deals": ["first", "second"], "code": "2/6"}, 2.0)
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
