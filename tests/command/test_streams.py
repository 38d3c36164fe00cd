"""Standard streams as a shell may leave them: full, without a reader, closed."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import pytest
from cybervein_runtime.identity import new_identity, save_identity
from cybervein_up.nursery import start
from waiting import DEADLINE_SECONDS

CYBERVEIN = Path(sys.executable).with_name("cybervein")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    save_identity(tmp_path / "identity.json", new_identity())
    return tmp_path


def ended(line: tuple[str, ...], output: IO[bytes]) -> tuple[int, str]:
    """Exit code and standard error of a command that writes to `output`."""
    with TemporaryFile() as errors:
        code = start(line, (output, errors)).wait(DEADLINE_SECONDS)
        errors.seek(0)
        return code, errors.read().decode()


@pytest.mark.parametrize(
    "line", ["ls", "--json ls", "--json get x", "--help", "--version", "doctor"]
)
def test_a_full_device_is_an_error_with_a_name(home: Path, line: str) -> None:
    with Path("/dev/full").open("wb") as full:
        code, said = ended(("--home", str(home), *line.split()), full)
    assert (code, "Exception ignored" in said) == (1 if "get" in line else 6, False)
    if code == 6:
        assert said.startswith("error: standard output cannot be written (No space left on device")
    assert said.count("\n") == 1


@pytest.mark.parametrize("line", ["ls", "--help"])
def test_without_a_reader_it_ends_as_the_signal_would_end_it(home: Path, line: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as gone:
        assert ended(("--home", str(home), line), gone) == (141, "")


def shell(home: Path, line: str) -> subprocess.CompletedProcess[str]:
    script = f'exec "$0" --home "$1" {line}'
    return subprocess.run(
        ["sh", "-c", script, CYBERVEIN, home], capture_output=True, text=True, check=False
    )


def test_a_closed_output_is_an_error_and_no_file_takes_its_place(home: Path) -> None:
    told = shell(home, "ls >&-")
    assert told.returncode == 6
    assert told.stderr.startswith("error: standard output cannot be written (it is closed)")
    assert (home / "catalogue.sqlite").read_bytes()[:6] == b"SQLite"


def test_closed_errors_and_a_full_device_for_them_cost_nothing_but_the_words(home: Path) -> None:
    for place in ("2>&-", "2>/dev/full"):
        told = shell(home, f"ls {place}")
        assert (told.returncode, told.stderr) == (0, "")
        assert "no file is stored yet" in told.stdout
    assert shell(home, "put /nonexistent 2>&-").returncode == 1


def test_a_closed_input_is_no_empty_one(home: Path) -> None:
    told = shell(home, "put - --name x <&-")
    assert told.returncode != 0
    assert told.stderr.count("\n") == 1


def test_who_starts_commands_with_closed_errors_has_commands_that_speak(home: Path) -> None:
    script = f"""
import sys, tempfile
from cybervein_up.nursery import start
with tempfile.TemporaryFile() as log:
    start(("--home", {str(home)!r}, "get", "nothing"), (log, log)).wait()
    log.seek(0)
    print(log.read().decode())
"""
    line = ["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, script]
    told = subprocess.run(line, capture_output=True, text=True, check=True)
    assert told.stdout.startswith("error: ")
