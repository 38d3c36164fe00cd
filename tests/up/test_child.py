"""A child process of `up`, with real processes: ready, crashed, stopped, stubborn."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest
from cybervein_protocol.errors import UnavailableError
from cybervein_up import nursery
from cybervein_up.child import Child, ChildError, Recipe
from cybervein_up.nursery import Started, ended
from waiting import DEADLINE_SECONDS

ANNOUNCE = """
import json, os, sys, time
from pathlib import Path
Path(sys.argv[1]).write_text(json.dumps({"pid": os.getpid(), "url": "http://127.0.0.1:7"}))
"""
WAIT = "import signal; signal.pause()\n"
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children run a script of the test instead of `cybervein`, with the run file as argument."""

    def start(arguments: tuple[str, ...], files: tuple[IO[bytes], IO[bytes]]) -> Started:
        output, errors = files
        line = [sys.executable, "-c", *arguments]
        return subprocess.Popen(line, stdout=output, stderr=errors, start_new_session=True)

    monkeypatch.setattr(nursery, "start", start)


def recipe(tmp_path: Path, text: str) -> Recipe:
    run_file = tmp_path / "run.json"
    return Recipe("worker", (text, str(run_file)), tmp_path / "logs" / "worker.log", run_file)


@pytest.mark.usefixtures("script")
async def test_ready_returns_the_url_that_this_very_process_announced(tmp_path: Path) -> None:
    child = Child(recipe(tmp_path, ANNOUNCE + WAIT))
    (tmp_path / "run.json").write_text('{"pid": 1, "url": "http://stale"}')
    await child.start()
    assert await child.ready(DEADLINE_SECONDS) == "http://127.0.0.1:7"
    assert child.running
    assert not child.crashed
    assert await child.stop()
    assert not child.running
    assert not child.crashed


@pytest.mark.usefixtures("script")
async def test_a_child_that_dies_before_it_is_ready_says_why(tmp_path: Path) -> None:
    child = Child(recipe(tmp_path, "import sys; sys.exit('disk 7 is on fire')"))
    await child.start()
    said = r"worker ended \(exit code 1\); last line before it ended: disk 7 is on fire; its log is"
    with pytest.raises(ChildError, match=said):
        await child.ready(DEADLINE_SECONDS)


@pytest.mark.usefixtures("script")
async def test_a_child_that_never_announces_itself_times_out_with_its_log_named(
    tmp_path: Path,
) -> None:
    child = Child(recipe(tmp_path, WAIT))
    await child.start()
    with pytest.raises(UnavailableError, match=r"worker is not ready after 0 s.*worker\.log"):
        await child.ready(0.2)
    await child.kill()


@pytest.mark.usefixtures("script")
async def test_a_killed_child_counts_as_crashed_unless_it_was_ours_to_kill(tmp_path: Path) -> None:
    child = Child(recipe(tmp_path, ANNOUNCE + WAIT))
    await child.start()
    await child.ready(DEADLINE_SECONDS)
    assert child.recipe.full_arguments[-2:] == ("--port", "7"), "a restart keeps the address"
    os.kill(child.process.pid, signal.SIGKILL)
    await ended(child.process)
    assert child.crashed
    assert "worker ended (SIGKILL); it logged nothing; its log is " in child.obituary()
    await child.start()
    await child.ready(DEADLINE_SECONDS)
    assert not child.crashed
    await child.kill()
    assert not child.crashed


@pytest.mark.usefixtures("script")
async def test_a_child_that_ignores_the_request_to_stop_is_killed_after_the_grace(
    tmp_path: Path,
) -> None:
    child = Child(recipe(tmp_path, STUBBORN + ANNOUNCE + WAIT))
    await child.start()
    await child.ready(DEADLINE_SECONDS)
    assert not await child.stop(grace_seconds=0.2)
    assert not child.running
