"""Calls to a disk that are under way: one that is overdue is all that "the disk hangs" means.

No timer and no probe is needed. Whoever asks looks at what has begun and not ended; when the call
returns, the disk is well again in the same moment.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

ANSWER_SECONDS: Final = 30.0
"""A disk under heavy load answers a read or a sync within this time; after it, it is not asked."""


@dataclass(eq=False, slots=True)
class Call:
    """One call; `seconds` is how long it may take since its last `beat`, None: any time."""

    doing: str
    seconds: float | None
    clock: Callable[[], float]
    since: float
    resting: bool = False

    def rest(self) -> None:
        """Somebody else is waited for, until the next beat."""
        self.resting = True

    def beat(self) -> None:
        """The disk has answered a part: the time begins anew."""
        self.since, self.resting = self.clock(), False

    def waited(self) -> float:
        """Seconds since the last beat, 0 while they are within what is allowed."""
        if self.seconds is None or self.resting:
            return 0.0
        waited = self.clock() - self.since
        return waited if waited > self.seconds else 0.0


@dataclass(eq=False, slots=True)
class Calls:
    """The calls of one disk, from any thread."""

    clock: Callable[[], float] = time.monotonic
    _open: dict[int, Call] = field(default_factory=dict)

    @contextmanager
    def under_way(self, doing: str, seconds: float | None) -> Iterator[Call]:
        """List a call for as long as the block runs."""
        call = Call(doing, seconds, self.clock, self.clock())
        self._open[id(call)] = call
        try:
            yield call
        finally:
            del self._open[id(call)]

    def overdue(self) -> str:
        """What the disk has not answered in time, in words; "" while it answers."""
        late = [(call.waited(), call.doing) for call in tuple(self._open.values())]
        waited, doing = max(late, default=(0.0, ""))
        return f"it has not answered for {waited:.0f} s: {doing}" if waited else ""
