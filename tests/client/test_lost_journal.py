"""A miner whose journal is lost serves the owners of its shards again, from ledger and disks."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from cybervein_client import AsyncClient
from cybervein_client.upload import FileSource
from cybervein_protocol.audit import Outcome
from real_network import RealNetwork
from waiting import until_async


async def test_the_owner_reads_from_it_again(
    client: AsyncClient, network: RealNetwork, noise: Callable[[int, int], Path]
) -> None:
    file = await client.put(FileSource(noise(200_000, 3)), "file")
    [segment] = client.catalogue.segments(file.id)
    holder = network.holder(segment.shards[0].root)
    holder.kill()
    for part in (holder.home / "data").glob("miner.sqlite*"):
        part.unlink()
    await asyncio.to_thread(holder.start)

    async def served() -> bool:
        checks = await client.audit("file", 4)
        return {check.outcome for check in checks} == {Outcome.PASSED}

    await until_async(served, "every shard to pass its owner's audit", every_seconds=1)
    assert holder.log.read_text().count("claims of shards were taken from the ledger") == 1
