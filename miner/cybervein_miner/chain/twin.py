"""Whether another process mines under this identity: noticed where the ledger changes its mind.

Only this key can change what the ledger has of this miner. If it had what this process asked for
and later has something else, somebody else asked. Both processes see that, as each puts its own
address back once an epoch; neither does it more often, so that the ledger is no battlefield.
"""

from dataclasses import dataclass
from typing import Final

import structlog

REMEMBERED_SECONDS: Final = 3600.0
_log = structlog.get_logger()


@dataclass(slots=True)
class Twin:
    """`other` is what the ledger was told by somebody else, "" while nobody was seen."""

    other: str = ""
    _agreed: bool = False
    _seen: float = 0.0

    def see(self, wanted: str, there: str, now: float) -> None:
        """The ledger has `there`; `now` in monotonic seconds."""
        if there == wanted:
            self._agreed = True
        elif self._agreed:
            self._agreed = False
            if self.other != there:
                _log.error("another process mines under this identity", its=there, ours=wanted)
            self.other, self._seen = there, now
        if self.other and now - self._seen > REMEMBERED_SECONDS:
            self.other = ""

    def problem(self) -> str:
        """One line, empty while nobody was seen."""
        if not self.other:
            return ""
        return (
            f"another process mines under this identity (the ledger was told {self.other}); stop "
            "one of the two: an identity is never run twice"
        )
