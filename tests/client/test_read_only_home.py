"""A home that cannot be written: its files are listed and read, and nothing else is done."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cybervein_client import AsyncClient
from cybervein_client.home import Home
from cybervein_client.upload import FileSource
from cybervein_protocol.errors import StorageError
from cybervein_protocol.names import Veins
from read_only import read_only
from services import run, run_bytes

Noise = Callable[..., Path]
SIZE = 50_000


async def test_what_is_stored_is_listed_and_read(home: Home, noise: Noise, tmp_path: Path) -> None:
    source = noise(SIZE)
    async with AsyncClient(home) as client:
        await client.put(FileSource(source), "file")
    before = {path: path.read_bytes() for path in home.directory.iterdir() if path.is_file()}
    with read_only(home.directory):
        line = ("--home", home.directory)
        listed = run("--json", *line, "ls")
        assert json.loads(listed.stdout)[0]["state"] == "stored", listed.stderr
        told = run_bytes(*line, "cat", "file")
        assert told.stdout == source.read_bytes(), told.stderr
        assert (
            told.stderr.decode() == f"note: {home.directory} cannot be written: it is only read\n"
        )
        got = run(*line, "get", "file", "--out", tmp_path / "copy")
        assert (got.returncode, (tmp_path / "copy").stat().st_size) == (0, SIZE), got.stderr
        status = json.loads(run("--json", *line, "status").stdout)
        assert (status["files"], status["bytes"]) == (1, SIZE)
    assert before == {path: path.read_bytes() for path in before}


async def test_what_would_be_written_is_refused_before_anything_is_paid(
    home: Home, noise: Noise
) -> None:
    async with AsyncClient(home) as client:
        await client.put(FileSource(noise(SIZE)), "file")
        before = await client.account()
    refusal = pytest.raises(StorageError, match=r"cannot be written, and .* has to write there")
    with read_only(home.directory):
        served = run("--home", home.directory, "keep")
        assert served.returncode == 6, "a service on a copy would never see what is kept later"
        told = run("--home", home.directory, "put", noise(1000), "--name", "other")
        assert told.returncode == 6
        assert "cannot be written, and put has to write there; nothing was done" in told.stderr
        async with AsyncClient(home) as client:
            with refusal:
                await client.remove("file")
            with refusal:
                await client.renew("file", 9)
            with refusal:
                await client.keep("file")
            with refusal:
                await client.keeper.once()
            with refusal:
                await client.send(bytes(32), Veins(1))
            assert await client.account() == before
            assert [file.name for file in client.files()] == ["file"]


def test_a_home_without_a_catalogue_has_no_file(home: Home) -> None:
    with read_only(home.directory):
        told = run("--home", home.directory, "ls")
    assert (told.returncode, told.stdout) == (
        0,
        "no file is stored yet; `cybervein put FILE` stores one\n",
    ), told.stderr
