"""What ships owes nothing to a licence that ours does not allow."""

import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LOCK = {
    package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
}
COPYLEFT = re.compile(r"\bA?GPL|\bAffero\b|GNU General Public|TGPPL")
ORACLES = {"schemathesis", "zfec"}
"""Development dependencies alone: they check our code and are linked with none of it."""


def shipped() -> set[str]:
    """Names of all packages that the wheel asks for, with every extra, and what those ask for."""
    found, queue = set[str](), ["cybervein"]
    while queue:
        name = queue.pop()
        if name not in found:
            found.add(name)
            queue += list(asked(LOCK[name]))
    return found


def asked(package: Any) -> Iterator[str]:
    """The packages that one asks for here; what only Windows needs is left out."""
    lists = [package.get("dependencies", []), *package.get("optional-dependencies", {}).values()]
    for entry in (entry for entries in lists for entry in entries):
        if entry.get("marker") != "sys_platform == 'win32'":
            yield entry["name"]


def test_oracles_are_locked_for_development_and_never_shipped() -> None:
    assert set(LOCK) >= ORACLES
    assert not ORACLES & shipped()


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_shipped_package_has_no_copyleft_licence(name: str) -> None:
    meta = distribution(name).metadata
    words = [meta.get("License-Expression", ""), (meta.get("License") or "").split("\n")[0]]
    words += [each for each in meta.get_all("Classifier", []) if each.startswith("License ::")]
    assert not COPYLEFT.search(" ".join(words)), f"{name}: {words}"
