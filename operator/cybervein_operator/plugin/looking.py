"""What `status` shows, asked side by side: our resources, then the ledgers of their networks."""

import asyncio

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.plugin.answers import Ledger, Object
from cybervein_operator.plugin.api_server import ApiServer
from cybervein_operator.plugin.ledgers import ledger_of
from cybervein_operator.plugin.overview import Overview, overview

_KINDS = (ClusterKind.NETWORK, ClusterKind.POOL, ClusterKind.DISK)


async def look(api: ApiServer) -> Overview:
    """Everything that is known now."""
    networks, pools, disks = await asyncio.gather(*(api.list(kind.resource) for kind in _KINDS))
    ledgers = await asyncio.gather(*(_named(api, each) for each in networks))
    return overview([*networks, *pools, *disks], dict(ledgers))


async def _named(api: ApiServer, network: Object) -> tuple[str, Ledger]:
    meta = network["metadata"]
    return f"{meta['namespace']}/{meta['name']}", await ledger_of(api, network)
