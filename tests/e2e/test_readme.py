"""The README's commands are executed, as they stand, by a shell."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from readme import BLOCKS, ROOT, block_with, new_workshop, shell
from up_process import cybervein

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]

EPOCH_SECONDS = 10


def test_no_block_of_the_readme_is_left_out() -> None:
    told = ["make up", "wallet show", "up --data scripted", "mine --network"]
    told += ["cybervein prove", "make bench"]
    assert [block_with(text) for text in told] == BLOCKS


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    return new_workshop(tmp_path)


@pytest.fixture
def network(workshop: Path) -> Iterator[Path]:
    """`make up` in the foreground of a terminal of its own, ended with Ctrl-C."""
    [make_up] = block_with("make up")
    data = workshop / ".cybervein"
    command = [*make_up.split(), f"ARGS=--data {data} --epoch-seconds {EPOCH_SECONDS}"]
    own = {name: text for name, text in os.environ.items() if not name.startswith("MAKE")}
    with subprocess.Popen(
        command, cwd=ROOT, env=own, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "wallet" in line:
                break
        assert any("ready after" in line for line in lines), "".join(lines)
        yield data
        os.killpg(process.pid, signal.SIGINT)
        lines += process.stdout.readlines()
    assert "stopped\n" in lines[-1], "".join(lines)


def test_the_customers_and_the_miners_commands(workshop: Path, network: Path) -> None:
    done = shell(workshop, block_with("wallet show"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (workshop / "copy.md").read_bytes() == (workshop / "README.md").read_bytes()
    start = (workshop / "README.md").read_text()[:100]
    assert start in done.stdout, "cat --range 0-99 prints the first 100 bytes"
    check_mining(workshop, network)


def check_mining(workshop: Path, network: Path) -> None:
    """Every line of the block; what serves runs on in the background of the next line."""
    (workshop / "network.json").write_bytes((network / "network.json").read_bytes())
    for disk in ("disk1", "disk2"):
        (workshop / disk).mkdir()
    wallet = json.loads(cybervein(network / "wallet", "--json", "wallet", "show").stdout)
    with contextlib.ExitStack() as services:
        urls = {}
        for line in block_with("mine --network"):
            words = line.replace("/mnt/", f"{workshop}/").replace("ADDRESS", wallet["address"])
            if line.startswith("cybervein mine "):
                urls["miner"] = services.enter_context(service(workshop, words, "miner/run.json"))
                chain = json.loads((workshop / "network.json").read_text())
                urls["supernode"] = chain["super_nodes"][0]["url"]
            elif line.startswith("cybervein sidecar"):
                words = words.replace("http://127.0.0.1:7070", urls["miner"])
                words = words.replace("http://127.0.0.1:7000", urls["supernode"])
                words = words.replace("--port 9100", "--port 0 --run-file sidecar.json")
                services.enter_context(service(workshop, words, "sidecar.json"))
            else:
                done = shell(workshop, [words])
                assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"


@contextlib.contextmanager
def service(workshop: Path, line: str, run_file: str) -> Iterator[str]:
    """A command that serves, until the block ends; its URL."""
    environment = {**os.environ, "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"}
    with subprocess.Popen(["bash", "-c", f"exec {line}"], cwd=workshop, env=environment) as process:
        try:
            give_up = time.monotonic() + 300
            while not (workshop / run_file).exists():
                assert process.poll() is None, f"{line} ended with {process.returncode}"
                assert time.monotonic() < give_up, f"{line} is not ready"
                time.sleep(0.1)
            yield json.loads((workshop / run_file).read_text())["url"]
        finally:
            process.terminate()
            assert process.wait() == 0, f"{line} ended with {process.returncode}"


def test_plots_as_plain_files(workshop: Path) -> None:
    lines = [line.replace("BEACON", "5a" * 32) for line in block_with("cybervein prove")]
    done = shell(workshop, lines)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("line", block_with("make bench"))
def test_every_make_target_of_the_readme_can_be_made(line: str) -> None:
    # Running `make test` from within itself would never end: the dry run expands it whole.
    done = subprocess.run([*line.split(), "--dry-run"], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
