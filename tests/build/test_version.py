"""One version, wherever one is told."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
VERSION = str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def locked(path: str) -> dict[str, str]:
    """Versions of our own packages in a lock file."""
    packages = tomllib.loads((ROOT / path).read_text())["package"]
    return {p["name"]: p["version"] for p in packages if p["name"].startswith("cybervein")}


def test_native_code_has_the_projects_version() -> None:
    native = tomllib.loads((ROOT / "native" / "pyproject.toml").read_text())["project"]
    workspace = tomllib.loads((ROOT / "native" / "Cargo.toml").read_text())["workspace"]
    assert native["version"] == workspace["package"]["version"] == VERSION
    for member in workspace["members"]:
        package = tomllib.loads((ROOT / "native" / member / "Cargo.toml").read_text())["package"]
        assert package["version"] == {"workspace": True}


@pytest.mark.parametrize(("path", "packages"), [("uv.lock", 2), ("native/Cargo.lock", 5)])
def test_lock_files_have_it(path: str, packages: int) -> None:
    found = locked(path)
    assert len(found) == packages
    assert set(found.values()) == {VERSION}


def test_what_is_installed_tells_it() -> None:
    # after a change of version: make setup
    assert version("cybervein") == version("cybervein-native") == VERSION
    command = [Path(sys.executable).with_name("cybervein"), "--version"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stdout == f"cybervein {VERSION}\n"


def test_the_chart_is_of_this_version_and_runs_its_image() -> None:
    chart = yaml.safe_load((ROOT / "charts" / "cybervein" / "Chart.yaml").read_text())
    assert chart["version"] == chart["appVersion"] == VERSION
    for name in ("operator.yaml", "home.yaml"):
        objects = list(yaml.safe_load_all((ROOT / "manifests" / name).read_text()))
        assert set(re.findall(r'"cybervein:([^"]*)"', json.dumps(objects))) == {VERSION}


def test_the_changelog_begins_with_it() -> None:
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert next(each for each in headings if each != "Unreleased") == VERSION


def test_commands_in_documents_name_this_image() -> None:
    texts = {path: path.read_text() for path in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]}
    tags = {
        (path.name, tag)
        for path, text in texts.items()
        for tag in re.findall(r"\bcybervein:(\d[\w.]*)", text)
    }
    assert tags
    assert {tag for _, tag in tags} == {VERSION}, tags
