"""One row of a super node's listing that makes no sense does not hide the others."""

from typing import Any

import msgspec
import pytest
from cybervein_client.ledger.supernode import CustomersSuperNode
from cybervein_protocol.api.super_node.deals import ShardDocument
from cybervein_protocol.api.super_node.miners import ListedMiner
from cybervein_protocol.signing import address
from cybervein_runtime.http_client import SignedClient
from documents import made
from small_server import answering

MINER, ROOT = address(b"\1" * 32), "ab" * 32
BAD: list[dict[str, Any]] = [{"root": "no hex"}, {"miner": "cvNobody"}, {"miner": None}]


def shard(**known: Any) -> dict[str, Any]:
    fields = {"root": ROOT, "miner": MINER, "url": "http://127.0.0.1:1"}
    return dict(msgspec.to_builtins(made(ShardDocument, **(fields | known))))


@pytest.mark.parametrize("bad", BAD, ids=str)
async def test_the_holders_that_can_be_read_are_found(bad: dict[str, Any]) -> None:
    listing = {"shards": [shard(index=0), shard(index=1, **bad), shard(index=2)]}
    with answering(lambda _: listing) as (url, _):
        async with SignedClient() as http:
            found = await CustomersSuperNode(url, http).holders("bafy")
    assert [each.index for each in found] == [0, 2]


async def test_a_miner_whose_address_is_none_does_not_hide_the_others() -> None:
    names = ("cvNobody", MINER)
    rows = [msgspec.to_builtins(made(ListedMiner, address=name, url=name)) for name in names]
    with answering(lambda _: {"miners": rows, "total": 2, "next": None}) as (url, _):
        async with SignedClient() as http:
            assert await CustomersSuperNode(url, http).miner_urls() == {b"\1" * 32: MINER}
