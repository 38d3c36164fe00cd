"""Whether the network can place a code at all: seen before a price is shown or a deal opened.

The super node decides when it gives orders; what it is sure to refuse is refused here, unpaid.
"""

from collections.abc import Sequence

from cybervein_protocol.api.super_node.miners import MinerDocument
from cybervein_protocol.errors import ConflictError
from cybervein_protocol.placement import Code

from cybervein_client.ledger import live_domains


def require_room(
    code: Code, shard_bytes: int, miners: Sequence[MinerDocument], *, declared: bool
) -> None:
    """Raise ConflictError where fewer failure domains than `code.n` can take a shard.

    Where domains are not `declared` but derived from addresses, each miner may be one.
    """
    live = [each for each in miners if each.online and not each.draining]
    roomy = [each for each in live if each.free_bytes >= shard_bytes]
    domains, able = (live_domains(each) if declared else len(each) for each in (live, roomy))
    if able < code.n:
        raise ConflictError(
            f"cannot store as {code.k}/{code.n}: {domains} failure domains are live, {able} of "
            f"them have room for a shard of {shard_bytes} bytes, {code.n} are needed; nothing was "
            "paid: add miners in other domains, or choose a smaller --code"
        )
