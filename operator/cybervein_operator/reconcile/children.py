"""The objects of a pool, a miner or a super node, each on its own.

What the API server refuses of one is told, with its words and the way out, and holds up no other.
"""

from dataclasses import replace

from cybervein_protocol.errors import ConflictError

from cybervein_operator.api import MinerPool, Network
from cybervein_operator.api.kinds import BY_KIND, ClusterKind
from cybervein_operator.cluster.client import Object
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.judgement import causes
from cybervein_operator.judgement.conditions import Notice
from cybervein_operator.judgement.miner import Trouble, worst
from cybervein_operator.reconcile.tools import Tools

_KEPT = {ClusterKind.CLAIM, ClusterKind.SECRET, ClusterKind.CONFIG_MAP}


class Children:
    """One look at the objects of a resource: `ensure` each, then ask for the `trouble`."""

    def __init__(self, tools: Tools, of: MinerPool | Network) -> None:
        self._tools, self._of = tools, of
        self._troubles: list[Trouble] = []

    @property
    def trouble(self) -> Trouble | None:
        """The worst of what was refused."""
        return worst(self._troubles)

    @property
    def foreign_claim(self) -> bool:
        """Whether somebody else's claim has our name: no pod may be started on it."""
        return any(each.blocks and each.reason == "Conflict" for each in self._troubles)

    def note(self, trouble: Trouble | None) -> None:
        """Something else is amiss."""
        if trouble is not None:
            self._troubles.append(trouble)

    async def ensure(self, manifest: Object) -> None:
        """The object is as the manifest says, or it is noted why it is not."""
        kind, meta = BY_KIND[manifest["kind"]], manifest["metadata"]
        try:
            await self._tools.applier.ensure(manifest)
        except ConflictError as error:
            blocks = kind is ClusterKind.CLAIM
            self.note(Trouble("Conflict", str(error), blocks=blocks, spares=not blocks))
        except ApiError as error:
            self.refused(kind, meta["name"], error)
        words = self._tools.applier.news(kind, meta["namespace"], meta["name"])
        if words:
            await self._tools.recorder.post(self._of, Notice("Normal", "MadeAnew", words))

    def refused(self, kind: ClusterKind, name: str, error: ApiError) -> None:
        """The API server refuses an object; no other waits for it."""
        what = f"{kind.resource.kind} {name}"
        named = causes.refused(error.words)
        words = f"{what} is refused: {named.message}"
        if named.reason == "Refused":
            words = f"{words}; {_way_out(kind, error)}"
        self.note(replace(named, message=words, spares=True))


def _way_out(kind: ClusterKind, error: ApiError) -> str:
    if error.forbidden:
        return "allow it (rights, quota, admission policy), or change the spec"
    if kind in _KEPT:
        return "put right what these words name; it is never deleted for you"
    return "put right what these words name, or delete it: it is made anew"
