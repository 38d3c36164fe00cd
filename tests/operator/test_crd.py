"""The committed CustomResourceDefinitions are those of the models, and are fit for a server."""

import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cybervein_operator.crd import SCHEMA, definitions, schema_number

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "manifests" / "crds"
RELEASED = ROOT / "tests" / "chart" / "packages"
KINDS = {each["spec"]["names"]["kind"]: each for each in definitions()}


def version(kind: str) -> dict[str, Any]:
    inner: dict[str, Any] = KINDS[kind]["spec"]["versions"][0]
    return inner


def schemas(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema below spec and status, with its path."""
    root = version(kind)["schema"]["openAPIV3Schema"]["properties"]
    todo = [(name, root[name]) for name in ("spec", "status")]
    while todo:
        path, schema = todo.pop()
        yield path, schema
        todo += [(f"{path}.{name}", each) for name, each in schema.get("properties", {}).items()]
        if "items" in schema:
            todo.append((f"{path}[]", schema["items"]))
        if "additionalProperties" in schema:
            todo.append((f"{path}{{}}", schema["additionalProperties"]))


def test_the_committed_files_are_what_is_written_now(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "cybervein_operator.crd", tmp_path], check=True)
    made = {each.name: each.read_text() for each in (tmp_path / "manifests" / "crds").iterdir()}
    assert made == {each.name: each.read_text() for each in MANIFESTS.iterdir()}
    page = Path("docs") / "resources.md"
    assert (tmp_path / page).read_text() == (ROOT / page).read_text()


def test_files_hold_plain_yaml_of_the_definitions() -> None:
    read = [yaml.safe_load(each.read_text()) for each in MANIFESTS.iterdir()]
    assert sorted(read, key=str) == sorted(definitions(), key=str)


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_has_a_text(kind: str) -> None:
    silent = [
        path
        for path, schema in schemas(kind)
        if not path.endswith(("[]", "{}")) and not schema.get("description")
    ]
    assert not silent


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_and_list_has_a_limit(kind: str) -> None:
    def limited(schema: dict[str, Any]) -> bool:
        if "x-kubernetes-int-or-string" in schema:
            return "maxLength" in schema
        match schema["type"]:
            case "string":
                return bool({"maxLength", "enum", "format"} & schema.keys())
            case "array":
                return "maxItems" in schema
            case "object":
                return "properties" in schema or "maxProperties" in schema
        return True

    assert not [path for path, schema in schemas(kind) if not limited(schema)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_list_says_how_it_is_merged(kind: str) -> None:
    lists = [(path, each) for path, each in schemas(kind) if each.get("type") == "array"]
    assert not [path for path, each in lists if "x-kubernetes-list-type" not in each]


@pytest.mark.parametrize("kind", KINDS)
def test_rules_say_what_is_wrong_in_a_sentence(kind: str) -> None:
    root = [("", version(kind)["schema"]["openAPIV3Schema"])]
    for _, schema in root + list(schemas(kind)):
        for rule in schema.get("x-kubernetes-validations", []):
            assert 20 < len(rule["message"]) < 300
            assert "\n" not in rule["message"]


def test_kinds_have_the_names_of_the_documentation() -> None:
    page = (MANIFESTS.parents[1] / "docs" / "kubernetes.md").read_text()
    for kind, definition in KINDS.items():
        wanted = definition["spec"]["names"]
        assert f"| `{kind}` | `{wanted['shortNames'][0]}` |" in page
        assert wanted["categories"] == ["cybervein"]
        assert definition["spec"]["scope"] == "Namespaced"


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_in_the_documentation(kind: str) -> None:
    page = (MANIFESTS.parents[1] / "docs" / "kubernetes.md").read_text()
    properties = version(kind)["schema"]["openAPIV3Schema"]["properties"]
    names = {*properties["spec"]["properties"], *properties["status"]["properties"]}
    assert not {name for name in names if f"`{name}" not in page and f".{name}" not in page}


def test_only_pools_scale_and_every_status_is_a_subresource() -> None:
    found = {kind: sorted(version(kind)["subresources"]) for kind in KINDS}
    assert found == {
        "Network": ["status"],
        "MinerPool": ["scale", "status"],
        "MinerDisk": ["status"],
    }


def test_helm_keeps_the_definitions_and_with_them_every_resource() -> None:
    for each in KINDS.values():
        assert each["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


def released() -> list[dict[str, Any]]:
    """The definitions in the chart of the last release."""
    names = {path: re.fullmatch(r"cybervein-(\d+)\.(\d+)\.(\d+)\.tgz", path.name)
             for path in RELEASED.iterdir()}  # fmt: skip
    charts = {path: tuple(map(int, found.groups())) for path, found in names.items() if found}
    with tarfile.open(max(charts, key=charts.__getitem__)) as package:
        files = [package.extractfile(f"cybervein/crds/{each.name}") for each in MANIFESTS.iterdir()]
        return [yaml.safe_load(file.read()) for file in files if file is not None]


def test_definitions_that_differ_from_the_last_releases_have_a_greater_number() -> None:
    before = {each["metadata"]["name"]: each for each in released()}
    now = {each["metadata"]["name"]: each for each in definitions()}
    assert {schema_number(each) for each in now.values()} == {SCHEMA}
    if {name: each["spec"] for name, each in before.items()} != {
        name: each["spec"] for name, each in now.items()
    }:
        assert max(map(schema_number, before.values())) < SCHEMA, "count crd.definition.SCHEMA up"


@pytest.mark.parametrize("mark", ["", "x", "-1", "9" * 30, "\N{ARABIC-INDIC DIGIT THREE}"])
def test_a_definition_without_a_number_is_older_than_all(mark: str) -> None:
    marked = {"metadata": {"name": "x", "annotations": {"cybervein.io/schema": mark}}}
    assert schema_number(marked) == 0
    assert schema_number({"metadata": {"name": "x"}}) == 0
