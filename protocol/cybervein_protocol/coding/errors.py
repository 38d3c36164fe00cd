"""What the coding functions refuse."""

from cybervein_protocol.errors import MalformedError, ProofError


class CodingError(MalformedError):
    """Shares, shards or shapes that do not fit together."""


class DamagedChunkError(ProofError):
    """A chunk whose tag does not verify: a shard is damaged, or the key is not this file's."""
