"""The build's own scripts: what is missing is named, what failed or was skipped is counted."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _scripts_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")


def script(name: str) -> ModuleType:
    return importlib.import_module(name)


def preflight(path: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "scripts" / "preflight.py", *arguments]
    environment = {**os.environ, "PATH": path}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_machine_without_tools_is_told_all_that_is_missing_in_one_list(tmp_path: Path) -> None:
    done = preflight(str(tmp_path), "--install")
    assert done.returncode == 1
    table, told = done.stdout.split("error: ")
    assert "things are missing on this machine; nothing was run" in told
    assert "cargo           native code           install Rust 1.89 or newer with rustup" in told
    assert "chromium        explorer tests        as root: apt-get install chromium\n" in told
    assert "all that Debian has of it: apt-get install buildah busybox-static chromium" in told
    assert "python" in table
    assert "\n  python" not in told


def test_nothing_is_said_of_a_machine_that_has_everything(tmp_path: Path) -> None:
    (tmp_path / "curl").write_text("#!/bin/sh\necho curl 8\n")
    (tmp_path / "curl").chmod(0o755)
    done = preflight(f"{tmp_path}:{os.environ['PATH']}", "--quiet", "races")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_tool_that_is_too_old_counts_as_missing(tmp_path: Path) -> None:
    cargo = tmp_path / "cargo"
    cargo.write_text("#!/bin/sh\necho cargo 1.63.0\n")
    cargo.chmod(0o755)
    done = preflight(f"{tmp_path}:{os.environ['PATH']}", "--quiet", "build")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "error: 1 thing is missing on this machine; nothing was run",
        "  cargo           native code           install Rust 1.89 or newer with rustup",
    ]


def test_a_compiler_without_the_headers_of_c_counts_as_missing(tmp_path: Path) -> None:
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\n[ $1 = --version ]\n")
    compiler.chmod(0o755)
    done = preflight(f"{tmp_path}:{os.environ['PATH']}", "--quiet", "build")
    assert "as root: apt-get install gcc libc6-dev\n" in done.stdout


def test_an_unknown_group_is_refused_with_the_known_ones() -> None:
    done = preflight(os.environ["PATH"], "nosuch")
    assert done.returncode == 2
    assert "no such group: nosuch; of: build lint" in done.stderr


def test_what_debian_has_is_installed_only_where_nothing_else_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needs, asked = script("needs"), script("preflight")
    packaged = needs.Need("a", ("no-such-a",), "tests", ("a",))
    manual = needs.Need("b", ("no-such-b",), "tests", advice="install b")
    monkeypatch.setattr(asked.os, "geteuid", lambda: 0)
    monkeypatch.setattr(asked.shutil, "which", lambda name: f"/usr/bin/{name}")
    assert asked.can_install([packaged])
    assert not asked.can_install([packaged, manual])
    monkeypatch.setattr(asked.os, "geteuid", lambda: 1000)
    assert not asked.can_install([packaged])


def test_make_test_looks_at_the_needs_of_the_asked_stages_before_anything_runs(
    tmp_path: Path,
) -> None:
    command = [sys.executable, ROOT / "scripts" / "check.py", "pages", "locks"]
    environment = {**os.environ, "PATH": str(tmp_path)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) < 20
    assert any(line.startswith("  chromedriver ") for line in lines)
    assert not any("prometheus" in line or "stage pages" in line for line in lines)
    assert lines[-1] == "0 passed, 1 failed"


def test_set_up_and_stages_are_timed_and_a_failed_one_keeps_the_others_running(
    tmp_path: Path,
) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    for name in ("check", "needs", "outcome", "preflight", "stages"):
        (scripts / f"{name}.py").write_text((ROOT / "scripts" / f"{name}.py").read_text())
    (scripts / "bootstrap.sh").write_text("#!/bin/sh\n")
    (scripts / "bootstrap.sh").chmod(0o755)
    rules = "stage-locks:\n\t@exit 1\nstage-rust:\n\t@echo test result: ok. 12 passed\\; 0 failed\n"
    (tmp_path / "Makefile").write_text(rules)
    done = subprocess.run(
        [sys.executable, scripts / "check.py", "rust", "locks"],
        cwd=tmp_path,
        env={**os.environ, "SEED": "7"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "seed 7"
    names = [line.split()[0] for line in lines[lines.index("=== stage rust ===") :] if line]
    start = names.index("stage")
    assert names[start : start + 6] == ["stage", "needs", "environment", "locks", "rust", "all"]
    assert "again, alone: make test STAGES=locks SEED=7" in lines
    assert lines[-1] == "12 passed, 1 failed"


def test_an_unknown_stage_is_refused_with_the_known_ones() -> None:
    stages = script("stages")
    with pytest.raises(ValueError, match="no such stage: nosuch; of: lint locks rust"):
        stages.chosen(["lint", "nosuch"])
    assert [stage.name for stage in stages.chosen(["unit", "lint"])] == ["lint", "unit"]
    assert stages.chosen([]) == stages.STAGES


def test_skipped_tests_count_as_failed(tmp_path: Path) -> None:
    report = tmp_path / "unit.xml"
    suite = '<testsuite tests="10" failures="1" errors="2" skipped="3"/>'
    report.write_text(f"<testsuites>{suite}</testsuites>")
    assert script("outcome").junit_counts(report) == (4, 6)


def test_cargos_lines_are_summed_up_and_a_stage_without_counts_is_one_check(tmp_path: Path) -> None:
    counts, none = script("outcome").counts, tmp_path / "no-such-report.xml"
    output = (
        "test result: ok. 12 passed; 0 failed; 0 ignored\n"
        "test result: FAILED. 3 passed; 1 failed; 0 ignored\n"
    )
    assert counts(none, output, ok=False) == (15, 1)
    assert counts(none, "quiet", ok=True) == (1, 0)
    assert counts(none, "quiet", ok=False) == (0, 1)


def test_a_command_that_failed_or_tested_nothing_is_a_failure(tmp_path: Path) -> None:
    counts, report = script("outcome").counts, tmp_path / "unit.xml"
    report.write_text('<testsuites><testsuite tests="3"/></testsuites>')
    assert counts(report, "", ok=True) == (3, 0)
    assert counts(report, "", ok=False) == (3, 1)
    report.write_text('<testsuites><testsuite tests="0"/></testsuites>')
    assert counts(report, "", ok=True) == (0, 1)


def test_what_went_over_its_budget_is_told_and_fails_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    check, outcome = script("check"), script("outcome")
    slow = outcome.Outcome("lint", 1, 0, 70.0, 60)
    assert check.tell([slow, outcome.Outcome("locks", 1, 0, 7.0, 10)], "7") == 0
    lines = capsys.readouterr().out.splitlines()
    assert "over its budget: lint, 70 s of 60" in lines
    assert not any(line.startswith("over its budget: locks") for line in lines)
    assert lines[-1] == "2 passed, 0 failed"


def test_a_failed_stage_tells_how_to_run_it_again_with_its_seed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    check, outcome = script("check"), script("outcome")
    assert check.tell([outcome.Outcome("chaos", 5, 2, 70.0, 60)], "7") == 1
    assert "again, alone: make test STAGES=chaos SEED=7" in capsys.readouterr().out


def test_the_seed_reaches_hypothesis_and_the_kills() -> None:
    command = ["make", "--dry-run", "stage-chaos", "SEED=7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "CHAOS_SEED=7" in done.stdout
    assert "--hypothesis-seed=7" in done.stdout


@pytest.mark.parametrize("path", ["scripts/bootstrap.sh", "scripts/peers.sh", ".ci/run"])
def test_shell_scripts_stop_at_the_first_error_and_parse(path: str) -> None:
    assert "set -euo pipefail" in (ROOT / path).read_text()
    subprocess.run(["bash", "-n", ROOT / path], check=True)


def test_ci_runs_make_test_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text().splitlines()
    assert lines[1:] == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "make test"]


def test_every_stage_has_its_command_and_its_row_in_the_table_of_budgets() -> None:
    stages, makefile = script("stages"), (ROOT / "Makefile").read_text()
    page = (ROOT / "CONTRIBUTING.md").read_text()
    table = page.split("| stage | budget in s | what |\n")[1].split("\n\n")[0]
    rows = [tuple(line.split("|")[1:3]) for line in table.splitlines()[1:]]
    assert rows == [(f" {s.name} ", f" {s.budget_seconds} ") for s in stages.STAGES]
    cold = ", ".join(f"{name} {seconds} s" for name, seconds in stages.COLD_SETUP.items())
    assert cold in " ".join(page.split())
    for stage in stages.STAGES:
        assert f"\nstage-{stage.name}:" in makefile


def test_the_budgets_keep_to_what_ci_allows() -> None:
    stages = script("stages")
    warm = sum(stage.budget_seconds for stage in stages.STAGES)
    assert warm <= stages.WARM_SECONDS
    assert warm + sum(stages.COLD_SETUP.values()) <= stages.COLD_SECONDS


def test_every_group_of_needs_is_one_that_a_stage_or_the_races_ask_for() -> None:
    stages, needs = script("stages"), script("needs")
    assert {*stages.needs(stages.STAGES), "races"} == set(needs.GROUPS)
