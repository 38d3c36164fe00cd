"""No encoder, parser or state transition goes without a Hypothesis test.

Public functions that read bytes, text or files, or that write what they read, are discovered by
introspection; what changes state is listed below. Each must be reached by a property, see
`hypothesis_coverage`. Records are discovered too, and each is drawn and damaged in
tests/hostile/test_every_record.py.
"""

import ast
import re
from pathlib import Path

import pytest
from cybervein_client.catalogue import Catalogue
from cybervein_client.download.race import first_k
from cybervein_client.upload.budget import ByteBudget
from cybervein_client.upload.plan import plan_deal
from cybervein_miner.disk.disk import Disk
from cybervein_miner.disk.rack import Rack
from cybervein_miner.plot.inventory import Inventory
from cybervein_miner.plot.policy import plots_to_give_way, plots_wanted
from cybervein_miner.record.journal import Journal
from cybervein_miner.shard.orders import OrderBook
from cybervein_miner.shard.store import ShardStore
from cybervein_miner.shard.tidy import tidy
from cybervein_miner.shard.trash import Trash
from cybervein_protocol.audit import draw_samples
from cybervein_protocol.ledger.chain.kinds import KINDS
from cybervein_protocol.ledger.chain.machine import StateMachine
from cybervein_protocol.ledger.chain.replay import replay
from cybervein_protocol.ledger.mining.contribution import average_bandwidth, reward_share, weight
from cybervein_protocol.ledger.state import smt
from cybervein_protocol.ledger.state.overlay import MemoryStore, Overlay
from cybervein_protocol.placement import place
from cybervein_protocol.space.measure import estimate_plots, measured_space
from cybervein_supernode.api.limits import Buckets
from cybervein_supernode.chain.row_store import RowStore
from cybervein_supernode.clock.timeline import resume
from cybervein_supernode.engine.mempool import Mempool
from cybervein_supernode.verify.evidence import EvidenceStore
from discovery import public_functions
from hypothesis_coverage import everything_exercised

READS = re.compile(r"(parse|decode|load|read|encode|verify)(_|$)|\w+_(from|of)_(header|bytes)$")

INSIDE = {
    "cybervein_protocol.tree.slices.verify_slice": "cybervein_protocol.tree.verify_slice",
    "cybervein_protocol.coding.segment.encode": "cybervein_protocol.coding.encode_segment",
    "cybervein_protocol.coding.segment.decode": "cybervein_protocol.coding.decode_stripes",
    "cybervein_protocol.coding.reed_solomon.encode": "cybervein_protocol.coding.rs_encode",
    "cybervein_protocol.coding.reed_solomon.decode": "cybervein_protocol.coding.rs_decode",
}
"""The specification behind a public function: its properties run with native code off, too."""

NO_READERS = {
    "cybervein_supernode.cli.verify": "a command; calls verify_export and verify_data",
    "cybervein_supernode.verify.replaying.verify_data": "replays rows of our own database",
}

READERS = {
    name: value for name, value in public_functions().items() if READS.match(name.split(".")[-1])
}


@pytest.fixture(scope="module")
def exercised() -> set[int]:
    return everything_exercised()


def test_exemptions_are_of_functions_that_exist() -> None:
    assert READERS.keys() >= {*INSIDE, *NO_READERS}
    assert set(INSIDE.values()) <= public_functions().keys()


@pytest.mark.parametrize("name", sorted(READERS.keys() - NO_READERS.keys()))
def test_reader_has_a_property(name: str, exercised: set[int]) -> None:
    reader = public_functions()[INSIDE.get(name, name)]
    assert id(reader) in exercised, f"no property names {name}: write one in tests/hostile"


TRANSITIONS = {
    "a block of units": StateMachine,
    "a replay of blocks": replay,
    "rows on top of each other": Overlay,
    "rows in memory": MemoryStore,
    "rows on disk": RowStore,
    "the state's tree": smt.update,
    "the place of a shard": place,
    "the sample of an audit": draw_samples,
    "the estimate of space": estimate_plots,
    "the window of space": measured_space,
    "the average of bandwidth": average_bandwidth,
    "the weight of a miner": weight,
    "the share of a reward": reward_share,
    "units that wait": Mempool,
    "requests of an address": Buckets,
    "an epoch's timeline": resume,
    "evidence": EvidenceStore,
    "the miner's database": Journal,
    "the miner's disks": Rack,
    "one disk": Disk,
    "shards held": ShardStore,
    "shards thrown away": Trash,
    "a start after a crash": tidy,
    "bytes used of an order": OrderBook,
    "the list of plots": Inventory,
    "how many plots to make": plots_wanted,
    "which plots give way": plots_to_give_way,
    "files, deals and segments of a customer": Catalogue,
    "a plan of deals": plan_deal,
    "bytes in flight": ByteBudget,
    "a race of shards": first_k,
}
"""What has a state that changes; the public functions do not tell, so this list is by hand."""


@pytest.mark.parametrize("what", TRANSITIONS)
def test_transition_has_a_property(what: str, exercised: set[int]) -> None:
    assert id(TRANSITIONS[what]) in exercised, f"{what}: no property names {TRANSITIONS[what]}"


def test_any_history_of_the_ledger_has_every_kind_of_unit() -> None:
    source = ast.parse((Path(__file__).parents[1] / "ledger" / "test_any_history.py").read_text())
    [history] = [node for node in source.body if getattr(node, "name", "") == "History"]
    calls = [call.func for call in ast.walk(history) if isinstance(call, ast.Call)]
    made = {call.id for call in calls if isinstance(call, ast.Name)}
    made |= {"DealCommit" for call in calls if getattr(call, "attr", "") == "commit_body"}
    bodies = {kind.body.__name__ for kind in KINDS.values()}
    assert bodies - made == {"EpochClose"}, "epoch.close is the rule `close`"
