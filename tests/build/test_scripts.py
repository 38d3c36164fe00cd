"""The build's own scripts: what is missing is named, what failed or was skipped is counted."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_a_machine_without_tools_is_told_what_is_missing_and_how_to_get_it(tmp_path: Path) -> None:
    command = [sys.executable, ROOT / "scripts" / "preflight.py", "--set", "all"]
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "error: cargo is missing (native code); install Rust 1.89 or newer" in done.stderr
    assert "error: chromium is missing (explorer tests); as root: apt-get install" in done.stderr
    assert "python" in done.stdout
    assert "error: python" not in done.stderr


def test_a_tool_that_is_too_old_counts_as_missing(tmp_path: Path) -> None:
    cargo = tmp_path / "cargo"
    cargo.write_text("#!/bin/sh\necho cargo 1.63.0\n")
    cargo.chmod(0o755)
    command = [sys.executable, ROOT / "scripts" / "preflight.py", "--set", "build"]
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "cargo is missing" in done.stderr


def test_skipped_tests_count_as_failed(tmp_path: Path) -> None:
    report = tmp_path / "unit.xml"
    suite = '<testsuite tests="10" failures="1" errors="2" skipped="3"/>'
    report.write_text(f"<testsuites>{suite}</testsuites>")
    assert script("stages").junit_counts(report) == (4, 6)


def test_cargos_lines_are_summed_up_and_a_stage_without_counts_is_one_check() -> None:
    stages = script("stages")
    output = (
        "test result: ok. 12 passed; 0 failed; 0 ignored\n"
        "test result: FAILED. 3 passed; 1 failed; 0 ignored\n"
    )
    assert stages.counts("no-such-stage", output, ok=False) == (15, 1)
    assert stages.counts("no-such-stage", "quiet", ok=True) == (1, 0)
    assert stages.counts("no-such-stage", "quiet", ok=False) == (0, 1)


@pytest.mark.parametrize("path", ["scripts/bootstrap.sh", "scripts/peers.sh", ".ci/run"])
def test_shell_scripts_stop_at_the_first_error_and_parse(path: str) -> None:
    assert "set -euo pipefail" in (ROOT / path).read_text()
    subprocess.run(["bash", "-n", ROOT / path], check=True)


def test_every_stage_of_make_test_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text()
    [line] = [line for line in makefile.splitlines() if line.startswith("STAGES :=")]
    page = (ROOT / "CONTRIBUTING.md").read_text()
    for stage in line.removeprefix("STAGES :=").split():
        assert f"| {stage} |" in page
        assert f"stage-{stage}:" in makefile
