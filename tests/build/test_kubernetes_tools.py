"""The programs of the test cluster are pinned, found and built once."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "kubernetes" / "build.py"


@pytest.fixture
def build() -> Any:
    spec = importlib.util.spec_from_file_location("kubernetes_build", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_tool_belongs_to_a_module_that_pins_it(build: Any) -> None:
    for tool in build.TOOLS.values():
        pins = (build.MODULES / tool.module / "go.mod").read_text()
        assert tool.package in pins
        assert (
            tool.module in {"pause", "answer"} or (build.MODULES / tool.module / "go.sum").exists()
        )


def test_a_changed_pin_changes_the_place_of_that_module_alone(
    build: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = {name: build.located(name) for name in ("etcd", "kwok")}
    shutil.copytree(build.MODULES, tmp_path / "tools")
    monkeypatch.setattr(build, "MODULES", tmp_path / "tools")
    with (tmp_path / "tools" / "etcd" / "go.mod").open("a") as pins:
        pins.write("// renewed\n")
    assert build.located("kwok") == before["kwok"]
    assert build.located("etcd") != before["etcd"]


def test_programs_of_kubebuilder_assets_come_first(
    build: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "etcd").touch()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert build.located("etcd") == tmp_path / "etcd"
    assert build.located("kubectl").is_relative_to(build.cache())


def test_an_unknown_tool_is_refused_with_the_known_ones() -> None:
    run = subprocess.run([SCRIPT, "kubectrl"], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr.startswith("error: no such tool: kubectrl; of: etcd ")


def test_without_go_it_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    environment = {"PATH": str(tmp_path / "bin"), "XDG_CACHE_HOME": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, SCRIPT, "pause"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert run.returncode == 1
    assert "install Go" in run.stderr


@pytest.mark.kubernetes
def test_a_built_tool_is_complete_and_not_built_again(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    command = [sys.executable, SCRIPT, "pause"]
    first, second = (
        subprocess.run(command, capture_output=True, text=True, env=environment, check=True)
        for _ in range(2)
    )
    assert "built pause" in first.stdout
    assert "building" not in second.stdout
    assert [path.name for path in tmp_path.glob("**/bin/*")] == ["pause"]
