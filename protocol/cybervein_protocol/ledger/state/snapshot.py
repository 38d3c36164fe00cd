"""Restoring a state from its rows: nothing is believed but the app hash."""

from collections.abc import Iterable

from cybervein_protocol.errors import CyberVeinError, MalformedError, ProofError
from cybervein_protocol.ledger.state import smt
from cybervein_protocol.ledger.state.overlay import ROOT, StateStore
from cybervein_protocol.ledger.state.rows import decode_row


def restore(store: StateStore, rows: Iterable[tuple[bytes, bytes]], app_hash: bytes) -> None:
    """Fill an empty store with `machine.snapshot()` of a chain whose block says `app_hash`.

    Raises ProofError if the rows are not that state, MalformedError for a row that is none.
    """
    taken: dict[bytes, bytes | None] = {}
    for key, data in rows:
        _check_row(key, data)
        taken[key] = data
    tree = smt.update(smt.EMPTY, taken, store.node)
    if tree.root != app_hash:
        raise ProofError(
            f"snapshot of {len(taken)} rows hashes to {tree.root.hex()[:16]}, expected "
            f"{app_hash.hex()[:16]}; take it again, from the height of that block"
        )
    store.write(taken, {**tree.nodes(), ROOT: tree.root})


def _check_row(key: bytes, data: bytes) -> None:
    try:
        decode_row(key, data)
    except (KeyError, CyberVeinError) as error:
        raise MalformedError(f"snapshot: row {key[:24]!r} is of no known table or shape") from error
