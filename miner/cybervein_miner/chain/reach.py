"""Whether the super node reaches this miner: its own word, as nobody can tell from inside.

What it saw before this process began, or at another address than the ledger has now, says nothing.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import structlog
from cybervein_protocol.api.super_node.miners import NOT_ASKED, FullMinerDocument
from cybervein_runtime.addresses import is_loopback

from cybervein_miner.chain.clock import NetworkClock

LOOPBACK: Final = "no other machine reaches this address: give --host 0.0.0.0, and --url if need be"
ELSEWHERE: Final = "open this port in router and firewall, or give --url the address others use"
_log = structlog.get_logger()


@dataclass(slots=True)
class Reach:
    """`reached` is None until the super node has tried `url`, `reason` is why nobody answered."""

    clock: NetworkClock
    reached: bool | None = None
    url: str = ""
    reason: str = ""
    _began: float = 0.0

    def begin(self) -> None:
        """This miner serves from now on."""
        self._began = self.clock.monotonic()

    def see(self, view: FullMinerDocument) -> None:
        """Take over what the super node says; a change is one line of the log."""
        before = (self.reached, self.url)
        self.reached = view.online if self._tried(view) else None
        self.url, self.reason = view.url, "" if view.online else view.unreachable
        if self.reached is None or before == (self.reached, self.url):
            return
        if self.reached:
            _log.info("super node reaches you", url=self.url)
        else:
            _log.warning(
                "super node cannot reach you", url=self.url, reason=self.reason, do=self.advice()
            )

    def _tried(self, view: FullMinerDocument) -> bool:
        if not isinstance(view.asked, float) or not isinstance(view.asked_url, str):
            return view.unreachable != NOT_ASKED  # a super node of 0.2.0
        return view.asked >= self.since() and view.asked_url == view.url

    def since(self) -> float:
        """When this miner began to serve, in the network's time."""
        return self.clock.now() - (self.clock.monotonic() - self._began)

    def advice(self) -> str:
        """What a person can do where nobody gets through."""
        return LOOPBACK if is_loopback(urlsplit(self.url).hostname or "") else ELSEWHERE

    def problem(self) -> str:
        """One line, empty unless the super node tried and got no answer."""
        if self.reached is not False:
            return ""
        return f"super node cannot reach you at {self.url}: {self.reason}; {self.advice()}"
