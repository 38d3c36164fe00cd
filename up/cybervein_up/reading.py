"""The scripted run's reads: the whole file or a segment of it, compared with what was stored."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from cybervein_up.customer import Customer
from cybervein_up.report import RunReport, Segment

_COMPARE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """Reads `name` as the customer and writes down whether it is `file`."""

    customer: Customer
    report: RunReport
    file: Path
    name: str
    copies: Path

    async def whole(self, what: str) -> float:
        """Get the file and compare every byte; the seconds that `get` took."""
        copy = self.copies / "whole"
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.unlink(missing_ok=True)
        got = await self.customer.run("get", self.name, "--out", str(copy))
        same = await asyncio.to_thread(_same, self.file, copy)
        self.report.check(what, ok=same, detail=f"{copy.stat().st_size} bytes")
        copy.unlink()
        return got.seconds

    async def segment(self, segment: Segment) -> None:
        """Read a segment's bytes and compare them with the file's."""
        read = b""
        if segment.stop > segment.start:
            span = f"{segment.start}-{segment.stop - 1}"
            cat = await self.customer.run("cat", self.name, "--range", span, as_json=False)
            read = cat.output
        with self.file.open("rb") as file:
            file.seek(segment.start)
            expected = file.read(segment.stop - segment.start)
        what = f"the segment reads from its last {segment.k} holders"
        self.report.check(what, ok=read == expected, detail=f"{len(read)} bytes")


def _same(first: Path, second: Path) -> bool:
    """Both files hold the same bytes; constant memory."""
    with first.open("rb") as one, second.open("rb") as other:
        while True:
            a, b = one.read(_COMPARE_BYTES), other.read(_COMPARE_BYTES)
            if a != b:
                return False
            if not a:
                return True
