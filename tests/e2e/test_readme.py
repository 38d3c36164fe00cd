"""The README's commands are executed, as they stand, by a shell."""

import contextlib
import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from readme import BLOCKS, ROOT, block_with, new_workshop, shell
from waiting import until

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


@pytest.mark.usefixtures("network")
def test_the_customers_and_the_miners_commands(workshop: Path) -> None:
    done = shell(workshop, block_with("wallet show"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (workshop / "copy.md").read_bytes() == (workshop / "README.md").read_bytes()
    start = (workshop / "README.md").read_text()[:100]
    assert start in done.stdout, "cat --range 0-99 prints the first 100 bytes"
    check_mining(workshop)


def check_mining(workshop: Path) -> None:
    """Every line of the block, as printed; what serves runs on in the background of the next."""
    home = {"HOME": str(workshop)}
    serve = {"cybervein mine ": "run.json", "cybervein sidecar ": "sidecar.json"}
    with contextlib.ExitStack() as services:
        urls = []
        for line in block_with("mine --network"):
            file = next((name for start, name in serve.items() if line.startswith(start)), "")
            if file:
                running = service(workshop, line, f"miner/{file}", home)
                urls.append(services.enter_context(running))
            else:
                done = shell(workshop, [line], home)
                assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        assert urls == ["http://127.0.0.1:7070", "http://127.0.0.1:7071"]
        until(lambda: reached(urls), "the super node to reach the miner, as its sidecar tells")


def reached(urls: list[str]) -> bool:
    with urllib.request.urlopen(f"{urls[1]}/metrics") as answer:  # noqa: S310 -- our own
        return "cybervein_miner_reachable 1.0" in answer.read().decode()


@contextlib.contextmanager
def service(workshop: Path, line: str, run_file: str, home: dict[str, str]) -> Iterator[str]:
    """A command that serves, until the block ends; its URL."""
    path = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, **home}
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
