"""How tests are spread: what shares a network stays together, each case runs once per code."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = ("client/test_damage.py", "client/test_trust.py", "client/test_drains.py")
TEST = """
import os
from pathlib import Path
def test_it():
    with Path({log!r}).open("a") as log:
        log.write(f"{{Path(__file__).name}} {{os.environ['PYTEST_XDIST_WORKER']}}\\n")
def test_code(native_mode):
    pass
"""


def suite(folder: Path) -> Path:
    """Small tests under our own conftest.py, which write down who ran them."""
    tests = folder / "tests"
    (tests / "client").mkdir(parents=True)
    conftest = (ROOT / "tests" / "conftest.py").read_text()
    (tests / "conftest.py").write_text(conftest.replace('"cluster.plugin", "oci.plugin"', ""))
    (folder / "pytest.ini").write_text(
        f"[pytest]\nmarkers = both_codes\npythonpath = {ROOT / 'tests' / 'support'}\n"
        "asyncio_default_fixture_loop_scope = function\naddopts = --import-mode=importlib\n"
    )
    for name in FILES:
        (tests / name).write_text(TEST.format(log=str(folder / "log")))
    return folder


def run(folder: Path, *options: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", *options, "tests"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_files_that_share_a_network_run_on_one_worker(tmp_path: Path) -> None:
    run(suite(tmp_path), "-n", "2", "--dist", "loadfile")
    lines = (tmp_path / "log").read_text().splitlines()
    workers = dict(line.split() for line in lines)
    assert workers["test_damage.py"] == workers["test_trust.py"] != workers["test_drains.py"]


def test_what_runs_both_codes_can_be_left_out(tmp_path: Path) -> None:
    assert "3 passed" in run(suite(tmp_path), "-n", "1", "-m", "not both_codes")


def test_what_ships_is_optimized_as_a_whole_and_tests_are_not() -> None:
    profiles = tomllib.loads((ROOT / "native" / "Cargo.toml").read_text())["profile"]
    assert profiles["release"] == {"lto": "fat", "codegen-units": 1, "panic": "unwind"}
    assert profiles["checks"]["inherits"] == "release"
    makefile = (ROOT / "Makefile").read_text()
    assert makefile.count("--profile checks") == 2
