"""A journal that was made anew says that it does not know what running orders had used."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from cybervein_miner.record.journal import Journal
from cybervein_miner.shard.orders import OrderBook
from structlog.testing import capture_logs

LIFE = 8  # epochs
Book = Callable[[], OrderBook]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    """The order book of one journal, as each start opens it."""
    with ExitStack() as stack:

        def opened() -> OrderBook:
            stack.close()
            return OrderBook(stack.enter_context(closing(Journal(tmp_path / "miner.sqlite"))))

        yield opened


async def test_a_miner_that_was_there_before_its_journal_says_so_until_they_have_run_out(
    book: Book,
) -> None:
    assert book().unknown_until(5) is None, "nothing is said before the ledger was heard"
    with capture_logs() as lines:
        await book().decide(5, 2, LIFE)
    assert [line["until_epoch"] for line in lines] == [13]
    again = book()
    await again.decide(6, 2, LIFE)
    assert [again.unknown_until(epoch) for epoch in (6, 13, 14)] == [13, 13, None]


async def test_a_new_miner_has_nothing_to_say(book: Book) -> None:
    with capture_logs() as lines:
        await book().decide(5, None, LIFE)
        await book().decide(9, 5, LIFE)
    assert (lines, book().unknown_until(9)) == ([], None)


async def test_a_journal_of_before_knows_all(tmp_path: Path, book: Book) -> None:
    with closing(Journal(tmp_path / "miner.sqlite")) as older:
        older.write_now(lambda db: db.execute("INSERT INTO disk VALUES (x'01', '/mnt/a', 0)"))
    old = book()
    await old.decide(9, 2, LIFE)
    assert old.unknown_until(9) is None
