"""Files that earlier releases wrote are opened by this one, and nothing in them is lost.

`dumps/RELEASE` are their files as SQL (`write_stores.py` wrote them with that release's sources);
`before-0.1.0` has the schemas of the weeks before the first release, `before-0.3.0` those of the
main branch before a page of plots had its index.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import write_stores
from cybervein_client.catalogue.rows import DealState, FileState, SourceFacts
from cybervein_client.catalogue.schema import CATALOGUE
from cybervein_client.catalogue.store import Catalogue
from cybervein_miner.record.journal import JOURNAL, Journal
from cybervein_protocol.errors import StorageError
from cybervein_protocol.ledger.chain.block import decode_block
from cybervein_runtime.database import Store, open_database
from cybervein_supernode.chain.database import LEDGER
from cybervein_supernode.chain.store import Chain
from cybervein_supernode.desk.notebook import NOTEBOOK, Grant, Loss, Notebook
from dumps import DUMPS, restore

HERE = Path(__file__).parent
SOURCE_0_1_0 = HERE.parent / "chart" / "packages" / "cybervein-0.1.0-source.tar.gz"
RELEASES = ("before-0.1.0", "0.1.0", "0.2.0", "before-0.3.0")
STORES = {"ledger": LEDGER, "notebook": NOTEBOOK, "journal": JOURNAL, "catalogue": CATALOGUE}
STATE = ("state", "node")
"""What the ledger's hash is over: no upgrade touches it."""
Rows = dict[str, list[dict[str, object]]]


def rows_of(path: Path) -> Rows:
    """Every row of every table, by column."""
    sql = sqlite3.connect(path)
    sql.row_factory = sqlite3.Row
    tables = [name for (name,) in sql.execute("SELECT name FROM sqlite_master WHERE type='table'")]
    rows = {
        name: [dict(row) for row in sql.execute(f'SELECT * FROM "{name}"')]  # noqa: S608
        for name in tables
    }
    sql.close()
    return rows


def kept(after: Rows, before: Rows) -> Rows:
    """Of the rows after an upgrade, the tables and columns that were there before it."""
    return {
        table: [
            {name: row[name] for name in old} for row, old in zip(after[table], rows, strict=True)
        ]
        for table, rows in before.items()
    }


def schema_of(path: Path) -> set[str]:
    """Every object as its definition, spelt the same way."""
    sql = sqlite3.connect(path)
    found = sql.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    sql.close()
    return {" ".join(text.split()) for (text,) in found}


@pytest.mark.parametrize("name", STORES)
@pytest.mark.parametrize("release", RELEASES)
def test_every_row_survives_and_the_schema_is_that_of_a_new_file(
    release: str, name: str, tmp_path: Path
) -> None:
    store = STORES[name]
    path, fresh = restore(release, name, tmp_path), tmp_path / "fresh.sqlite"
    before = rows_of(path)
    open_database(path, store).close()
    open_database(fresh, store).close()
    after = rows_of(path)
    assert kept(after, before) == before
    assert any(before.values())
    assert schema_of(path) == schema_of(fresh)
    sql = sqlite3.connect(path)
    assert sql.execute("PRAGMA user_version").fetchone() == (store.version,)
    assert sql.execute("PRAGMA application_id").fetchone() == (store.application_id,)
    sql.close()


def _bytes_of(row: dict[str, object]) -> bytes:
    """The encoding in a row."""
    data = row["bytes"]
    assert isinstance(data, bytes)
    return data


@pytest.mark.parametrize("release", RELEASES)
def test_an_earlier_ledger_is_verified_and_continues(release: str, tmp_path: Path) -> None:
    path = restore(release, "ledger", tmp_path)
    before = rows_of(path)
    chain = Chain(path, write_stores.GENESIS)
    assert chain.head.height == 3
    assert chain.machine.app_hash == decode_block(_bytes_of(before["block"][-1])).app_hash
    after = rows_of(path)
    assert {name: after[name] for name in STATE} == {name: before[name] for name in STATE}
    [(miner,)] = chain._connection.execute("SELECT miner FROM batch_of").fetchall()
    assert miner == write_stores.MINER.public
    made = chain.execute([write_stores.next_transfer(chain)], write_stores.SUPER)
    assert (made.block.height, made.block.voids) == (4, [])
    chain.close()


@pytest.mark.parametrize("release", RELEASES)
def test_an_earlier_notebook_is_read(release: str, tmp_path: Path) -> None:
    notebook = Notebook(restore(release, "notebook", tmp_path))
    miner = write_stores.MINER.public
    assert [entry.miner for entry in notebook.space(4)] == [miner]
    assert notebook.grants(b"d" * 32) == [Grant(0, 1, miner, 4096)]
    assert notebook.last_seen() == {miner: 4}
    assert notebook.losses() == [Loss(b"l" * 32, miner, "no answer", 4)]
    notebook.set_release(miner, [b"s" * 32])
    assert notebook.releases() == {b"s" * 32: miner}
    notebook.close()


@pytest.mark.parametrize("release", RELEASES)
def test_an_earlier_journal_is_read(release: str, tmp_path: Path) -> None:
    journal = Journal(restore(release, "journal", tmp_path))
    assert journal.read("SELECT value FROM counter WHERE name = 'epoch'") == [(7,)]
    assert journal.read("SELECT shards, bytes FROM shard_total") == [(1, 4096)]
    journal.write_now(lambda db: db.execute("DELETE FROM shard"))
    assert journal.read("SELECT shards, bytes FROM shard_total") == [(0, 0)]
    journal.close()


@pytest.mark.parametrize("release", RELEASES)
def test_an_earlier_catalogue_is_read(release: str, tmp_path: Path) -> None:
    catalogue = Catalogue(restore(release, "catalogue", tmp_path))
    file = catalogue.resolve("photo")
    assert (file.cid, file.file_key, file.state) == ("bafy-file", b"k" * 32, FileState.STORED)
    assert [deal.state for deal in catalogue.deals(file.id)] == [DealState.ACTIVE]
    assert [(deal.expires, deal.kib) for deal in catalogue.deal_ends()] == [(None, None)]
    assert file.keep_epochs == 0  # nothing is paid that nobody asked for
    assert [segment.salt for segment in catalogue.segments(file.id)] == [b"s" * 32]
    assert catalogue.node("bafy-file") == b"node"
    assert catalogue.holders("bafy-deal") == b"holders"
    assert catalogue.source(file.id) is None
    facts = SourceFacts(70000, 2, (1 << 64) - 1, 3)
    catalogue.set_source(file.id, facts)
    assert catalogue.source(file.id) == facts
    catalogue.close()


@pytest.mark.parametrize("store", STORES.values(), ids=STORES)
def test_a_file_of_a_newer_release_is_refused_and_left_as_it_is(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "newer.sqlite"
    open_database(path, store).close()
    sql = sqlite3.connect(path)
    sql.execute(f"PRAGMA user_version = {store.version + 1}")
    sql.close()
    before = path.read_bytes()
    wanted = rf"{path} is of version {store.version + 1}.*up to {store.version}.*install the newer"
    with pytest.raises(StorageError, match=wanted):
        open_database(path, store)
    assert path.read_bytes() == before


def test_the_dumps_of_0_1_0_are_what_its_sources_write(tmp_path: Path) -> None:
    with tarfile.open(SOURCE_0_1_0) as source:
        source.extraction_filter = getattr(tarfile, "data_filter", None)  # from 3.11.4 on
        source.extractall(tmp_path / "source")  # noqa: S202 our own sources
    packages = [tmp_path / "source" / name for name in ("protocol", "runtime", "miner")]
    packages += [tmp_path / "source" / name for name in ("supernode", "client")]
    path = os.pathsep.join(map(str, packages))
    script = shutil.copy(write_stores.__file__, tmp_path)
    subprocess.run(
        [sys.executable, script, tmp_path / "out"],
        env=os.environ | {"PYTHONPATH": path, "CYBERVEIN_NATIVE": "off"},
        check=True,
    )
    for name in STORES:
        wanted = (DUMPS / "0.1.0" / f"{name}.sql").read_text()
        assert (tmp_path / "out" / f"{name}.sql").read_text() == wanted
