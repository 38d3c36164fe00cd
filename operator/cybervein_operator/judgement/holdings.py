"""Who holds more or less than the ledger's listing said before: their own word is wanted next."""

from collections.abc import Mapping

from cybervein_protocol.api.super_node.miners import ListedMiner

Standings = Mapping[str, ListedMiner]


def moved(before: Standings, after: Standings) -> set[str]:
    """Addresses of those whose count of shards differs; who is new counts from none."""
    held = {address: each.held_shards for address, each in before.items()}
    return {address for address, each in after.items() if each.held_shards != held.get(address, 0)}
