"""Openings: a Bao slice of a commitment, bound to the one size that the commitment may have.

A BLAKE3 root alone does not fix the length of its input: a slice that claims another length walks
the same tree along another path. The plot's shape fixes the length, so it is checked first; without
that one root would open to several values at one place.
"""

from dataclasses import dataclass
from typing import Self

from cybervein_protocol.errors import ProofError
from cybervein_protocol.space.shape import DIGEST_BYTES, ROW_BYTES
from cybervein_protocol.tree import verify_slice

_LENGTH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Commitment:
    """The BLAKE3 root of `size` bytes that are an array of items of `width` bytes."""

    root: bytes
    size: int
    width: int

    @classmethod
    def of_rows(cls, gamma: bytes, b: int) -> Self:
        """The space root: 2^b rows."""
        return cls(gamma, ROW_BYTES << b, ROW_BYTES)

    @classmethod
    def of_columns(cls, kappa: bytes, b: int) -> Self:
        """The column root: 2^b digests."""
        return cls(kappa, DIGEST_BYTES << b, DIGEST_BYTES)

    def open(self, place: int, encoded: bytes, what: str) -> bytes:
        """The item at `place` that the slice shows. Raises ProofError; `what` names the thing."""
        claimed = int.from_bytes(encoded[:_LENGTH_BYTES], "little")
        if len(encoded) < _LENGTH_BYTES or claimed != self.size:
            raise ProofError(f"{what}: slice of a file of {claimed} bytes, expected {self.size}")
        try:
            return verify_slice(encoded, self.root, place * self.width, self.width)
        except ProofError as error:
            raise ProofError(f"{what}: {error}") from error
