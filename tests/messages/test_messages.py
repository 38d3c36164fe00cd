"""Messages: signed round trips, tampering, limits, and the expectations of an order."""

from collections.abc import Callable

import msgspec
import pytest
from cybervein_protocol import messages as m
from cybervein_protocol.encoding import Record, decode, encode, node_cid
from cybervein_protocol.errors import (
    CyberVeinError,
    ExpiredError,
    ForbiddenError,
    LimitError,
    MalformedError,
    SignatureError,
    UnknownError,
)
from cybervein_protocol.messages.repair import decode_repair
from cybervein_protocol.signing import KeyPair
from hypothesis import given
from hypothesis import strategies as st
from nacl.public import PrivateKey, SealedBox

MINER = KeyPair(b"\x01" * 32)
OWNER = KeyPair(b"\x02" * 32)
SUPER = KeyPair(b"\x03" * 32)
NETWORK = node_cid(b"network")
DEAL = node_cid(b"deal")
ROOT = b"\x07" * 32


def order(**change: object) -> m.Order:
    made = m.sign_order(
        SUPER,
        network=NETWORK,
        order_id=b"\x09" * 32,
        deal=DEAL,
        miner=MINER.public,
        bearer=OWNER.public,
        verb="PUT",
        root=ROOT,
        max_bytes=1 << 20,
        not_after_epoch=8,
    )
    return msgspec.structs.replace(made, **change)


def check(made: m.Order, **change: object) -> None:
    expected: dict[str, object] = {
        "network": NETWORK,
        "miner": MINER.public,
        "bearer": OWNER.public,
        "verb": "PUT",
        "root": ROOT,
        "epoch": 8,
        "issuers": {SUPER.public},
    }
    m.check_order(made, **(expected | change))  # type: ignore[arg-type]


def test_an_order_travels_in_a_header_and_is_accepted_in_its_last_epoch() -> None:
    check(m.order_from_header(m.order_header(order())))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"epoch": 9}, ExpiredError),
        ({"network": DEAL}, ForbiddenError),
        ({"miner": SUPER.public}, ForbiddenError),
        ({"bearer": SUPER.public}, ForbiddenError),
        ({"verb": "GET"}, ForbiddenError),
        ({"root": b"\x08" * 32}, ForbiddenError),
        ({"issuers": {OWNER.public}}, ForbiddenError),
    ],
)
def test_an_order_serves_only_the_request_it_names(
    change: dict[str, object], error: type[CyberVeinError]
) -> None:
    with pytest.raises(error):
        check(order(), **change)


@pytest.mark.parametrize(
    "change", [{"max_bytes": 1 << 40}, {"not_after_epoch": 99}, {"id": b"\x00" * 32}]
)
def test_an_altered_order_does_not_verify(change: dict[str, object]) -> None:
    with pytest.raises(SignatureError):
        check(order(**change))


@pytest.mark.parametrize(("text", "error"), [("!!", MalformedError), ("oA", MalformedError)])
def test_a_header_that_is_no_order_is_refused(text: str, error: type[CyberVeinError]) -> None:
    with pytest.raises(error):
        m.order_from_header(text)


def test_an_oversized_header_is_refused_before_parsing() -> None:
    with pytest.raises(LimitError):
        m.order_from_header("A" * 4000)


def receipt() -> m.Receipt:
    return m.sign_receipt(MINER, network=NETWORK, deal=DEAL, segment=3, index=1, root=ROOT, size=77)


def entry(**change: object) -> m.ShardEntry:
    made = m.ShardEntry(root=ROOT, miner=MINER.public, size=77, receipt=receipt().sig)
    return msgspec.structs.replace(made, **change)


def test_a_ledger_row_rebuilds_the_signed_receipt() -> None:
    rebuilt = m.receipt_of_entry(entry(), network=NETWORK, deal=DEAL, segment=3, index=1)
    assert rebuilt == m.decode_receipt(encode(receipt()))
    m.verify_receipt(rebuilt)


@pytest.mark.parametrize("change", [{"size": 78}, {"root": b"\x06" * 32}, {"miner": OWNER.public}])
def test_a_receipt_for_something_else_does_not_verify(change: dict[str, object]) -> None:
    rebuilt = m.receipt_of_entry(entry(**change), network=NETWORK, deal=DEAL, segment=3, index=1)
    with pytest.raises(SignatureError):
        m.verify_receipt(rebuilt)


Signed = tuple[Record, Callable[[bytes], Record], Callable[..., None]]
SIGNED: list[Signed] = [
    (
        m.sign_space_proof(
            MINER, network=NETWORK, epoch=5, vrf_proof=b"\x01" * 80, answers=[b"a", b"b"]
        ),
        m.decode_space_proof,
        m.verify_space_proof,
    ),
    (
        m.sign_commit_response(MINER, network=NETWORK, batch=DEAL, epoch=5, proofs=[b"p"]),
        m.decode_commit_response,
        m.verify_commit_response,
    ),
    (
        m.sign_audit_answer(
            MINER,
            network=NETWORK,
            epoch=5,
            holding=ROOT,
            answers=[
                m.AuditSlice(root=ROOT, chunk=0, slice=b"s"),
                m.AuditSlice(root=ROOT, chunk=1, slice=None),
            ],
        ),
        m.decode_audit_answer,
        m.verify_audit_answer,
    ),
]


@pytest.mark.parametrize(("made", "parse", "verify"), SIGNED)
def test_what_a_miner_signs_survives_the_wire_and_any_change_is_seen(
    made: Record, parse: Callable[[bytes], Record], verify: Callable[..., None]
) -> None:
    assert parse(encode(made)) == made
    verify(made)
    with pytest.raises(SignatureError):
        verify(msgspec.structs.replace(made, epoch=6))
    with pytest.raises(SignatureError):
        verify(msgspec.structs.replace(made, miner=OWNER.public))


@pytest.mark.parametrize(("made", "parse", "verify"), SIGNED)
@given(data=st.data())
def test_damaged_messages_never_parse_into_something_that_verifies(
    made: Record,
    parse: Callable[[bytes], Record],
    verify: Callable[..., None],
    data: st.DataObject,
) -> None:
    encoded = bytearray(encode(made))
    position = data.draw(st.integers(0, len(encoded) - 1))
    encoded[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises((MalformedError, SignatureError)):
        verify(parse(bytes(encoded)))


def segments() -> list[m.SegmentEntry]:
    return [m.SegmentEntry(salt=ROOT, size=10, chunks=1, shards=[entry()])]


def test_a_verification_binds_the_deal_and_every_segment() -> None:
    verification = m.sign_verification(SUPER, DEAL, segments())
    m.verify_verification(verification, DEAL, segments())
    with pytest.raises(SignatureError):
        m.verify_verification(verification, NETWORK, segments())
    other = [msgspec.structs.replace(segments()[0], size=11)]
    with pytest.raises(SignatureError):
        m.verify_verification(verification, DEAL, other)
    forged = msgspec.structs.replace(verification, super=OWNER.public)
    with pytest.raises(SignatureError):
        m.verify_verification(forged, DEAL, segments())


@pytest.mark.parametrize(
    ("kind", "record"),
    [
        (
            m.OrderRequest,
            m.OrderRequest(
                v=1,
                shards=[m.ShardPlan(segment=0, index=0, root=ROOT, size=5)],
                avoid=[MINER.public],
            ),
        ),
        (
            m.OrderGrants,
            m.OrderGrants(
                v=1, orders=[m.OrderGrant(segment=0, index=0, url="http://h:1", order=order())]
            ),
        ),
        (m.VerifyRequest, m.VerifyRequest(v=1, segments=segments())),
        (m.AuditRequest, m.AuditRequest(v=1, epoch=1, holding=ROOT, items=[])),
    ],
)
def test_requests_survive_the_wire_and_refuse_unknown_fields(
    kind: type[Record], record: Record
) -> None:
    assert decode(encode(record), kind, "request", 1 << 20) == record
    with pytest.raises(MalformedError):
        decode(encode({"v": 1, "surprise": 2}), kind, "request", 1 << 20)


def test_only_the_named_super_node_opens_the_repair_keys() -> None:
    seal = PrivateKey(b"\x05" * 32)
    keys = [b"\x0a" * 32, b"\x0b" * 32]
    box = m.RepairBox(super=SUPER.public, box=SealedBox(seal.public_key).encrypt(b"".join(keys)))
    data = m.encode_repair([box])
    assert decode_repair(data) == [box]
    assert m.open_repair_keys(data, SUPER.public, b"\x05" * 32, 2) == keys
    with pytest.raises(UnknownError):
        m.open_repair_keys(data, OWNER.public, b"\x05" * 32, 2)
    with pytest.raises(MalformedError):
        m.open_repair_keys(data, SUPER.public, b"\x06" * 32, 2)
    with pytest.raises(MalformedError):
        m.open_repair_keys(data, SUPER.public, b"\x05" * 32, 3)
