"""A miner's identity: made once, never read, never replaced.

Only the Secret's metadata is ever fetched. The claim of the journal carries the address, so a
Secret that is gone while the claim exists is a lost identity, not a new miner.
"""

from cybervein_operator.api import MinerPool
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import ClusterClient
from cybervein_operator.control import identity_document
from cybervein_operator.desired import miner, names
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.observed.facts import ADDRESS


async def ensure_identity(
    client: ClusterClient, pool: MinerPool, ordinal: int, known_address: str
) -> str | Trouble:
    """The miner's address, or why it has none. `known_address` is what its claim says."""
    name, space = names.identity(pool.metadata.name, ordinal), pool.metadata.namespace
    if not known_address:
        document, address = identity_document()
        secret = miner.identity(pool, ordinal, document)
        secret["metadata"]["annotations"] = {ADDRESS: address}
        if await client.create(secret) is not None:
            return address
    found = await client.get(ClusterKind.SECRET, space, name, metadata_only=True)
    if found is None:
        return Trouble(
            "IdentityLost",
            f"Secret {name} is gone, and with it the key of {known_address}; restore it from a "
            f"backup, or delete claim {names.state_claim(pool.metadata.name, ordinal)} to begin "
            "anew without plots, bond and shards",
        )
    notes = ((found or {}).get("metadata") or {}).get("annotations") or {}
    return str(notes.get(ADDRESS, known_address))
