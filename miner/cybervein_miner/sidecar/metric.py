"""What a metric is, and how its values are read from a source's document.

A reader is made once, with the registry, and then asked at every scrape; what a document lacks it
leaves out, so that an older miner or super node only shows fewer values.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

Json = Mapping[str, Any]
Sample = tuple[tuple[str, ...], float]
Read = Callable[[Json], Iterable[Sample]]
MINER: Final = "miner"
SUPER_NODE: Final = "supernode"
HOST: Final = "host"
SOURCES: Final = (MINER, SUPER_NODE, HOST)


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricSpec:
    """One metric; `read` takes its source's document and gives (label values, value) pairs."""

    name: str
    kind: Literal["gauge", "counter", "info"]
    source: str
    help: str
    read: Read
    labels: tuple[str, ...] = ()


def gauge(name: str, source: str, text: str, read: Read, *labels: str) -> MetricSpec:
    """A value that goes up and down."""
    return MetricSpec(
        name=f"cybervein_{name}", kind="gauge", source=source, help=text, read=read, labels=labels
    )


def counter(name: str, source: str, text: str, read: Read, *labels: str) -> MetricSpec:
    """A value that only grows, until its process starts again."""
    return MetricSpec(
        name=f"cybervein_{name}_total",
        kind="counter",
        source=source,
        help=text,
        read=read,
        labels=labels,
    )


def at(path: str) -> Read:
    """One value at a dotted path; nothing where it is absent or null."""

    def read(document: Json) -> Iterable[Sample]:
        value = _walk(document, path)
        return [] if value is None else [((), float(value))]

    return read


def keyed(path: str) -> Read:
    """One value for each key of the map at a path; the key is the label."""

    def read(document: Json) -> Iterable[Sample]:
        return [((str(key),), float(value)) for key, value in (_walk(document, path) or {}).items()]

    return read


def picked(**paths: str) -> Read:
    """One value for each keyword, which is the label, from its path."""

    def read(document: Json) -> Iterable[Sample]:
        found = ((name, _walk(document, path)) for name, path in paths.items())
        return [((name,), float(value)) for name, value in found if value is not None]

    return read


def each(path: str, labels: tuple[str, ...], value: str) -> Read:
    """One value, at a dotted path, for each map in the list at a path, labelled by its fields."""

    def read(document: Json) -> Iterable[Sample]:
        rows = _walk(document, path) or []
        return [
            (tuple(str(row[label]) for label in labels), float(found))
            for row in rows
            if (found := _walk(row, value)) is not None
        ]

    return read


def _walk(document: Any, path: str) -> Any:  # noqa: ANN401 -- JSON
    for name in path.split("."):
        document = document.get(name) if isinstance(document, Mapping) else None
    return document
