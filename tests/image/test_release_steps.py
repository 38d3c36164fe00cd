"""A release: built for both processors, listed and signed, by tools and keys of whoever makes it.

Registries, syft and cosign are not to be had here: what they would be told is looked at, and
stand-ins tell whether it comes in order. The bill of our Python packages is a real one.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import inputs
import pytest
import release
import release_steps
from inputs import Identity
from oci.plugin import ROOT
from release_steps import DIGEST, PLATFORMS, UV, Release, plan

BAKE = json.loads((ROOT / "scripts/image/bake.json").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SHA = "sha256:" + "ab" * 32
TOOL = """#!/bin/sh
echo "$(basename "$0") $*" >> "$CALLS"
while [ $# -gt 0 ]; do
    case "$1" in
        --digestfile) printf %s "$SHA" > "$2" ;;
        --metadata-file) printf '{"image": {"containerimage.digest": "%s"}}' "$SHA" > "$2" ;;
    esac
    shift
done
"""


@pytest.fixture
def wish(tmp_path: Path) -> Release:
    return Release("reg.example/cybervein", Identity("1.2.3", "c0ffee", 7), "my.key", tmp_path)


@pytest.mark.parametrize("engine", ["docker", "buildah"])
def test_both_processors_are_built_and_what_is_signed_is_the_digest(
    wish: Release, engine: str
) -> None:
    steps = plan(wish, engine)
    told = BAKE["target"]["image"]["platforms"] if engine == "docker" else steps[0]
    assert {"linux/amd64", "linux/arm64"} <= set(",".join(told).split(","))
    signed = [step for step in steps if step[0] == "cosign"]
    assert [step[1] for step in signed] == ["sign"] + ["attest"] * 4
    assert {step[-1] for step in signed} == {f"reg.example/cybervein@{DIGEST}"}
    assert all("my.key" in step for step in signed)
    bills = {step[step.index("--predicate") + 1] for step in signed if "--predicate" in step}
    made = {word.split("=")[-1] for step in steps for word in step if word.endswith(".cdx.json")}
    assert bills == made
    scans = [step for step in steps if "--platform" in step and "scan" in step]
    assert len(scans) == len(PLATFORMS)


def test_bake_gives_the_dockerfile_what_it_asks_for() -> None:
    image = BAKE["target"]["image"]
    labels = set(re.findall(r"^ARG (\w+)", DOCKERFILE, re.MULTILINE))
    assert image["args"].keys() - {"SOURCE_DATE_EPOCH"} == labels - {"BUILD_BASE", "RUNTIME_BASE"}
    assert set(image["platforms"]) == set(PLATFORMS)
    assert image["attest"] == ["type=sbom", "type=provenance,mode=max"]
    asked = set(re.findall(r"\$\{(\w+)\}", json.dumps(BAKE)))
    assert asked == BAKE["variable"].keys()
    assert (
        asked - {"REPOSITORY", "SOURCE_DATE_EPOCH"}
        == release_steps.arguments(Identity("1", "2", 3)).keys()
    )
    assert BAKE["variable"]["VERSION"]["default"] == inputs.version(ROOT)


def run(*options: str, path: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "scripts/image/release.py", "--key", "my.key"]
    return subprocess.run(
        [*command, "--repository", "reg.example/cybervein", *options],
        env={**os.environ, "PATH": path, **more},
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_is_built_while_a_tool_is_missing(tmp_path: Path) -> None:
    (tmp_path / "buildah").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "buildah").chmod(0o755)
    done = run("--engine", "buildah", "--folder", str(tmp_path / "out"), path=str(tmp_path))
    assert done.returncode == 1
    assert "install syft 1.20, cosign 2.4, or newer; nothing was built" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_plan_runs_nothing(tmp_path: Path) -> None:
    done = run("--engine", "docker", "--plan", path=str(tmp_path))
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()].count("cosign") == 5


@pytest.mark.parametrize("engine", ["docker", "buildah"])
def test_what_was_pushed_is_what_is_listed_and_signed(
    wish: Release, tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools, calls = tmp_path / "bin", tmp_path / "calls"
    tools.mkdir()
    for name in ("docker", "buildah", "syft", "cosign"):
        (tools / name).write_text(TOOL)
        (tools / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(calls))
    monkeypatch.setenv("SHA", SHA)
    steps = plan(wish, engine)
    assert release.missing(steps) == []
    release.carry_out(wish, steps)
    lines = calls.read_text().splitlines()
    assert len(lines) == len(steps) - 1  # uv's is the real one
    assert lines[0].startswith(engine)
    assert all(line.endswith(f"reg.example/cybervein@{SHA}") for line in lines[-5:])
    assert DIGEST not in calls.read_text()
    named = {each["name"]: each for each in bill(wish.folder / "python.cdx.json")}
    locked = {each["name"] for each in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    assert {"kopf", "blake3", "aiohttp", "kubernetes"} <= named.keys() <= locked
    assert not {"pytest", "ruff", "zfec", "schemathesis"} & named.keys()
    assert named["kopf"]["purl"].startswith("pkg:pypi/kopf@")


def bill(path: Path) -> list[dict[str, str]]:
    """Components of a CycloneDX document."""
    document = json.loads(path.read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.5")
    found: list[dict[str, str]] = document["components"]
    return found


def test_a_step_that_fails_ends_the_release(wish: Release) -> None:
    with pytest.raises(SystemExit, match="false ended with 1"):
        release.carry_out(wish, [("false",), (str(UV), "--version")])
