"""Commands that are forked, not executed: real ones, which run, fail, are killed and left alone."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import pytest
from cybervein_up.nursery import Offspring, Started, begin, start
from services import run
from waiting import until

NOBODY = "http://127.0.0.1:1"
STAYS = ("sidecar", "--miner", NOBODY, "--supernode", NOBODY, "--port", "0")


def there(pid: int) -> bool:
    """Whether a process runs."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "zombie" not in status


def sockets(pid: int) -> set[str]:
    """Its open sockets, by inode."""
    links = {str(file.readlink()) for file in Path(f"/proc/{pid}/fd").iterdir()}
    return {link for link in links if link.startswith("socket:")}


@pytest.fixture
def staying(tmp_path: Path) -> Iterator[Offspring]:
    """A command that serves until it is told to end."""
    with TemporaryFile() as log:
        process = start((*STAYS, "--run-file", str(tmp_path / "run.json")), (log, log))
    assert isinstance(process, Offspring)
    until((tmp_path / "run.json").exists, "it serves")
    yield process
    process.kill()


def test_it_prints_and_ends_as_one_of_its_own_interpreter_does() -> None:
    for arguments in (("--version",), ("mine",), ("wallet", "nosuch"), ("--json", "mine")):
        told = {"COLUMNS": "80"}
        forked = run(*arguments, environment=told)
        line = [Path(sys.executable).with_name("cybervein"), *arguments]
        executed = subprocess.run(
            line, env={**os.environ, **told}, capture_output=True, text=True, check=False
        )
        assert forked.returncode == executed.returncode
        assert forked.stdout == executed.stdout
        assert forked.stderr == executed.stderr


def test_it_leads_its_session_and_is_known_by_its_command(staying: Offspring) -> None:
    assert os.getsid(staying.pid) == staying.pid
    title = Path(f"/proc/{staying.pid}/cmdline").read_bytes().decode()
    assert title.startswith(f"cybervein sidecar --miner {NOBODY}")
    assert staying.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        staying.wait(0.01)


def test_it_ends_with_the_code_that_its_parent_was_told(staying: Offspring) -> None:
    os.kill(staying.pid, signal.SIGKILL)
    assert staying.wait() == -signal.SIGKILL
    assert (staying.poll(), staying.returncode) == (-signal.SIGKILL, -signal.SIGKILL)


def test_it_has_no_file_of_others_open(staying: Offspring) -> None:
    channel = sockets(staying._nursery._process.pid)
    assert len(channel) == 1
    assert not channel & sockets(staying.pid)


def test_when_the_nursery_is_killed_its_offspring_ends_and_the_next_one_has_a_new_one(
    staying: Offspring,
) -> None:
    os.kill(staying._nursery._process.pid, signal.SIGKILL)
    until(lambda: staying.poll() is not None, "the kernel told it to end")
    assert staying.returncode == -signal.SIGTERM
    assert run("--version").returncode == 0


def test_everything_ends_when_who_started_it_is_killed(tmp_path: Path) -> None:
    run_file = tmp_path / "run.json"
    script = f"""
import signal, sys
from cybervein_up.nursery import start
print(start({(*STAYS, "--run-file", str(run_file))!r}, (sys.stderr, sys.stderr)).pid, flush=True)
signal.pause()
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        until(run_file.exists, "it serves")
        assert there(pid)
        parent.kill()
    until(lambda: not there(pid), "it ended")


def test_a_command_too_long_to_ask_for_runs_and_leaves_the_others_alone(
    staying: Offspring,
) -> None:
    told = run("--version", environment={"LONG": "é" * 30_000})
    assert (told.returncode, told.stderr) == (0, "")
    assert staying.poll() is None


def test_no_answer_is_taken_for_another_ones(
    staying: Offspring, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("cybervein_up.nursery.int", interrupted, raising=False)
        with pytest.raises(KeyboardInterrupt):
            run("--version")
    assert staying._nursery.lost
    assert run("--version").returncode == 0  # by a new one
    assert staying.wait() == -signal.SIGTERM


def interrupted(_: object) -> int:
    """Ctrl-C once the nursery has answered."""
    raise KeyboardInterrupt


def test_a_machine_without_room_for_a_process_says_so_and_the_others_stay(
    staying: Offspring,
) -> None:
    forking = staying._nursery._process.pid
    usual = resource.prlimit(forking, resource.RLIMIT_NOFILE)
    taken = {int(file.name) for file in Path(f"/proc/{forking}/fd").iterdir()}
    free = [number for number in range(100) if number not in taken]
    for room in (0, 2, 4):  # for none of its files, some, all but the pipe
        resource.prlimit(forking, resource.RLIMIT_NOFILE, (free[room], usual[1]))
        with pytest.raises(OSError, match="cybervein --version: Too many open files"):
            run("--version")
    resource.prlimit(forking, resource.RLIMIT_NOFILE, usual)
    assert run("--version").returncode == 0
    assert {int(file.name) for file in Path(f"/proc/{forking}/fd").iterdir()} == taken
    assert staying.poll() is None


async def test_who_is_interrupted_while_it_starts_a_command_leaves_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[Started] = []
    asked = threading.Event()

    def slow(arguments: Sequence[str], files: tuple[IO[bytes], IO[bytes]]) -> Started:
        asked.set()
        started.append(start(arguments, files))
        return started[0]

    monkeypatch.setattr("cybervein_up.nursery.start", slow)
    with TemporaryFile() as log:
        beginning = asyncio.create_task(begin(STAYS, (log, log)))
        await asyncio.to_thread(asked.wait)
        beginning.cancel()
        with pytest.raises(asyncio.CancelledError):
            await beginning
    assert not there(started[0].pid)


def test_first_commands_at_once_share_one_nursery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cybervein_up.nursery._CURRENT", [])
    with TemporaryFile() as log, ThreadPoolExecutor(4) as pool:
        begun = list(pool.map(lambda _: start(("--version",), (log, log)), range(4)))
        assert [each.wait() for each in begun] == [0] * 4
    assert len({each._nursery for each in begun if isinstance(each, Offspring)}) == 1


def test_a_command_that_is_not_over_in_time_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_file = tmp_path / "run.json"
    monkeypatch.setattr("services.DEADLINE_SECONDS", 0.01)
    begun: list[Started] = []

    def watched(*arguments: Any, **options: Any) -> Started:
        begun.append(start(*arguments, **options))
        return begun[0]

    monkeypatch.setattr("services.start", watched)
    with pytest.raises(subprocess.TimeoutExpired):
        run(*STAYS, "--run-file", str(run_file))
    assert begun[0].returncode == -signal.SIGKILL


def test_a_name_that_is_not_utf_8_is_a_name(tmp_path: Path) -> None:
    told = run("verify", tmp_path / os.fsdecode(b"\xff"))
    assert told.returncode == 1
    assert "does not exist" in told.stderr
