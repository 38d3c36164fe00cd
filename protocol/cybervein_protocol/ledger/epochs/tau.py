"""tau: which units an epoch executed, in order, as one root that grows with every block.

Those are all units of the epoch's engine blocks, void ones and the closing one too. The row
`meta/tau` keeps of the tree over the blocks' lists what is needed to continue (`tree.growing`), so
a block costs the same however long the epoch is: one hash of its list, by the BLAKE3 library, and
32 bytes more in the tree.
"""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from blake3 import blake3
from msgspec import UNSET, UnsetType

from cybervein_protocol.ledger.state.overlay import Overlay
from cybervein_protocol.ledger.state.rows import (
    EPOCHS,
    TAU,
    TAU_ID,
    UNITS,
    Tau,
    TauRow,
    epoch_id,
)
from cybervein_protocol.ledger.units.run import head
from cybervein_protocol.tree import GrowingTree

_DIGEST = 32
_NONE = TauRow(units=0, blocks=0, stack=[], rest=b"")
Ids = Sequence[bytes]
"""A block's units, in order, by the digests of their CIDs."""


def grow_tau(state: Overlay, ids: Ids) -> None:
    """Append a block whose units the state knows already.

    The first block of these rules finds no row: then it appends what the epoch had under earlier
    rules, too, by the units' own rows, so that no epoch is without its units.
    """
    row = state.get(TAU, TAU_ID)
    lists = [ids] if row is not None else _lists_of_epoch(state)
    state.put(TAU, TAU_ID, _extended(row or _NONE, [entry for entry in lists if entry]))


def close_tau(state: Overlay, epoch: int) -> Tau | UnsetType:
    """What the closed epoch's row keeps, the next epoch's begun; unset under rules 1."""
    row = state.get(TAU, TAU_ID)
    if row is None:
        return UNSET
    state.put(TAU, TAU_ID, _NONE)
    return Tau(index=epoch, units=row.units, blocks=row.blocks, root=_tree(row).root())


def _tree(row: TauRow) -> GrowingTree:
    return GrowingTree(row.blocks * _DIGEST, tuple(row.stack), row.rest)


def _extended(row: TauRow, lists: Sequence[Ids]) -> TauRow:
    tree = _tree(row).extended(b"".join(blake3(b"".join(ids)).digest() for ids in lists))
    return TauRow(
        units=row.units + sum(map(len, lists)),
        blocks=row.blocks + len(lists),
        stack=list(tree.stack),
        rest=tree.rest,
    )


def _lists_of_epoch(state: Overlay) -> list[Ids]:
    """The lists of all blocks since an epoch closed last: one look at every unit there is."""
    running = head(state)
    before = state.get(EPOCHS, epoch_id(running.epoch - 1)) if running.epoch else None
    since = before.closed if before else 0
    units = ((row.height, row.index, digest) for digest, row in state.scan(UNITS))
    places = sorted(place for place in units if place[0] > since)
    return [[digest for *_, digest in block] for _, block in groupby(places, itemgetter(0))]
