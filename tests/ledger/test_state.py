"""Overlays: what is above hides what is below, and nothing below moves before a merge."""

from cybervein_protocol.encoding import encode
from cybervein_protocol.ledger.state.overlay import Committed, MemoryStore, Overlay
from cybervein_protocol.ledger.state.rows import ACCOUNTS, AccountRow
from hypothesis import given
from hypothesis import strategies as st

IDS = st.sampled_from([bytes((first, second)) for first in range(3) for second in range(3)])
CHANGES = st.dictionaries(IDS, st.none() | st.integers(0, 9), max_size=9)


def put(overlay: Overlay, changes: dict[bytes, int | None]) -> None:
    for identity, balance in changes.items():
        if balance is None:
            overlay.delete(ACCOUNTS, identity)
        else:
            overlay.put(ACCOUNTS, identity, AccountRow(balance=balance))


def seen(overlay: Overlay, prefix: bytes = b"") -> dict[bytes, int]:
    return {key: row.balance for key, row in overlay.scan(ACCOUNTS, prefix)}


def plain(*layers: dict[bytes, int | None]) -> dict[bytes, int]:
    merged: dict[bytes, int | None] = {}
    for layer in layers:
        merged |= layer
    return {key: merged[key] for key in sorted(merged) if merged[key] is not None}  # type: ignore[misc]


def store_of(rows: dict[bytes, int | None]) -> MemoryStore:
    store = MemoryStore()
    rows_bytes = {
        ACCOUNTS.key(key): encode(AccountRow(balance=balance))
        for key, balance in rows.items()
        if balance is not None
    }
    store.write({b"zzz": b"other", b"acct": b"other", **rows_bytes}, {})
    return store


@given(CHANGES, CHANGES, CHANGES, st.binary(max_size=1))
def test_layers_are_like_dicts_on_top_of_each_other(
    stored: dict[bytes, int | None],
    block: dict[bytes, int | None],
    unit: dict[bytes, int | None],
    prefix: bytes,
) -> None:
    below = Overlay(Committed(store_of(stored)))
    put(below, block)
    above = Overlay(below)
    put(above, unit)
    expected = plain(stored, block, unit)
    assert list(seen(above).items()) == list(expected.items())
    assert seen(above, prefix) == {k: v for k, v in expected.items() if k.startswith(prefix)}
    assert seen(below) == plain(stored, block)
    below.merge(above)
    assert seen(below) == expected
    for identity in expected:
        row = below.get(ACCOUNTS, identity)
        assert row is not None
        assert row.balance == expected[identity]


@given(CHANGES, CHANGES)
def test_a_memory_store_scans_in_order_after_any_writes(
    first: dict[bytes, int | None], second: dict[bytes, int | None]
) -> None:
    store = store_of(first)
    changes = {
        ACCOUNTS.key(key): None if balance is None else b"%d" % balance
        for key, balance in second.items()
    }
    store.write(changes, {})
    assert [key for key, _ in store.scan(b"")] == sorted(store.rows)
    assert dict(store.scan(b"")) == store.rows


def test_committed_rows_follow_what_was_written() -> None:
    store = store_of({b"a": 1})
    committed = Committed(store)
    key = ACCOUNTS.key(b"a")
    assert committed.find(key) == AccountRow(balance=1)
    store.write({key: None}, {})
    committed.replace({key: None})
    assert committed.find(key) is None
    committed.replace({key: AccountRow(balance=2)})
    assert committed.find(key) == AccountRow(balance=2)
