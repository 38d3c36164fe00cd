"""The registry of kinds is whole, and the only place that lists them."""

import re
from inspect import signature
from pathlib import Path
from typing import get_type_hints

import pytest
from cybervein_protocol.ledger.chain.kinds import KINDS, Issuer, Kind, issued_by
from cybervein_protocol.ledger.units.body import Body

ROOT = Path(__file__).parents[2]
PACKAGES = ("protocol", "runtime", "miner", "supernode", "client", "operator")
ROWS = [pytest.param(kind, id=name) for name, kind in KINDS.items()]


def test_every_body_has_a_row_of_its_own() -> None:
    assert {kind.body for kind in KINDS.values()} == set(Body.__subclasses__())
    assert len({kind.rule for kind in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", ROWS)
def test_a_rule_takes_the_body_of_its_row_and_says_what_it_does(kind: Kind) -> None:
    _, body = signature(kind.rule).parameters
    assert get_type_hints(kind.rule)[body] is kind.body
    assert kind.rule.__doc__
    assert kind.name in (kind.body.__doc__ or "")


def test_every_kind_has_one_sort_of_issuer() -> None:
    parts = [issued_by(issuer) for issuer in Issuer]
    assert sum(len(part) for part in parts) == len(KINDS)
    assert frozenset().union(*parts) == set(KINDS)


def test_no_other_place_lists_kinds() -> None:
    quoted = re.compile("|".join(f"[\"']{re.escape(name)}[\"']" for name in KINDS))
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".js"}
        for line in path.read_text().splitlines()
        if quoted.search(line) and "kind: ClassVar[str]" not in line
    ]
    assert not found


@pytest.mark.parametrize("kind", ROWS)
def test_the_pages_tell_every_kind(kind: Kind) -> None:
    assert f"| `{kind.name}` |" in (ROOT / "docs" / "wire.md").read_text()
