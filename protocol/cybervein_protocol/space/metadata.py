"""The signed note beside a plot file: whose it is, which shape, and its commitments.

The plot file itself is raw rows without any header, so that a row is a sector. Losing the note is
no loss of the plot: `plot_create` of the same key and index gives the same bytes again.
"""

from typing import Literal

from cybervein_protocol.encoding import U8, U63, Bytes32, Bytes64, Record, decode
from cybervein_protocol.errors import ProofError
from cybervein_protocol.names import PublicKey
from cybervein_protocol.signing import KeyPair, sign_record, verify_record
from cybervein_protocol.space.messages import PlotClaim

METADATA_CONTEXT = "cybervein 2026-11 plot metadata"
METADATA_BYTES_MAX = 1024


class PlotMetadata(Record):
    """Version 1. `sig` is the owner's over all other fields."""

    v: Literal[1]
    public_key: Bytes32
    index: U63
    b: U8
    k: U8
    mu: Bytes32
    kappa: Bytes32
    gamma: Bytes32
    plot_id: Bytes32
    sig: Bytes64

    @property
    def claim(self) -> PlotClaim:
        """What the ledger is told of the plot."""
        return PlotClaim(index=self.index, b=self.b, k=self.k, kappa=self.kappa, gamma=self.gamma)


def describe_plot(key: KeyPair, claim: PlotClaim) -> PlotMetadata:
    """The signed metadata of a plot of `key`'s owner."""
    unsigned = PlotMetadata(
        v=1,
        public_key=key.public,
        index=claim.index,
        b=claim.b,
        k=claim.k,
        mu=claim.seed(key.public),
        kappa=claim.kappa,
        gamma=claim.gamma,
        plot_id=claim.plot_id(key.public),
        sig=bytes(64),
    )
    return sign_record(METADATA_CONTEXT, unsigned, key)


def decode_metadata(data: bytes) -> PlotMetadata:
    """Parse and check: shape, seed, identifier, signature. Raises a CyberVeinError."""
    meta = decode(data, PlotMetadata, "plot metadata", METADATA_BYTES_MAX)
    verify_record(METADATA_CONTEXT, meta, PublicKey(meta.public_key), "plot metadata")
    if meta.mu != meta.claim.seed(meta.public_key):
        raise ProofError(f"plot metadata: mu {meta.mu.hex()[:16]}… is not of its key and index")
    if meta.plot_id != meta.claim.plot_id(meta.public_key):
        raise ProofError(f"plot metadata: plot_id {meta.plot_id.hex()[:16]}… is not of its roots")
    return meta
