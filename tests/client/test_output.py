"""A file's bytes on standard output: to a full device, and to a reader that has seen enough."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import pytest
from cybervein_client.home import Home
from cybervein_up.nursery import start
from services import run_bytes
from waiting import DEADLINE_SECONDS

Noise = Callable[..., Path]
LINES = [("cat", "file"), ("get", "file", "--out", "-"), ("--json", "cat", "file")]


@pytest.fixture
def stored(home: Home, noise: Noise) -> Home:
    put = run_bytes("--home", home.directory, "put", noise(2_000_000), "--name", "file")
    assert put.returncode == 0, put.stderr
    return home


def written(home: Home, line: tuple[str, ...], output: IO[bytes]) -> tuple[int, str]:
    with TemporaryFile() as errors:
        whole = ("--home", str(home.directory), *line)
        code = start(whole, (output, errors)).wait(DEADLINE_SECONDS)
        errors.seek(0)
        return code, errors.read().decode()


def test_a_full_device_is_told_and_a_reader_that_left_is_not(stored: Home) -> None:
    for line in LINES:
        with Path("/dev/full").open("wb") as full:
            code, said = written(stored, line, full)
        assert code == 6, (line, said)
        assert said.startswith("error: standard output cannot be written (No space left")
        assert said.count("\n") == 1
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "wb") as gone:
            assert written(stored, line, gone) == (141, "")


def test_bytes_of_a_file_are_followed_by_no_document(stored: Home) -> None:
    told = run_bytes("--home", stored.directory, "--json", "cat", "file", "--range", "3000000-")
    assert told.returncode == 1
    assert told.stdout.startswith(b'{"error"')  # nothing of the file was there
