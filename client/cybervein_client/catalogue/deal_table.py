"""Deals: recorded before they are sent, and what the ledger says of their ends."""

from dataclasses import astuple, fields, replace
from typing import Any

from cybervein_client.catalogue.opened import OpenCatalogue, columns
from cybervein_client.catalogue.rows import CatalogueDeal, DealEnd, DealState
from cybervein_client.catalogue.shards import encoded


class DealTable(OpenCatalogue):
    """The deals of a catalogue's files."""

    def units(self) -> list[bytes]:
        """A unit of this wallet as it was sent, if there is a deal: it names the network."""
        return [raw for (raw,) in self._rows("SELECT open_unit FROM deals LIMIT 1")]

    def add_deal(self, row: CatalogueDeal) -> None:
        """Record a signed `deal.open` before it is sent."""
        marks = ", ".join("?" * len(fields(CatalogueDeal)))
        with self._write() as database:
            database.execute(
                f"INSERT OR REPLACE INTO deals ({columns(CatalogueDeal)}) VALUES ({marks})",  # noqa: S608 -- our own column names
                astuple(row),
            )

    def deals(self, file: str) -> list[CatalogueDeal]:
        """The file's deals, in order of their segments."""
        query = f"SELECT {columns(CatalogueDeal)} FROM deals WHERE file = ? ORDER BY ordinal"  # noqa: S608 -- our own column names
        return [_deal(row) for row in self._rows(query, file)]

    def set_deal_state(self, row: CatalogueDeal, state: DealState) -> None:
        """Move a deal to another state."""
        with self._write() as database:
            database.execute(
                "UPDATE deals SET state = ? WHERE file = ? AND ordinal = ?",
                (state, row.file, row.ordinal),
            )

    def deal_ends(self, file: str | None = None) -> list[DealEnd]:
        """When the deals of a file, or of all files, end."""
        query = (
            f"SELECT {columns(DealEnd)} FROM deals "  # noqa: S608 -- our own column names
            "WHERE file = ?1 OR ?1 IS NULL ORDER BY file, ordinal"
        )
        rows = [DealEnd(*row) for row in self._rows(query, file)]
        return [replace(row, state=DealState(row.state)) for row in rows]

    def set_deal_end(self, row: DealEnd) -> None:
        """Record what the ledger says of a deal: its state, when it ends, how much it holds."""
        with self._write(memo=True) as database:
            database.execute(
                "UPDATE deals SET state = ?, expires = ?, kib = ? WHERE file = ? AND ordinal = ?",
                (row.state, row.expires, row.kib, row.file, row.ordinal),
            )

    def set_commit(self, row: CatalogueDeal, unit: bytes) -> None:
        """Record a signed `deal.commit` before it is sent."""
        with self._write() as database:
            database.execute(
                "UPDATE deals SET state = ?, commit_unit = ? WHERE file = ? AND ordinal = ?",
                (DealState.COMMITTING, unit, row.file, row.ordinal),
            )

    def drop_deal(self, row: CatalogueDeal) -> None:
        """Forget a deal that the ledger voided or refunded, and its segments' receipts."""
        with self._write() as database:
            database.execute(
                "DELETE FROM deals WHERE file = ? AND ordinal = ?", (row.file, row.ordinal)
            )
            database.execute(
                "UPDATE segments SET shards = ? WHERE file = ? AND number >= ? AND number < ?",
                (encoded(()), row.file, row.first, row.first + row.segments),
            )


def _deal(row: tuple[Any, ...]) -> CatalogueDeal:
    made = CatalogueDeal(*row)
    return replace(made, state=DealState(made.state))
