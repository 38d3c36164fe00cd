"""Possession audits on the wire: the auditor's questions and the miner's signed answer.

A `null` slice admits loss. An answer is matched to its request by `holding`, the holding root that
fixed the drawn chunks before anybody knew the beacon (`cybervein_protocol.audit`).
"""

from typing import Annotated, Final

import msgspec
from multiformats import CID

from cybervein_protocol.encoding import U63, Bytes32, Bytes64, Record, decode
from cybervein_protocol.messages.fields import Version
from cybervein_protocol.signing import KeyPair, address, sign_record, verify_record

CONTEXT: Final = "cybervein audit answer v1"
AUDIT_ITEMS_MAX: Final = 4096
AUDIT_SLICE_BYTES_MAX: Final = 8 * 1024
AUDIT_REQUEST_BYTES_MAX: Final = 512 * 1024
AUDIT_ANSWER_BYTES_MAX: Final = 32 * 1024 * 1024

Slice = Annotated[bytes, msgspec.Meta(max_length=AUDIT_SLICE_BYTES_MAX)]


class AuditItem(Record):
    """One question: the `chunk`-th 1 KiB BLAKE3 chunk of the shard with this root."""

    root: Bytes32
    chunk: U63


class AuditRequest(Record):
    """Body of `POST /v1/audit`, signed as an HTTP request by a super node."""

    v: Version
    epoch: U63
    holding: Bytes32
    items: Annotated[list[AuditItem], msgspec.Meta(max_length=AUDIT_ITEMS_MAX)]


class AuditSlice(Record):
    """One answer: the Bao slice of that chunk, or null, which admits loss."""

    root: Bytes32
    chunk: U63
    slice: Slice | None


class AuditAnswer(Record):
    """The miner's signed answers, in the order of the request's items."""

    v: Version
    network: CID
    epoch: U63
    miner: Bytes32
    holding: Bytes32
    answers: Annotated[list[AuditSlice], msgspec.Meta(max_length=AUDIT_ITEMS_MAX)]
    sig: Bytes64


def sign_audit_answer(
    key: KeyPair, *, network: CID, epoch: int, holding: bytes, answers: list[AuditSlice]
) -> AuditAnswer:
    """The signed answer of the miner whose identity is `key`."""
    answer = AuditAnswer(
        v=1,
        network=network,
        epoch=epoch,
        miner=key.public,
        holding=holding,
        answers=answers,
        sig=bytes(64),
    )
    return sign_record(CONTEXT, answer, key)


def verify_audit_answer(answer: AuditAnswer) -> None:
    """Raise SignatureError unless the miner it names signed it."""
    verify_record(CONTEXT, answer, answer.miner, f"audit answer of {address(answer.miner)}")


def decode_audit_request(data: bytes) -> AuditRequest:
    """Parse a `POST /v1/audit` body. Raises MalformedError or LimitError."""
    return decode(data, AuditRequest, "audit request", AUDIT_REQUEST_BYTES_MAX)


def decode_audit_answer(data: bytes) -> AuditAnswer:
    """Parse a miner's answer to an audit. Raises MalformedError or LimitError."""
    return decode(data, AuditAnswer, "audit answer", AUDIT_ANSWER_BYTES_MAX)
