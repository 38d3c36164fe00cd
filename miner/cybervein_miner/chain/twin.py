"""Whether another process mines under this identity: two ways to notice it.

By the ledger: only this key can change what it has of this miner. If it had what this process asked
for and later has something else, somebody else asked. Both processes see that, as each puts its own
address back once an epoch; neither does it more often, so that the ledger is no battlefield.

By name, where both ask for the same: each process has a random name. The super node tells which one
answers at the miner's URL, and which others named themselves since this one began.
"""

from dataclasses import dataclass
from typing import Final

import structlog

REMEMBERED_SECONDS: Final = 3600.0
OLDER: Final = "of an earlier release"
"""The name of a process that tells none."""
_log = structlog.get_logger()


@dataclass(slots=True)
class Twin:
    """`instance` is this process; `other` is what the ledger was told by somebody else.

    `others` are the names of other processes, `leads` is the name of the one that `url` leads to,
    "" where it leads to nobody. All are empty while nobody was seen.
    """

    instance: str = ""
    other: str = ""
    others: tuple[str, ...] = ()
    leads: str = ""
    url: str = ""
    _agreed: bool = False
    _seen: float = 0.0

    @property
    def seen(self) -> bool:
        """Whether there is another process, as far as anybody can tell."""
        return bool(self.other or self.others)

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

    def meet(self, url: str, leads: str, named: set[str]) -> None:
        """What the super node tells: who answers at `url`, and who named itself."""
        before = self.others
        self.url, self.leads = url, leads
        self.others = tuple(sorted({leads, *named} - {"", self.instance}))
        if self.others and self.others != before:
            _log.error(
                "another process mines under this identity",
                its=", ".join(self.others),
                ours=self.instance,
                do=self._advice(),
            )
        elif before and not self.others:
            _log.info("no other process mines under this identity any more", was=", ".join(before))

    def problem(self) -> str:
        """One line, empty while nobody was seen."""
        if self.other:
            return (
                f"another process mines under this identity (the ledger was told {self.other}); "
                "stop one of the two: an identity is never run twice"
            )
        if not self.others:
            return ""
        return (
            f"another process mines under this identity (instance {', '.join(self.others)}; this "
            f"one is {self.instance}): {self._advice()}; an identity is never run twice"
        )

    def _advice(self) -> str:
        """Which one to stop: orders and reads go where the URL leads."""
        if self.leads == self.instance:
            return f"{self.url} leads to this one, so stop the other"
        if self.leads:
            return (
                f"{self.url} leads to the other, so stop this one; or stop the other and let "
                f"{self.url} lead here"
            )
        return f"{self.url} leads to neither, so stop one of the two"
