"""A miner's identity: made once, never read, never replaced.

The operator has no right to read it: the Secret is created, and where one is there already, that is
the answer. The claim of the journal carries the address, so a Secret that is gone while the claim
exists is a lost identity, not a new miner.
"""

from typing import Final

from cybervein_operator.api import MinerPool
from cybervein_operator.cluster.client import ClusterClient, Object
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.cluster.existence import present
from cybervein_operator.control import identity_document
from cybervein_operator.desired import miner, names
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.observed.facts import ADDRESS

UNKNOWN: Final = "unknown"
"""Stands for the address of a Secret that was there before its claim, until the miner tells it."""


async def ensure_identity(
    client: ClusterClient, pool: MinerPool, ordinal: int, known_address: str
) -> str | Trouble:
    """The miner's address, or why it has none. `known_address` is what its claim says."""
    if known_address:
        there = await _present(client, miner.identity(pool, ordinal, b"{}"))
        return known_address if there else _lost(pool, ordinal, known_address)
    document, address = identity_document()
    secret = miner.identity(pool, ordinal, document)
    secret["metadata"]["annotations"] = {ADDRESS: address}
    return UNKNOWN if await client.create(secret) is None else address


async def _present(client: ClusterClient, secret: Object) -> bool:
    """A refusal is no answer: then it is taken to be there, and if not, the kubelet names it."""
    try:
        return await present(client, secret)
    except ApiError as error:
        if not error.lasting:
            raise
        return True


def _lost(pool: MinerPool, ordinal: int, address: str) -> Trouble:
    name = pool.metadata.name
    whose = "its key" if address == UNKNOWN else f"the key of {address}"
    return Trouble(
        "IdentityLost",
        f"Secret {names.identity(name, ordinal)} is gone, and with it {whose}; restore it from a "
        f"backup, or delete claim {names.state_claim(name, ordinal)} to begin anew without plots, "
        "bond and shards",
    )
