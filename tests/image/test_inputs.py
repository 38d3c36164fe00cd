"""What decides about a build: its files, and where packages come from."""

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
import inputs  # noqa: E402 scripts' modules, not packages
import roots  # noqa: E402


def test_every_package_of_the_wheel_is_in_the_build() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    for top in {Path(package).parts[0] for package in packages}:
        assert top in inputs.kept_here()
        assert f"COPY {top} {top}\n" in dockerfile


def test_caches_and_compiled_modules_are_no_input() -> None:
    assert not [path for path in inputs.files() if path.suffix in {".so", ".pyc"}]


def test_a_changed_argument_is_another_build() -> None:
    assert inputs.digest("one") == inputs.digest("one") != inputs.digest("two")


def test_registry_variables_are_mounted_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://packages.example/it's/simple")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    lines = inputs.registry_settings().splitlines()
    quoted = """'https://packages.example/it'"'"'s/simple'"""
    assert f"PIP_INDEX_URL={quoted}" in lines
    assert f"UV_DEFAULT_INDEX={quoted}" in lines
    assert "HTTPS_PROXY=http://proxy.example:3128" in lines
    assert not [line for line in lines if "secret" in line]


def test_the_runtime_base_asks_for_no_shell_and_no_package_tool() -> None:
    packages = roots.RUNTIME_PACKAGES.read_text().split()
    assert "python3.11-minimal" in packages
    assert not {"dash", "bash", "apt", "dpkg", "coreutils", "perl-base"} & set(packages)
