"""Bodies: each survives its encoding, and no bytes make one of another shape."""

from typing import Any

import pytest
from cybervein_protocol.encoding import Record, decode, encode, from_map, node_cid, to_map
from cybervein_protocol.errors import CyberVeinError, MalformedError
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.chain.kinds import KINDS
from cybervein_protocol.ledger.epochs.closing import EpochClose
from cybervein_protocol.ledger.mining.bodies import (
    MinerDrain,
    MinerRegister,
    MinerUpdate,
    PlotBatch,
    PlotEntry,
    PlotRetire,
    PlotVerdict,
)
from cybervein_protocol.ledger.mining.measurements import (
    AuditEntry,
    AuditResult,
    BandwidthEntry,
    BandwidthResult,
    SpaceEntry,
    SpaceResult,
)
from cybervein_protocol.ledger.storage.bodies import (
    DealClose,
    DealCommit,
    DealOpen,
    DealRenew,
    ShardLost,
    ShardMoved,
)
from cybervein_protocol.messages.deals import SegmentEntry, ShardEntry, Verification
from hypothesis import given
from hypothesis import strategies as st

KEY = st.binary(min_size=32, max_size=32)
SIG = st.binary(min_size=64, max_size=64)
PROOF = st.binary(min_size=80, max_size=80)
AMOUNT = st.integers(0, (1 << 63) - 1)
POSITIVE = st.integers(1, (1 << 63) - 1)
U8 = st.integers(0, 255)
U32 = st.integers(0, (1 << 32) - 1)
LABEL = st.text(st.characters(codec="ascii"), max_size=64)
URL = st.text(st.characters(codec="ascii"), min_size=1, max_size=256)
LINK = st.binary(max_size=4).map(node_cid)


def some(entries: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(entries, min_size=1, max_size=3)


PLOT = st.builds(PlotEntry, index=AMOUNT, kappa=KEY, gamma=KEY)
SPACE = st.builds(
    SpaceEntry,
    miner=KEY,
    sent=AMOUNT,
    estimate=AMOUNT,
    smallest=st.binary(min_size=8, max_size=8),
    vrf_proof=PROOF,
    evidence=KEY,
    miner_sig=SIG,
)
SPEED = st.builds(BandwidthEntry, miner=KEY, bytes_per_second=AMOUNT, evidence=KEY)
AUDIT = st.builds(
    AuditEntry,
    miner=KEY,
    outcome=st.sampled_from(["passed", "wrong", "timeout", "verifier"]),
    challenged=U32,
    good=U32,
    holding=KEY,
    evidence=KEY,
    miner_sig=st.just(b"") | SIG,
)
SHARD = st.builds(ShardEntry, root=KEY, miner=KEY, size=AMOUNT, receipt=SIG)
SEGMENT = st.builds(SegmentEntry, salt=KEY, size=AMOUNT, chunks=U32, shards=some(SHARD))
WORD = st.builds(Verification, id=KEY, super=KEY, sig=SIG)
BODIES: dict[str, st.SearchStrategy[Any]] = {
    "transfer": st.builds(Transfer, to=KEY, amount=POSITIVE, memo=LABEL),
    "miner.register": st.builds(
        MinerRegister, vrf=KEY, payout=KEY, url=URL, group=LABEL, owner=LABEL
    ),
    "miner.drain": st.builds(MinerDrain, draining=st.booleans()),
    "miner.update": st.builds(MinerUpdate, payout=KEY, url=URL),
    "plot.batch": st.builds(PlotBatch, plots=some(PLOT), bond=AMOUNT),
    "plot.retire": st.builds(PlotRetire, plots=some(KEY)),
    "plot.verdict": st.builds(
        PlotVerdict,
        batch=LINK,
        epoch=AMOUNT,
        passed=st.booleans(),
        reason=LABEL,
        evidence=KEY,
    ),
    "space.result": st.builds(SpaceResult, epoch=AMOUNT, results=some(SPACE)),
    "bandwidth.result": st.builds(BandwidthResult, epoch=AMOUNT, results=some(SPEED)),
    "audit.result": st.builds(AuditResult, epoch=AMOUNT, results=some(AUDIT)),
    "deal.open": st.builds(
        DealOpen, size=AMOUNT, segments=POSITIVE, k=U8, n=U8, epochs=POSITIVE, escrow=AMOUNT
    ),
    "deal.commit": st.builds(
        DealCommit,
        deal=LINK,
        repair=st.binary(max_size=99),
        segments=some(SEGMENT),
        verification=WORD,
    ),
    "deal.renew": st.builds(DealRenew, deal=LINK, epochs=POSITIVE, escrow=AMOUNT),
    "deal.close": st.builds(DealClose, deal=LINK),
    "shard.moved": st.builds(
        ShardMoved,
        deal=LINK,
        segment=U32,
        index=U8,
        from_=KEY,
        to=KEY,
        root=KEY,
        receipt=SIG,
    ),
    "shard.lost": st.builds(ShardLost, deal=LINK, segment=U32, index=U8, from_=KEY, reason=LABEL),
    "epoch.close": st.builds(EpochClose, epoch=AMOUNT, vrf_proof=PROOF),
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), 1 << 63) | st.binary() | LABEL | LINK,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(LABEL, inner, max_size=3),
    max_leaves=8,
)


def test_every_kind_is_tried_here() -> None:
    assert sorted(BODIES) == sorted(KINDS)


@pytest.mark.parametrize("kind", sorted(BODIES))
@given(data=st.data())
def test_a_body_survives_its_encoding(kind: str, data: st.DataObject) -> None:
    body: Record = data.draw(BODIES[kind])
    assert decode(encode(body), KINDS[kind].body, kind, 1 << 20) == body


@pytest.mark.parametrize("kind", sorted(BODIES))
@given(data=st.data())
def test_a_field_more_less_or_other_is_named(kind: str, data: st.DataObject) -> None:
    node = to_map(data.draw(BODIES[kind]))
    name = data.draw(st.sampled_from(sorted(node)))
    with pytest.raises(MalformedError, match=r"see docs/wire\.md"):
        from_map({key: value for key, value in node.items() if key != name}, KINDS[kind].body, kind)
    with pytest.raises(MalformedError, match="more"):
        from_map(node | {"more": 1}, KINDS[kind].body, kind)
    with pytest.raises(MalformedError, match=name):
        from_map(node | {name: 1.5}, KINDS[kind].body, kind)


@pytest.mark.parametrize("kind", sorted(BODIES))
@given(node=ANYTHING)
def test_anything_else_is_refused_and_never_crashes(kind: str, node: object) -> None:
    try:
        body = from_map(node, KINDS[kind].body, kind)
    except CyberVeinError:
        return
    assert to_map(body) == node
