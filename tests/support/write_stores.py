"""Writes the four stores with whatever release of CyberVein is imported, and dumps them as SQL.

    PYTHONPATH=SOURCES... python write_stores.py FOLDER

It uses only what every release since the first has; all keys and times are fixed, so one release
always writes the same rows.
"""

import sqlite3
import sys
from contextlib import suppress
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any

from cybervein_client.catalogue import rows
from cybervein_client.catalogue.rows import DealState, FileRow, FileState, SegmentRow
from cybervein_client.catalogue.store import Catalogue
from cybervein_protocol.encoding import cid_root, encode, node_cid
from cybervein_protocol.presets import TEST
from cybervein_protocol.signing import KeyPair


def _any(*places: str) -> Any:
    """The first `module:name` that this release has; today's place first."""
    for place in places:
        module, name = place.split(":")
        with suppress(ImportError, AttributeError):
            return getattr(import_module(module), name)
    raise ImportError(f"none of {places} is there: name today's place first")


def _ledger(name: str, today: str, earlier: str) -> Any:
    return _any(
        f"cybervein_protocol.ledger.{today}:{name}", f"cybervein_protocol.ledger.{earlier}:{name}"
    )


MinerRegister = _ledger("MinerRegister", "mining.bodies", "bodies")
PlotBatch = _ledger("PlotBatch", "mining.bodies", "bodies")
PlotEntry = _ledger("PlotEntry", "mining.bodies", "bodies")
SpaceEntry = _ledger("SpaceEntry", "mining.measurements", "bodies")
Transfer = _ledger("Transfer", "accounts.transfers", "bodies")
Allocation = _ledger("Allocation", "units.genesis", "genesis")
Genesis = _ledger("Genesis", "units.genesis", "genesis")
SuperNode = _ledger("SuperNode", "units.genesis", "genesis")
network_id = _ledger("network_id", "units.genesis", "genesis")
make_unit = _ledger("make_unit", "units.unit", "unit")
make_paid_unit = _ledger("make_paid_unit", "units.unit", "unit")
parse_unit = _ledger("parse_unit", "chain.border", "unit")
Journal = _any("cybervein_miner.record.journal:Journal", "cybervein_miner.journal:Journal")
Chain = _any("cybervein_supernode.chain.store:Chain", "cybervein_supernode.engine.chain:Chain")
Notebook, Grant, Loss = (
    _any(f"cybervein_supernode.desk.notebook:{name}", f"cybervein_supernode.notebook:{name}")
    for name in ("Notebook", "Grant", "Loss")
)

SUPER, WALLET, MINER = (KeyPair(name * 32) for name in (b"s", b"w", b"m"))
GENESIS = Genesis(
    v=1,
    chain="cybervein",
    created=1_700_000_000,
    preset=TEST,
    super_nodes=[
        SuperNode(key=SUPER.public, vrf=b"v" * 32, seal=b"\x09" * 32, url="http://127.0.0.1:1")
    ],
    accounts=[Allocation(key=WALLET.public, balance=10**15)],
    roots=[b"a" * 32, b"b" * 32],
)
FILES = ("ledger", "notebook", "journal", "catalogue")


def write_ledger(path: Path) -> None:
    """Three blocks: a transfer, a miner, its batch of two plots."""
    chain = Chain(path, GENESIS)
    chain.execute([_unit(chain, WALLET, "transfer", _transfer(), 0, free=False)], SUPER)
    chain.execute([_unit(chain, MINER, "miner.register", _register(), 0, free=True)], SUPER)
    plots = [PlotEntry(index=i, kappa=bytes([i]) * 32, gamma=b"g" * 32) for i in range(2)]
    batch = _unit(chain, MINER, "plot.batch", PlotBatch(plots=plots, bond=0), 1, free=True)
    chain.execute([batch], SUPER)
    chain.close()


def next_transfer(chain: Any) -> Any:
    """What continues the chain that `write_ledger` wrote."""
    return _unit(chain, WALLET, "transfer", _transfer(), 1, free=False)


def _unit(  # noqa: PLR0913 -- a unit's own fields
    chain: Any,
    key: KeyPair,
    kind: str,
    body: Any,
    nonce: int,
    *,
    free: bool,
) -> Any:
    network, parents = network_id(GENESIS), chain.tips.parents()
    what = (kind, body) if "kind" in signature(make_unit).parameters else (body,)
    if free:
        unit = make_unit(network, *what, parents=parents, key=key, nonce=nonce, fee=0)
    else:
        unit = make_paid_unit(network, *what, parents=parents, key=key, nonce=nonce, preset=TEST)
    return parse_unit(encode(unit), network, TEST.unit_bytes_max)


def _transfer() -> Any:
    return Transfer(to=MINER.public, amount=7, memo="as ever")


def _register() -> Any:
    return MinerRegister(
        vrf=b"v" * 32, payout=MINER.public, url="http://127.0.0.1:2", group="g", owner="o"
    )


def write_notebook(path: Path) -> None:
    """One row of each table that every release has."""
    notebook = Notebook(path)
    entry = SpaceEntry(
        miner=MINER.public,
        sent=3,
        estimate=3,
        smallest=bytes(8),
        vrf_proof=bytes(80),
        evidence=b"e" * 32,
        miner_sig=bytes(64),
    )
    notebook.add_space(4, entry)
    notebook.add_grants(b"d" * 32, 4, [Grant(0, 1, MINER.public, 4096)])
    notebook.mark_seen(MINER.public, 4)
    notebook.add_loss(Loss(b"l" * 32, MINER.public, "no answer", 4))
    notebook.close()


_DEAL = cid_root(node_cid(b"\xa0"))
_ROWS = (
    ("INSERT INTO disk VALUES (?, ?, 0)", (b"d" * 16, "/mnt/one")),
    ("INSERT INTO shard VALUES (?, ?, 4096, 'held', 3, 2)", (b"r" * 32, b"d" * 16)),
    ("INSERT INTO claim VALUES (?, ?, 0, 1, ?)", (b"r" * 32, _DEAL, b"o" * 32)),
    ("INSERT INTO order_use VALUES (?, 4096, 9)", (b"i" * 32,)),
    (
        "INSERT INTO plot VALUES (0, ?, ?, ?, ?, ?, 'active', ?, 3, 2)",
        (b"d" * 16, b"u" * 32, b"k" * 32, b"g" * 32, b"p" * 32, b"b" * 32),
    ),
    ("INSERT INTO batch VALUES (?, ?, 'active', 3, 1)", (b"b" * 32, b"unit")),
    ("INSERT INTO counter VALUES ('epoch', 7)", ()),
)


def write_journal(path: Path) -> None:
    """One row of each table."""
    journal = Journal(path)
    for sql, values in _ROWS:
        journal.write_now(lambda db, sql=sql, values=values: db.execute(sql, values))
    journal.close()


def write_catalogue(path: Path) -> None:
    """A stored file with a deal, a segment, a node and known holders."""
    catalogue = Catalogue(path)
    catalogue.add_file(
        FileRow("f1", "photo", "/home/photo.jpg", 70000, 1, b"k" * 32, 2, 3, 10,
                FileState.UPLOADING, None, 1_700_000_000)
    )  # fmt: skip
    deal_row = getattr(rows, "CatalogueDeal", None) or rows.DealRow  # its name until 0.2.0
    catalogue.add_deal(
        deal_row("f1", 0, 0, 1, "bafy-deal", b"open", b"commit", 12345, DealState.ACTIVE)
    )
    catalogue.put_segment(
        SegmentRow(file="f1", number=0, salt=b"s" * 32, size=70000, chunks=2, last=True, shards=())
    )
    catalogue.finish_file("f1", 70000, "bafy-file", {"bafy-file": b"node"})
    catalogue.save_holders("bafy-deal", b"holders")
    catalogue.close()


def dump(path: Path) -> str:
    """The file as SQL, its version with it: `iterdump` leaves that out."""
    sql = sqlite3.connect(path)
    (version,) = sql.execute("PRAGMA user_version").fetchone()
    (owner,) = sql.execute("PRAGMA application_id").fetchone()
    pragmas = [f"PRAGMA application_id = {owner};", f"PRAGMA user_version = {version};"]
    text = "\n".join([*sql.iterdump(), *pragmas]) + "\n"
    sql.close()
    return text


def main(folder: Path) -> None:
    """All four, as files and as dumps."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        path = folder / f"{name}.sqlite"
        globals()[f"write_{name}"](path)
        (folder / f"{name}.sql").write_text(dump(path))
        path.unlink()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
