"""Bytes from anybody: each reader ends in a value that encodes to them, or in an error of ours."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from cybervein_protocol.cid import node_cid
from cybervein_protocol.dag import FileNode, IndexNode, SegmentNode, decode_dag_node
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import CyberVeinError, MalformedError, StorageError
from cybervein_protocol.ledger.chain.block import Block, decode_block, sign_block, verify_block
from cybervein_protocol.ledger.chain.border import parse_unit
from cybervein_protocol.ledger.state.rows import (
    AccountRow,
    BatchRow,
    DealRow,
    MinerRow,
    PlotRow,
    ShardRow,
    decode_row,
)
from cybervein_protocol.ledger.state.smt import read_node
from cybervein_protocol.ledger.units.genesis import Genesis, decode_genesis
from cybervein_protocol.ledger.units.unit import Unit
from cybervein_protocol.messages.audits import (
    AuditAnswer,
    AuditRequest,
    decode_audit_answer,
    decode_audit_request,
)
from cybervein_protocol.messages.deals import (
    SegmentEntry,
    sign_verification,
    verify_verification,
)
from cybervein_protocol.messages.orders import Order, order_from_header, order_header
from cybervein_protocol.messages.proofs import (
    CommitResponse,
    SpaceProof,
    decode_commit_response,
    decode_space_proof,
)
from cybervein_protocol.messages.receipts import (
    Receipt,
    decode_receipt,
    sign_receipt,
    verify_receipt,
)
from cybervein_protocol.messages.repair import (
    RepairBox,
    decode_repair,
    encode_repair,
    open_repair_keys,
)
from cybervein_protocol.signing import KeyPair
from cybervein_protocol.space.messages import (
    CommitProof,
    SpaceAnswer,
    decode_answer,
    decode_commit_proof,
    encode_commit_proof,
)
from cybervein_protocol.space.metadata import PlotMetadata, decode_metadata
from cybervein_protocol.space.shape import PlotShape
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from nacl.public import PrivateKey, SealedBox
from record_strategies import DIGESTS, LINKS, NODES, records

NETWORK = node_cid(b"network")
SHAPE, ROWS = PlotShape(6, 3), 4
KEY, OTHER = KeyPair(b"\1" * 32), KeyPair(b"\2" * 32)

Read = Callable[[bytes], Any]
READERS: dict[str, tuple[Read, st.SearchStrategy[Any]]] = {
    "block": (decode_block, records(Block)),
    "genesis": (decode_genesis, records(Genesis)),
    "unit": (lambda data: parse_unit(data, NETWORK, 1 << 20).unit, records(Unit)),
    "receipt": (decode_receipt, records(Receipt)),
    "audit request": (decode_audit_request, records(AuditRequest)),
    "audit answer": (decode_audit_answer, records(AuditAnswer)),
    "space proof": (decode_space_proof, records(SpaceProof)),
    "commit response": (decode_commit_response, records(CommitResponse)),
    "repair": (decode_repair, st.lists(records(RepairBox), max_size=3)),
    "space answer": (decode_answer, records(SpaceAnswer)),
    "commit proof": (lambda data: decode_commit_proof(data, SHAPE, ROWS), records(CommitProof)),
    "plot metadata": (decode_metadata, records(PlotMetadata)),
    "account": (lambda data: decode_row(b"acct/" + bytes(32), data), records(AccountRow)),
    "miner": (lambda data: decode_row(b"miner/" + bytes(32), data), records(MinerRow)),
    "plot": (lambda data: decode_row(b"plot/" + bytes(32), data), records(PlotRow)),
    "batch": (lambda data: decode_row(b"batch/" + bytes(32), data), records(BatchRow)),
    "deal": (lambda data: decode_row(b"deal/" + bytes(32), data), records(DealRow)),
    "shard": (lambda data: decode_row(b"shard/" + bytes(37), data), records(ShardRow)),
}
usual = settings(max_examples=60, deadline=None)


@pytest.mark.parametrize("name", READERS)
@usual
@given(data=st.binary(max_size=300))
def test_any_bytes_are_refused_or_read(name: str, data: bytes) -> None:
    with suppress(CyberVeinError):
        assert encode(READERS[name][0](data)) == data


@pytest.mark.parametrize("name", READERS)
@usual
@given(data=st.data())
def test_a_well_formed_or_damaged_record_is_refused_or_read(name: str, data: st.DataObject) -> None:
    read, made = READERS[name]
    encoded = bytearray(encode(data.draw(made)))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(0, 255))
    with suppress(CyberVeinError):
        assert encode(read(bytes(encoded))) == bytes(encoded)


@given(key=st.binary(max_size=40), data=st.binary(max_size=60))
def test_a_row_of_any_key_is_refused_or_read(key: bytes, data: bytes) -> None:
    with suppress(CyberVeinError):
        assert encode(decode_row(key, data)) == data


@given(records(CommitProof))
def test_a_commit_proof_comes_back_or_is_too_large(proof: CommitProof) -> None:
    with suppress(CyberVeinError):
        assert decode_commit_proof(encode_commit_proof(proof), SHAPE, ROWS) == proof


@given(st.one_of([records(kind) for kind in (FileNode, SegmentNode, IndexNode)]), st.data())
def test_a_node_of_the_dag_is_the_one_its_cid_names(node: Any, data: st.DataObject) -> None:
    encoded = encode(node)
    cid = data.draw(st.just(node_cid(encoded)) | LINKS)
    with suppress(CyberVeinError):
        assert decode_dag_node(encoded, cid) == node
        assert cid == node_cid(encoded)


@given(NODES)
def test_a_node_of_any_type_is_refused(kind: object) -> None:
    data = encode({"v": 1, "type": kind})
    with pytest.raises(MalformedError):
        decode_dag_node(data, node_cid(data))


@given(records(Order))
def test_an_order_comes_back_from_its_header(order: Order) -> None:
    assert order_from_header(order_header(order)) == order


@given(DIGESTS, st.none() | st.binary(max_size=70))
def test_a_stored_node_is_what_its_hash_says(digest: bytes, node: bytes | None) -> None:
    with pytest.raises(StorageError, match="missing or damaged"):
        read_node(digest, lambda _: node)


@given(records(Block), st.data())
def test_a_block_verifies_as_it_was_signed_only(block: Block, data: st.DataObject) -> None:
    signed = sign_block(replace(block, proposer=KEY.public), KEY)
    verify_block(signed)
    field = data.draw(st.sampled_from(["height", "epoch", "app_hash", "proposer", "sig"]))
    drawn = getattr(data.draw(records(Block)), field)
    changed = replace(signed, **{field: drawn})
    if changed != signed:
        with pytest.raises(CyberVeinError):
            verify_block(changed)


@given(records(Receipt), st.data())
def test_a_receipt_verifies_as_it_was_signed_only(made: Receipt, data: st.DataObject) -> None:
    signed = sign_receipt(
        KEY,
        network=made.network,
        deal=made.deal,
        segment=made.segment,
        index=made.index,
        root=made.root,
        size=made.size,
    )
    verify_receipt(signed)
    field = data.draw(st.sampled_from(["network", "deal", "segment", "index", "root", "size"]))
    changed = replace(signed, **{field: getattr(data.draw(records(Receipt)), field)})
    if changed != signed:
        with pytest.raises(CyberVeinError):
            verify_receipt(changed)


segments = st.lists(records(SegmentEntry), min_size=1, max_size=2)


@given(LINKS, segments, LINKS, segments)
def test_a_verification_is_of_one_deal_and_its_segments(
    deal: Any, made: list[SegmentEntry], other: Any, others: list[SegmentEntry]
) -> None:
    verification = sign_verification(KEY, deal, made)
    verify_verification(verification, deal, made)
    if (other, others) != (deal, made):
        with pytest.raises(CyberVeinError):
            verify_verification(verification, other, others)


@given(st.lists(DIGESTS, max_size=4), st.integers(0, 5), st.binary(max_size=200))
def test_repair_keys_open_for_whom_they_were_sealed(
    keys: list[bytes], segments: int, junk: bytes
) -> None:
    seal = PrivateKey(b"\5" * 32)
    box = SealedBox(seal.public_key).encrypt(b"".join(keys))
    data = encode_repair([RepairBox(super=KEY.public, box=box)])
    if segments == len(keys):
        assert open_repair_keys(data, KEY.public, bytes(seal), segments) == keys
    with pytest.raises(CyberVeinError):
        open_repair_keys(data, KEY.public, bytes(seal), len(keys) + 1)
    with pytest.raises(CyberVeinError):
        open_repair_keys(data, OTHER.public, bytes(seal), len(keys))
    with pytest.raises(CyberVeinError):
        open_repair_keys(junk, KEY.public, bytes(seal), segments)
