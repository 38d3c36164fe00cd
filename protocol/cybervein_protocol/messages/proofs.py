"""Envelopes of space proofs and commit responses: who, for which beacon, signed.

The proofs inside travel as their own encodings (`cybervein_protocol.space`), so that an envelope's
signature can be checked, and a stranger's refused, before any proof is parsed.
"""

from typing import Annotated, Final

import msgspec
from multiformats import CID

from cybervein_protocol.encoding import U63, Bytes32, Bytes64, Record, decode
from cybervein_protocol.messages.fields import Version, VrfProof
from cybervein_protocol.signing import KeyPair, address, sign_record, verify_record

SPACE_CONTEXT: Final = "cybervein space proof v1"
COMMIT_CONTEXT: Final = "cybervein commit response v1"

SPACE_ANSWERS_MAX: Final = 256
SPACE_ANSWER_BYTES_MAX: Final = 16 * 1024
SPACE_PROOF_BYTES_MAX: Final = 4 * 1024 * 1024

COMMIT_PROOFS_MAX: Final = 4096
COMMIT_PROOF_BYTES_MAX: Final = 4 * 1024 * 1024
COMMIT_RESPONSE_BYTES_MAX: Final = 128 * 1024 * 1024

EncodedAnswer = Annotated[bytes, msgspec.Meta(min_length=1, max_length=SPACE_ANSWER_BYTES_MAX)]
EncodedProof = Annotated[bytes, msgspec.Meta(min_length=1, max_length=COMMIT_PROOF_BYTES_MAX)]


class SpaceProof(Record):
    """One epoch's answer: encoded `SpaceAnswer`s, smallest quality first, at most m."""

    v: Version
    network: CID
    epoch: U63
    miner: Bytes32
    vrf_proof: VrfProof
    answers: Annotated[list[EncodedAnswer], msgspec.Meta(max_length=SPACE_ANSWERS_MAX)]
    sig: Bytes64


class CommitResponse(Record):
    """A batch's answer to its commit audit: encoded `CommitProof`s of the drawn plots."""

    v: Version
    network: CID
    batch: CID
    epoch: U63
    miner: Bytes32
    proofs: Annotated[list[EncodedProof], msgspec.Meta(max_length=COMMIT_PROOFS_MAX)]
    sig: Bytes64


def sign_space_proof(
    key: KeyPair, *, network: CID, epoch: int, vrf_proof: bytes, answers: list[bytes]
) -> SpaceProof:
    """The signed proof of the miner whose identity is `key`."""
    proof = SpaceProof(
        v=1,
        network=network,
        epoch=epoch,
        miner=key.public,
        vrf_proof=vrf_proof,
        answers=answers,
        sig=bytes(64),
    )
    return sign_record(SPACE_CONTEXT, proof, key)


def sign_commit_response(
    key: KeyPair, *, network: CID, batch: CID, epoch: int, proofs: list[bytes]
) -> CommitResponse:
    """The signed response of the miner whose identity is `key`."""
    response = CommitResponse(
        v=1,
        network=network,
        batch=batch,
        epoch=epoch,
        miner=key.public,
        proofs=proofs,
        sig=bytes(64),
    )
    return sign_record(COMMIT_CONTEXT, response, key)


def verify_space_proof(proof: SpaceProof) -> None:
    """Raise SignatureError unless the miner it names signed it."""
    verify_record(SPACE_CONTEXT, proof, proof.miner, f"space proof of {address(proof.miner)}")


def verify_commit_response(response: CommitResponse) -> None:
    """Raise SignatureError unless the miner it names signed it."""
    what = f"commit response of {address(response.miner)}"
    verify_record(COMMIT_CONTEXT, response, response.miner, what)


def decode_space_proof(data: bytes) -> SpaceProof:
    """Parse a `POST /v1/space-proofs` body. Raises MalformedError or LimitError."""
    return decode(data, SpaceProof, "space proof", SPACE_PROOF_BYTES_MAX)


def decode_commit_response(data: bytes) -> CommitResponse:
    """Parse a `POST /v1/commit-responses` body. Raises MalformedError or LimitError."""
    return decode(data, CommitResponse, "commit response", COMMIT_RESPONSE_BYTES_MAX)
