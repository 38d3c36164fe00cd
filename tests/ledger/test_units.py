"""What may not enter: every way in which a unit can be wrong ends in its own clear error."""

import msgspec
import pytest
from cybervein_protocol.encoding import data_cid, encode, node_cid, to_map
from cybervein_protocol.errors import (
    ConflictError,
    CyberVeinError,
    ForbiddenError,
    FundsError,
    LimitError,
    MalformedError,
    ReplayError,
    SignatureError,
    UnknownError,
)
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.chain.kinds import Issuer, issued_by
from cybervein_protocol.ledger.epochs.closing import EpochClose
from cybervein_protocol.ledger.mining.bodies import MinerUpdate, PlotVerdict
from cybervein_protocol.ledger.mining.measurements import (
    AuditEntry,
    AuditResult,
    BandwidthEntry,
    BandwidthResult,
    SpaceEntry,
    SpaceResult,
)
from cybervein_protocol.ledger.storage.bodies import ShardLost, ShardMoved
from cybervein_protocol.ledger.units.unit import (
    CONTEXT,
    Unit,
    make_paid_unit,
    make_unit,
    required_fee,
    unit_id,
)
from cybervein_protocol.presets import LOCAL
from cybervein_protocol.signing import sign_record
from hypothesis import given, settings
from hypothesis import strategies as st
from ledger_chain import RICH, Chain, digest, genesis_of, keys

PAY = Transfer(to=digest("somebody"), amount=1, memo="thanks")


def paid(chain: Chain, nonce: int = 0) -> Unit:
    """A transfer by the customer that is right in every way."""
    machine = chain.machine
    return make_paid_unit(
        machine.network,
        PAY,
        parents=chain.tips,
        key=keys("customer"),
        nonce=nonce,
        preset=chain.preset,
    )


def signed_again(unit: Unit, **changes: object) -> bytes:
    changed = msgspec.structs.replace(unit, **changes)
    return encode(sign_record(CONTEXT, changed, keys("customer")))


def test_a_right_unit_passes_and_keeps_its_identity() -> None:
    chain = Chain()
    unit = paid(chain)
    parsed = chain.machine.check_tx(encode(unit))
    assert parsed.unit == unit
    assert parsed.body == PAY
    assert parsed.id == unit_id(unit) == node_cid(encode(unit))
    assert parsed.unit.fee >= required_fee(parsed.size, chain.preset)


@pytest.mark.parametrize(
    ("raw", "error", "says"),
    [
        pytest.param(b"", MalformedError, "not DAG-CBOR", id="empty"),
        pytest.param(b"\x00" * 100, MalformedError, "not DAG-CBOR", id="zeros"),
        pytest.param(b"\xff" * 100, MalformedError, "not DAG-CBOR", id="ones"),
        pytest.param(b"\xa0", MalformedError, "see docs/wire.md", id="empty map"),
        pytest.param(bytes((1 << 20) + 1), LimitError, "at most 1048576", id="oversized"),
    ],
)
def test_malformed_and_oversized(raw: bytes, error: type[CyberVeinError], says: str) -> None:
    with pytest.raises(error, match=says):
        Chain().machine.check_tx(raw)


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 300), bit=st.integers(0, 300 * 8))
def test_truncated_and_flipped_units_never_pass(cut: int, bit: int) -> None:
    chain = Chain()
    raw = encode(paid(chain))
    with pytest.raises(CyberVeinError):
        chain.machine.check_tx(raw[: min(cut, len(raw) - 1)])
    flipped = bytearray(raw)
    flipped[bit // 8 % len(raw)] ^= 1 << bit % 8
    with pytest.raises(CyberVeinError):
        chain.machine.check_tx(bytes(flipped))


def test_fields_that_nobody_asked_for() -> None:
    chain = Chain()
    node = to_map(paid(chain)) | {"extra": 1}
    with pytest.raises(MalformedError, match="extra"):
        chain.machine.check_tx(encode(node))


def test_a_body_with_a_float_a_text_or_a_missing_field() -> None:
    chain = Chain()
    unit = paid(chain)
    for body in (
        {**unit.body, "amount": 1.5},
        {**unit.body, "amount": "1"},
        {**unit.body, "amount": 0},
        {**unit.body, "amount": 1 << 63},
        {**unit.body, "memo": "x" * 65},
        {"to": unit.body["to"], "amount": 1},
    ):
        with pytest.raises(MalformedError, match="unit 'transfer'"):
            chain.machine.check_tx(signed_again(unit, body=body))


def test_a_bad_signature() -> None:
    chain = Chain()
    unit = paid(chain)
    forged = msgspec.structs.replace(unit, fee=unit.fee + 1)
    with pytest.raises(SignatureError, match="does not verify under cv"):
        chain.machine.check_tx(encode(forged))
    stolen = msgspec.structs.replace(unit, issuer=keys("friend").public)
    with pytest.raises(SignatureError):
        chain.machine.check_tx(encode(stolen))


def test_a_foreign_network() -> None:
    other = Chain(genesis_of(LOCAL))
    with pytest.raises(ForbiddenError, match="sign it for this network"):
        Chain().machine.check_tx(encode(paid(other)))


def test_an_unknown_kind() -> None:
    chain = Chain()
    with pytest.raises(UnknownError, match=r"expected one of transfer, miner\.register"):
        chain.machine.check_tx(signed_again(paid(chain), kind="transfers"))


def test_unknown_parents() -> None:
    chain = Chain()
    stranger = node_cid(b"nobody has seen this")
    unit = paid(chain)
    raw = signed_again(unit, parents=sorted([unit.parents[0], stranger], key=bytes))
    with pytest.raises(UnknownError, match="is not known here"):
        chain.machine.check_tx(raw)
    assert chain.machine.check_tx(raw, pending={stranger}).unit.parents


def test_parents_are_distinct_sorted_unit_ids() -> None:
    chain = Chain()
    unit = paid(chain)
    first, second = unit.parents
    for parents in ([second, first], [first, first]):
        with pytest.raises(MalformedError, match="distinct and sorted"):
            chain.machine.check_tx(signed_again(unit, parents=parents))
    for parents in ([first], [first] * 9):
        with pytest.raises(MalformedError, match="parents"):
            chain.machine.check_tx(signed_again(unit, parents=parents))
    data = sorted([first, data_cid(digest("data"))], key=bytes)
    with pytest.raises(MalformedError, match="cite unit ids"):
        chain.machine.check_tx(signed_again(unit, parents=data))


def test_a_replayed_unit() -> None:
    chain = Chain()
    unit = chain.do("customer", PAY)
    with pytest.raises(ReplayError, match="nonce 0 was used, expected 1"):
        chain.machine.check_tx(unit.raw)


def test_a_nonce_far_ahead() -> None:
    chain = Chain()
    chain.machine.check_tx(encode(paid(chain, nonce=1024)))
    with pytest.raises(ConflictError, match="nonce 1025, expected 0 to 1024"):
        chain.machine.check_tx(encode(paid(chain, nonce=1025)))


def test_a_fee_that_is_too_small_or_not_there() -> None:
    chain = Chain()
    unit = paid(chain)
    with pytest.raises(FundsError, match=r"bytes need \d+; pay that"):
        chain.machine.check_tx(signed_again(unit, fee=unit.fee // 2))
    with pytest.raises(FundsError, match="does not cover the fee"):
        chain.machine.check_tx(signed_again(unit, fee=RICH + 1))


def test_miners_have_some_free_units_each_epoch() -> None:
    chain = Chain()
    chain.register("a")
    update = MinerUpdate(payout=digest("new"), url="http://a.example")
    chain.do("customer", Transfer(to=keys("a").public, amount=10**6, memo=""))
    chain.block(chain.unit("a", update, fee=10**5))  # paid: uses up no free one
    free = chain.preset.miner_units_per_epoch - 1
    for _ in range(free):
        chain.do("a", update)
    with pytest.raises(FundsError, match="fee of 0 veins"):
        chain.machine.check_tx(chain.unit("a", update).raw)
    chain.close()
    chain.do("a", update)


@pytest.mark.parametrize("kind", sorted(issued_by(Issuer.SUPER_NODE)))
def test_only_super_nodes_issue_results(kind: str) -> None:
    chain = Chain()
    body = EpochClose(epoch=0, vrf_proof=bytes(80))
    samples = {
        "plot.verdict": PlotVerdict(
            batch=chain.tips[0], epoch=0, passed=True, reason="", evidence=bytes(32)
        ),
        "space.result": SpaceResult(
            epoch=0,
            results=[
                SpaceEntry(
                    miner=bytes(32),
                    sent=1,
                    estimate=1,
                    smallest=bytes(8),
                    vrf_proof=bytes(80),
                    evidence=bytes(32),
                    miner_sig=bytes(64),
                )
            ],
        ),
        "bandwidth.result": BandwidthResult(
            epoch=0,
            results=[BandwidthEntry(miner=bytes(32), bytes_per_second=1, evidence=bytes(32))],
        ),
        "audit.result": AuditResult(
            epoch=0,
            results=[
                AuditEntry(
                    miner=bytes(32),
                    outcome="passed",
                    challenged=1,
                    good=1,
                    holding=bytes(32),
                    evidence=bytes(32),
                    miner_sig=bytes(64),
                )
            ],
        ),
        "shard.moved": ShardMoved(
            deal=chain.tips[0],
            segment=0,
            index=0,
            from_=bytes(32),
            to=bytes(32),
            root=bytes(32),
            receipt=bytes(64),
        ),
        "shard.lost": ShardLost(deal=chain.tips[0], segment=0, index=0, from_=bytes(32), reason=""),
        "epoch.close": body,
    }
    unit = make_unit(
        chain.machine.network,
        samples[kind],
        parents=chain.tips,
        key=keys("customer"),
        nonce=0,
        fee=10**6,
    )
    with pytest.raises(ForbiddenError, match="who is no super node"):
        chain.machine.check_tx(encode(unit))
