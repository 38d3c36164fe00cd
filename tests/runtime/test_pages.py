"""A listing has an end, whatever the super node says, and one bad row costs that row."""

from typing import Any

import msgspec
import pytest
from cybervein_protocol.api.super_node.miners import ListedMiner
from cybervein_protocol.errors import LimitError, MalformedError
from cybervein_protocol.signing import address
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.super_node import SuperNodeReader
from cybervein_runtime.super_node.pages import MINERS_PER_PAGE, PAGES_MAX
from documents import made
from small_server import answering


def key(number: int) -> str:
    return address(number.to_bytes(32, "big"))


def row(number: int, **known: Any) -> dict[str, Any]:
    return msgspec.to_builtins(made(ListedMiner, address=key(number), **known))


def page(*rows: Any, following: Any = None) -> dict[str, Any]:
    return {"miners": list(rows), "total": 7, "next": following}


async def listed(url: str) -> list[str]:
    async with SignedClient() as http:
        return [each.address for each in await SuperNodeReader(url, http).miners()]


async def test_pages_are_asked_for_one_after_the_other() -> None:
    answers = [page(row(1), following=key(1)), page(row(2), following=key(2)), page(row(3))]
    with answering(lambda n: answers[n - 1]) as (url, asked):
        assert await listed(url) == [key(1), key(2), key(3)]
    first = f"/v1/miners?limit={MINERS_PER_PAGE}"
    assert asked == [first, f"{first}&after={key(1)}", f"{first}&after={key(2)}"]


async def test_a_page_that_names_itself_or_an_earlier_one_ends_the_reading() -> None:
    with answering(lambda _: page(row(5), following=key(5))) as (url, asked):
        with pytest.raises(MalformedError, match="again; ask another super node"):
            await listed(url)
        assert len(asked) == 2
    around = [page(following=key(5)), page(following=key(9)), page(following=key(7))]
    with answering(lambda n: around[n - 1]) as (url, _), pytest.raises(MalformedError):
        await listed(url)


async def test_pages_that_advance_for_ever_end_at_a_maximum() -> None:
    with answering(lambda n: page(following=key(n))) as (url, asked):
        with pytest.raises(LimitError, match=f"page {PAGES_MAX} is the last one"):
            await listed(url)
        assert len(asked) == PAGES_MAX


async def test_a_page_of_more_rows_than_were_asked_for_is_refused() -> None:
    too_long = page(*[{}] * (MINERS_PER_PAGE + 1))
    with answering(lambda _: too_long) as (url, _), pytest.raises(LimitError, match="asked for"):
        await listed(url)


@pytest.mark.parametrize(
    "bad",
    [
        {"address": "cv"}, {}, None, [], 7, row(2) | {"url": None}, row(2) | {"rewards": "x"},
        row(2, url="u" * 20_000),
    ],
)  # fmt: skip
async def test_one_bad_row_does_not_hide_the_others(bad: Any) -> None:
    with answering(lambda _: page(row(1), bad, row(3))) as (url, _):
        assert await listed(url) == [key(1), key(3)]


@pytest.mark.parametrize(
    "answer",
    [
        b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, {"miners": {}, "next": None},
        {"miners": [], "next": 7}, {"miners": []}, {"next": None},
        {"miners": [], "next": "cvNobody"},
    ],
    ids=str,
)  # fmt: skip
async def test_what_is_no_page_is_a_clear_error(answer: Any) -> None:
    with answering(lambda _: answer) as (url, _), pytest.raises(MalformedError):
        await listed(url)
