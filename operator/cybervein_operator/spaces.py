"""A watched namespace: everything that must be there before anything is decided in it."""

from dataclasses import dataclass

from cybervein_operator.cluster.presence import WatchedKind
from cybervein_operator.cluster.relist import KindList
from cybervein_operator.judgement.tenure import Missing, SpaceSeen


@dataclass(frozen=True, slots=True)
class WatchedSpace:
    """A watched namespace, "" for all: whatever must be there, and the lists of the three kinds."""

    name: str
    presences: tuple[WatchedKind, ...]
    lists: tuple[KindList, ...]

    @property
    def whole(self) -> bool:
        """Everything is watched."""
        return all(each.there for each in self.presences)

    @property
    def kinds(self) -> bool:
        """The three kinds are there, and may be read."""
        return all(each.presence.there for each in self.lists)

    def seen(self) -> SpaceSeen:
        """As `/readyz` tells it."""
        gone = [each for each in self.presences if not each.there]
        return SpaceSeen(
            name=self.name,
            kinds=len(self.presences),
            waits=tuple(each.kind.resource.kind for each in gone if not each.refusal),
            missing=tuple(
                Missing(each.kind.resource.kind, each.refusal) for each in gone if each.refusal
            ),
        )
