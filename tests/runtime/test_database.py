"""A store's file: upgraded whole or not at all, never taken for another, safe for two at once."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cybervein_protocol.errors import StorageError
from cybervein_runtime.database import (
    Store,
    open_database,
    open_reader,
    statements,
    transaction,
)
from cybervein_runtime.database_copy import open_copy
from read_only import read_only

_FIRST = """
CREATE TABLE thing (name TEXT PRIMARY KEY);
CREATE TABLE count (n INTEGER NOT NULL);
INSERT INTO count VALUES (0);
CREATE TRIGGER counts AFTER INSERT ON thing BEGIN
    UPDATE count SET n = n + 1;
    UPDATE count SET n = n;
END;
"""


def store(*more: object, **changes: object) -> Store:
    """A store of one table that counts its rows."""
    values = {"what": "shelf", "application_id": 7, "rescue": "buy another"} | changes
    return Store(migrations=(_FIRST, *more), **values)  # type: ignore[arg-type]


def filled(path: Path) -> Path:
    """A file of version 1 with a row."""
    connection = open_database(path, store())
    connection.execute("INSERT INTO thing VALUES ('old')")
    connection.close()
    return path


def test_a_new_file_has_the_settings_that_make_it_safe(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "s", store(mode=0o600))
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "user_version")
    found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    assert found == ["wal", 2, 1, 30_000, 1]
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o600


def test_statements_of_triggers_stay_whole() -> None:
    assert len(list(statements(_FIRST))) == 4
    assert list(statements("SELECT 1; SELECT 2")) == ["SELECT 1;", " SELECT 2;"]


def test_migrations_run_in_order_and_keep_what_is_there(tmp_path: Path) -> None:
    def shout(connection: sqlite3.Connection) -> None:
        connection.execute("UPDATE thing SET loud = upper(name)")

    path = filled(tmp_path / "s")
    connection = open_database(path, store("ALTER TABLE thing ADD COLUMN loud TEXT;", shout))
    assert connection.execute("SELECT * FROM thing").fetchall() == [("old", "OLD")]
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = filled(tmp_path / "s")
    wrong = "ALTER TABLE thing ADD COLUMN loud TEXT; DELETE FROM thing; SELECT no_such_function();"
    with pytest.raises(StorageError, match=r"shelf .* cannot be upgraded.*nothing was changed"):
        open_database(path, store(wrong))
    connection = open_database(path, store())
    assert connection.execute("SELECT * FROM thing").fetchall() == [("old",)]


_DIES = """
import os, signal, sys
from pathlib import Path
from cybervein_runtime.database import Store, open_database
def dies(connection):
    connection.execute("PRAGMA cache_size = 1")
    connection.execute("DELETE FROM thing")
    connection.execute("CREATE TABLE big (b BLOB)")
    for _ in range(100):
        connection.execute("INSERT INTO big VALUES (randomblob(10000))")
    os.kill(os.getpid(), signal.SIGKILL)
open_database(Path(sys.argv[1]), Store("shelf", 7, ("", dies), "buy another"))
"""


def test_a_crash_in_the_middle_of_an_upgrade_loses_nothing(tmp_path: Path) -> None:
    path = filled(tmp_path / "s")
    child = subprocess.run([sys.executable, "-c", _DIES, path], check=False)
    assert child.returncode == -signal.SIGKILL
    connection = open_database(path, store("ALTER TABLE thing ADD COLUMN loud TEXT;"))
    assert connection.execute("SELECT * FROM thing").fetchall() == [("old", None)]
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_two_who_open_a_new_file_at_once_share_it(tmp_path: Path) -> None:
    for number in range(20):
        with ThreadPoolExecutor(4) as threads:
            opened = [
                threads.submit(open_database, tmp_path / f"{number}", store("")) for _ in "1234"
            ]
        for future in opened:
            version = future.result().execute("PRAGMA user_version").fetchone()
            assert version == (2,)


def test_another_stores_file_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "s")
    with pytest.raises(StorageError, match="is not the basket: its application id is 0x00000007"):
        open_database(path, store(what="basket", application_id=8))


def test_a_file_from_before_application_ids_is_adopted(tmp_path: Path) -> None:
    path = filled(tmp_path / "s")
    sql = sqlite3.connect(path)
    sql.execute("PRAGMA application_id = 0")
    sql.close()
    connection = open_database(path, store())
    assert connection.execute("PRAGMA application_id").fetchone() == (7,)


@pytest.mark.parametrize("damage", [b"not a database" * 100, b"SQLite format 3\0" + bytes(500)])
def test_what_is_no_database_is_refused_with_the_next_step(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "s").write_bytes(damage)
    with pytest.raises(StorageError, match=r"cannot open shelf .*/s: .*; buy another"):
        open_database(tmp_path / "s", store())
    assert (tmp_path / "s").read_bytes() == damage


def test_a_directory_that_is_away_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"cannot open shelf"):
        open_database(tmp_path / "away" / "s", store())
    with pytest.raises(StorageError, match=r"cannot open shelf"):
        open_reader(tmp_path / "away" / "s", store())


def test_a_reader_sees_what_is_committed_and_cannot_write(tmp_path: Path) -> None:
    path = filled(tmp_path / "s")
    reader = open_reader(path, store())
    assert reader.execute("SELECT name FROM thing").fetchall() == [("old",)]
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM thing")


def test_a_transaction_is_all_or_nothing(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "s", store())

    def add(names: str) -> None:
        with transaction(connection, "shelf"):
            for name in names:
                connection.execute("INSERT INTO thing VALUES (?)", ({"a": "a", "b": "b"}[name],))

    with pytest.raises(StorageError, match=r"shelf: UNIQUE.*nothing was changed"):
        add("aa")
    with pytest.raises(KeyError):
        add("bc")
    assert connection.execute("SELECT n FROM count").fetchone() == (0,)


def test_a_file_that_cannot_be_written_is_read_and_upgraded_in_memory(tmp_path: Path) -> None:
    path = filled(tmp_path / "s")
    before = path.read_bytes()
    with read_only(tmp_path):
        assert open_reader(path, store()).execute("SELECT * FROM thing").fetchall() == [("old",)]
        copy = open_copy(path, store("ALTER TABLE thing ADD COLUMN loud TEXT;"))
        copy.execute("INSERT INTO thing VALUES ('new', 'NEW')")
        assert copy.execute("SELECT * FROM thing").fetchall() == [("old", None), ("new", "NEW")]
        copy.close()
        assert open_copy(tmp_path / "none", store()).execute("SELECT n FROM count").fetchone() == (
            0,
        )
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize("ends", [("-wal", "-shm"), ("-wal",)], ids=["its writer lives", "a copy"])
def test_what_is_committed_only_to_the_log_is_read_too(
    tmp_path: Path, ends: tuple[str, ...]
) -> None:
    writer = open_database(filled(tmp_path / "s"), store())
    writer.execute("INSERT INTO thing VALUES ('new')")
    home = tmp_path / "home"
    home.mkdir()
    for end in ("", *ends):
        shutil.copyfile(tmp_path / f"s{end}", home / f"s{end}")
    with read_only(home):
        copy = open_copy(home / "s", store())
        assert copy.execute("SELECT name FROM thing").fetchall() == [("old",), ("new",)]
        copy.close()
    writer.close()


def test_a_copy_of_something_else_is_refused_as_the_file_is(tmp_path: Path) -> None:
    path = filled(tmp_path / "s")
    with pytest.raises(StorageError, match="is not the shelf"):
        open_copy(path, store(application_id=9))
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StorageError, match=r"cannot open shelf .* it is damaged"):
        open_copy(path, store())
