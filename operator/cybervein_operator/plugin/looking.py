"""What `status` shows, asked side by side: our resources, then the ledgers of their networks."""

import asyncio

from cybervein_protocol.errors import CyberVeinError

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired.names import LEASE
from cybervein_operator.plugin.answers import Ledger, Object
from cybervein_operator.plugin.api_server import ApiServer
from cybervein_operator.plugin.ledgers import ledger_of
from cybervein_operator.plugin.overview import NOBODY, Overview, overview

_KINDS = (ClusterKind.NETWORK, ClusterKind.POOL, ClusterKind.DISK)


async def look(api: ApiServer) -> Overview:
    """Everything that is known now."""
    networks, pools, disks = await asyncio.gather(*(api.list(kind.resource) for kind in _KINDS))
    ledgers = await asyncio.gather(*(_named(api, each) for each in networks))
    spaces = {each["metadata"]["namespace"] for each in (*networks, *pools) if not _seen(each)}
    nobody = {space: await _who_acts(api.within(space)) for space in sorted(spaces)}
    return overview([*networks, *pools, *disks], dict(ledgers), nobody)


def _seen(each: Object) -> bool:
    """An operator has looked at its spec as it is now."""
    looked = each.get("status", {}).get("observedGeneration")
    return bool(looked == each["metadata"].get("generation"))


async def _who_acts(api: ApiServer) -> str:
    """Why nobody looks at what is in a namespace, by the Lease of its operator."""
    try:
        lease = await api.find(ClusterKind.LEASE.resource, LEASE)
    except CyberVeinError as error:
        return f"{NOBODY} ({error})"
    spec = (lease or {}).get("spec", {})
    if not spec.get("holderIdentity"):
        return (
            f"no operator acts in namespace {api.namespace}: nobody holds its Lease {LEASE}; "
            f"{NOBODY}"
        )
    return (
        f"{spec['holderIdentity']} acts in namespace {api.namespace} and has not looked at it yet; "
        f"its Lease is of {spec.get('renewTime', '?')}; is it running?"
    )


async def _named(api: ApiServer, network: Object) -> tuple[str, Ledger]:
    meta = network["metadata"]
    return f"{meta['namespace']}/{meta['name']}", await ledger_of(api, network)
