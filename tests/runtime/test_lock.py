"""One process at a time: who holds a lock is told, and it ends with its holder, however."""

import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from cybervein_protocol.errors import ConflictError, StorageError
from cybervein_runtime.lock import alone, alone_briefly

HOLD = """
import signal
from pathlib import Path
from cybervein_runtime.lock import alone
with alone(Path({folder!r}), "miner"):
    print("held", flush=True)
    signal.pause()
"""


def holder_in(folder: Path) -> subprocess.Popen[bytes]:
    """A process of its own that holds the lock."""
    line = [sys.executable, "-c", HOLD.format(folder=str(folder))]
    process = subprocess.Popen(line, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    return process


def test_a_second_holder_is_told_who_has_it_and_what_to_do(tmp_path: Path) -> None:
    holder = holder_in(tmp_path)
    since = json.loads((tmp_path / "lock").read_text())["since"]
    wanted = (
        rf"^{tmp_path}: another miner is running on this data "
        rf"\(process {holder.pid}, since {since.replace('+', '.')}\); stop it first$"
    )
    with pytest.raises(ConflictError, match=wanted), alone(tmp_path, "miner"):
        pass
    holder.kill()
    holder.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_its_holder(tmp_path: Path, number: signal.Signals) -> None:
    holder = holder_in(tmp_path)
    holder.send_signal(number)
    holder.wait()
    with alone(tmp_path, "miner"):
        assert json.loads((tmp_path / "lock").read_text())["pid"] == os.getpid()


def test_a_holder_whose_text_is_missing_is_refused_all_the_same(tmp_path: Path) -> None:
    with alone(tmp_path, "miner"):
        for text in ("", "{}", "[1]", "\x00"):
            (tmp_path / "lock").write_text(text)
            with pytest.raises(ConflictError, match="another process is running"):  # noqa: SIM117
                with alone(tmp_path, "miner"):
                    pass


def test_locks_of_work_that_ends_leave_nothing_and_exclude_each_other(tmp_path: Path) -> None:
    with alone_briefly(tmp_path, "put of 'a'", "a.lock", "wait"):
        with alone_briefly(tmp_path, "put of 'b'", "b.lock", "wait"):
            pass
        with pytest.raises(ConflictError, match=r"another put of 'a' is running.*; wait"):  # noqa: SIM117
            with alone_briefly(tmp_path, "rm of 'a'", "a.lock", "wait"):
                pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_whose_file_was_removed_is_not_held_by_name(tmp_path: Path) -> None:
    with ExitStack() as stack:
        stack.enter_context(alone(tmp_path, "miner"))
        (tmp_path / "lock").unlink()
        stack.enter_context(alone(tmp_path, "miner"))
        with pytest.raises(ConflictError):
            stack.enter_context(alone(tmp_path, "miner"))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match=rf"{tmp_path}/file is a file; give a directory"):  # noqa: SIM117
        with alone(tmp_path / "file", "miner"):
            pass
    with pytest.raises(StorageError, match="cannot lock /proc/nothing/lock"):  # noqa: SIM117
        with alone(Path("/proc/nothing"), "miner"):
            pass


def test_a_filesystem_that_locks_only_what_may_be_written_has_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS: its exclusive lock needs a descriptor that is open for writing (flock(2))."""
    lock = fcntl.flock

    def as_nfs(handle: int, operation: int) -> None:
        if fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        lock(handle, operation)

    monkeypatch.setattr(fcntl, "flock", as_nfs)
    with alone(tmp_path, "put"):
        assert json.loads((tmp_path / "lock").read_text())["role"] == "put"
        with pytest.raises(ConflictError, match="another put is running"), alone(tmp_path, "put"):
            pass
    with alone(tmp_path, "put"):
        pass


def test_a_filesystem_that_makes_inode_numbers_up_is_told_and_not_tried_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cybervein_runtime.lock._is_still", lambda *_: False)
    with pytest.raises(StorageError, match="cannot lock"), alone(tmp_path, "miner"):
        pass
