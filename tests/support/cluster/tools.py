"""Where the programs are that `scripts/kubernetes/build.py` builds."""

import importlib.util
import shutil
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

BUILD = Path(__file__).resolve().parents[3] / "scripts" / "kubernetes" / "build.py"


class ToolMissingError(RuntimeError):
    """A program of the test cluster is not on this machine."""


@cache
def _build_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cybervein_kubernetes_build", BUILD)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def kubernetes_version() -> str:
    """The pinned version, such as `v1.34.4`."""
    return str(_build_script().kubernetes_version())


@cache
def tool(name: str) -> Path:
    """The path of a built program; ToolMissingError says how to build it."""
    path: Path = _build_script().located(name)
    if not path.exists():
        raise ToolMissingError(
            f"{name} is not built (looked at {path}); run: make kubernetes-tools"
        )
    return path


@cache
def system_tool(name: str) -> str:
    """The path of a program that a Debian package brings; ToolMissingError says which step does."""
    found = shutil.which(name)
    if found is None:
        raise ToolMissingError(
            f"{name} is not installed; run as root: "
            "python3 scripts/preflight.py --install kubernetes node"
        )
    return found
