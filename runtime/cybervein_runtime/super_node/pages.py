"""The listing of miners, page by page, from a super node that may lie.

Each `next` is an address whose key is above the one before, so the listing advances; the number of
pages, the rows of each and their bytes are bounded. A row that is no miner costs that row, not the
others.
"""

from typing import Final
from urllib.parse import quote

import msgspec
from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.document import Document
from cybervein_protocol.api.super_node.miners import ListedMiner
from cybervein_protocol.errors import LimitError, MalformedError
from cybervein_protocol.signing import parse_address

MINERS_PER_PAGE: Final = 500
PAGES_MAX: Final = 200
ROW_BYTES_MAX: Final = 16 << 10
PAGE_BYTES_MAX: Final = MINERS_PER_PAGE * ROW_BYTES_MAX


class MinerPage(Document):
    """A `MinerListing` whose rows are still to be read."""

    miners: list[msgspec.Raw]
    next: str | None


class MinerPages:
    """What to ask for next is `path`, None at the end; `source` names the super node in errors."""

    def __init__(self, source: str) -> None:
        self.miners: list[ListedMiner] = []
        self.path: str | None = f"/v1/miners?limit={MINERS_PER_PAGE}"
        self._source, self._pages, self._after = source, 0, b""

    def take(self, body: bytes) -> None:
        """The answer to `path`. Raises MalformedError or LimitError."""
        what = f"{self._source}{self.path}"
        page = decode_document(body, MinerPage, what, PAGE_BYTES_MAX)
        self._pages += 1
        if len(page.miners) > MINERS_PER_PAGE:
            raise LimitError(f"{what}: {len(page.miners)} rows, {MINERS_PER_PAGE} were asked for")
        self._read(page.miners, what)
        self.path = None if page.next is None else self._following(page.next, what)

    def _following(self, after: str, what: str) -> str:
        key = parse_address(after)
        if key <= self._after:
            raise MalformedError(
                f"{what}: the page after it would begin at {after} again; ask another super node"
            )
        if self._pages == PAGES_MAX:
            raise LimitError(f"{what}: page {PAGES_MAX} is the last one that is read, more follow")
        self._after = key
        return f"/v1/miners?limit={MINERS_PER_PAGE}&after={quote(after)}"

    def _read(self, rows: list[msgspec.Raw], what: str) -> None:
        bad: list[Exception] = []
        for place, raw in enumerate(rows):
            try:
                row = decode_document(
                    bytes(raw), ListedMiner, f"{what}, row {place}", ROW_BYTES_MAX
                )
                self.miners.append(row)
            except (LimitError, MalformedError) as error:
                bad.append(error)
        if bad:
            from cybervein_runtime.super_node.left_out import tell_left_out  # noqa: PLC0415 -- see there

            tell_left_out(bad)
