"""Which definitions `k8s crds --apply` applies, and to exactly which state of the cluster."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest
from cybervein_operator.api.kinds import Resource
from cybervein_operator.crd import SCHEMA, definitions
from cybervein_operator.plugin.inside import apply_definitions

if TYPE_CHECKING:
    from cybervein_operator.plugin.api_server import ApiServer

Document = dict[str, Any]
NAMES = [each["metadata"]["name"] for each in definitions()]


@dataclass
class Shelf:
    """An API server that has these definitions, and notes what is applied."""

    there: dict[str, Document] = field(default_factory=dict)
    applied: dict[str, Document] = field(default_factory=dict)

    async def find(self, kind: Resource, name: str) -> Document | None:
        del kind
        return self.there.get(name)

    async def apply(self, kind: Resource, manifest: Document, *, manager: str) -> None:
        del kind
        assert manager == "cybervein-crds"
        self.applied[manifest["metadata"]["name"]] = manifest

    def has(self, name: str, version: str, **annotations: str) -> None:
        marks = {key.replace("_", "/", 1): text for key, text in annotations.items()}
        about = {"name": name, "resourceVersion": version, "annotations": marks}
        self.there[name] = {"metadata": about}


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def apply(shelf: Shelf) -> str:
    return str(await apply_definitions(cast("ApiServer", shelf)))


async def test_where_there_are_none_all_are_made(shelf: Shelf) -> None:
    assert await apply(shelf) == f"applied {', '.join(NAMES)}"
    assert list(shelf.applied) == NAMES
    assert all("resourceVersion" not in each["metadata"] for each in shelf.applied.values())


async def test_older_ones_are_replaced_as_they_were_read_and_not_as_they_became(
    shelf: Shelf,
) -> None:
    shelf.has(NAMES[0], "7")  # of 0.2.0
    shelf.has(NAMES[1], "8", **{"cybervein.io_schema": str(SCHEMA - 1)})
    shelf.has(NAMES[2], "9", **{"cybervein.io_schema": str(SCHEMA)})
    assert await apply(shelf) == f"applied {', '.join(NAMES)}"
    versions = [each["metadata"]["resourceVersion"] for each in shelf.applied.values()]
    assert versions == ["7", "8", "9"]  # the API server refuses to write over a later one


async def test_newer_ones_stay_and_are_named_with_both_numbers(shelf: Shelf) -> None:
    shelf.has(NAMES[1], "8", **{"cybervein.io_schema": str(SCHEMA + 2)})
    said = await apply(shelf)
    assert list(shelf.applied) == [NAMES[0], NAMES[2]]
    assert said.startswith(f"applied {NAMES[0]}, {NAMES[2]}; {NAMES[1]} stays as a newer release")
    assert f"schema {SCHEMA + 2} there, {SCHEMA} here" in said
