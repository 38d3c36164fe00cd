"""`docs/resources.md`: every field of every kind, from the same schemas that the server has."""

from collections.abc import Iterator
from typing import Any, Final

from cybervein_operator.api.fields import INT_OR_STRING
from cybervein_operator.crd.definition import KINDS, CustomKind, definition
from cybervein_operator.crd.schema import Schema

_HEAD: Final = """# Fields of the custom resources

Written by `python -m cybervein_operator.crd` from the schemas that the API server has; `kubectl
explain cvpool.spec.disks` says the same. *Required* fields have no default. What kinds are for is
in [kubernetes.md](kubernetes.md).
"""


def reference() -> str:
    """The whole page."""
    return _HEAD + "".join(_section(kind) for kind in KINDS)


def _section(kind: CustomKind) -> str:
    version = definition(kind)["spec"]["versions"][0]
    root: Schema = version["schema"]["openAPIV3Schema"]
    lines = [f"\n## {kind.model.__name__} (`{kind.short}`)\n", root["description"], ""]
    lines += ["| field | type | meaning |", "| --- | --- | --- |"]
    for part in ("spec", "status"):
        lines += [_row(*each) for each in _fields(root["properties"][part], part)]
    lines += ["", "Refused, beside what types and limits say:", ""]
    lines += [f"* {message}" for message in _messages(root)]
    return "\n".join(lines) + "\n"


def _fields(schema: Schema, path: str) -> Iterator[tuple[str, Schema, bool]]:
    required = schema.get("required", [])
    for name, each in schema.get("properties", {}).items():
        yield f"{path}.{name}", each, name in required
        inner = each.get("items", each)
        yield from _fields(inner, f"{path}.{name}{'[]' if 'items' in each else ''}")


def _row(path: str, schema: Schema, required: bool) -> str:  # noqa: FBT001 -- a column
    text = schema["description"].replace("|", "\\|")
    default = schema.get("default")
    notes = [" *Required.*"] if required else []
    if default is not None and not isinstance(default, dict):
        notes.append(f" Default `{default}`.")
    return f"| `{path}` | {_type(schema)} | {text}{''.join(notes)} |"


def _type(schema: Schema) -> str:
    """The type and its limits, short."""
    if INT_OR_STRING in schema:
        return "quantity"
    match schema["type"]:
        case "array":
            return f"list of {_type(schema['items'])}, at most {schema['maxItems']}"
        case "object" if "additionalProperties" in schema:
            return f"map of {_type(schema['additionalProperties'])}"
        case "string" if "enum" in schema:
            return " ".join(f"`{each}`" for each in schema["enum"])
        case "integer":
            return f"integer{_range(schema)}"
        case other:
            return str(other)


def _range(schema: Schema) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if most is None:
        return "" if least is None else f" ≥ {least}"
    return f" {least}..{most}"


def _messages(schema: Any) -> list[str]:  # noqa: ANN401 -- a schema or a part of one
    """Messages of all rules, outermost first, each once."""
    if isinstance(schema, list):
        return _once(text for each in schema for text in _messages(each))
    if not isinstance(schema, dict):
        return []
    own = [rule["message"] for rule in schema.get("x-kubernetes-validations", [])]
    return _once([*own, *(text for each in schema.values() for text in _messages(each))])


def _once(texts: Iterator[str] | list[str]) -> list[str]:
    return list(dict.fromkeys(texts))
