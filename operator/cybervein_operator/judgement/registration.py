"""Whether the ledger has of one miner what the spec asks for.

URL and payout account follow the spec: the miner sends `miner.update` until both are equal. Group
and owner stay what the registration said, as no unit changes them. A group that is the node's name
stays too when the miner moves to another node, which is no fault of anybody's.
"""

from dataclasses import dataclass
from typing import Final

from cybervein_operator.desired.address import HOST_IP
from cybervein_operator.miners.report import Declared

_HOST: Final = f"$({HOST_IP})"
_UPDATED: Final = ("url", "payout")
_FIXED: Final = ("group", "owner")


@dataclass(frozen=True, slots=True)
class Registration:
    """`wish` is None until the URL is known, `ledger` until the ledger has the miner.

    `looked` says that the ledger was asked. `by_node`: the group is the node's name.
    """

    wish: Declared | None = None
    ledger: Declared | None = None
    looked: bool = False
    by_node: bool = False

    @property
    def behind(self) -> tuple[str, ...]:
        """What differs until the miner tells the ledger."""
        return self._differs(_UPDATED)

    @property
    def astray(self) -> bool:
        """Whether others look for the miner where the spec says that it is not."""
        return "url" in self.behind

    @property
    def fixed(self) -> tuple[str, ...]:
        """What differs and stays so."""
        return tuple(each for each in self._differs(_FIXED) if each == "owner" or not self.by_node)

    @property
    def moved(self) -> bool:
        """Whether the ledger has the name of another node than the one that it runs on."""
        return self.by_node and "group" in self._differs(_FIXED)

    def words(self, fields: tuple[str, ...]) -> str:
        """Both sides of each of these fields."""
        return "; ".join(
            f"{each}: the ledger has {getattr(self.ledger, each)}, "
            f"the spec asks for {getattr(self.wish, each)}"
            for each in fields
        )

    def _differs(self, fields: tuple[str, ...]) -> tuple[str, ...]:
        if self.wish is None or self.ledger is None:
            return ()
        return tuple(
            each for each in fields if getattr(self.wish, each) != getattr(self.ledger, each)
        )


NOTHING_SEEN: Final = Registration()


def url_on_node(url: str, *seen: str) -> str:
    """A URL whose host the kubelet fills in: the first of `seen` that it can be, else as it is."""
    head, mark, tail = url.partition(_HOST)
    fits = (each for each in seen if each.startswith(head) and each.endswith(tail))
    return next(fits, url) if mark else url
