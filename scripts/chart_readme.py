"""The chart's README.md, from its values and CRDs, for whoever has the package alone.

A value's text is the comment above it, or behind it; `chart_files.py` writes the page with the rest
of what the chart has from elsewhere, and `tests/chart` expects no difference and a text for each.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HEAD = """<!-- Written by scripts/chart_files.py from Chart.yaml, values.yaml and the CRDs. -->
# CyberVein

{description}

Chart {version}, for Kubernetes {kube}.

```console
$ kubectl create namespace cybervein
$ helm install cybervein CHART --namespace cybervein --values CHART/values-home.yaml
$ helm test cybervein --namespace cybervein
```

`CHART` is this folder, or the package. `values-home.yaml` founds a network with three miners,
`values-datacenter.yaml` mines in one that was founded elsewhere. `helm show values CHART` has every
value with examples; a wrong one is refused by the schema before anything reaches the cluster.

Deleting never loses data: claims, identities (Secrets) and CRDs stay when a pool, a network or the
release goes, and the same names adopt them again. Scaling down empties a miner before it stops.

## Kinds

| kind | short | what |
| --- | --- | --- |
{kinds}

The first installation takes the CRDs from `crds/`; before an upgrade a hook applies the new ones,
never over newer ones (`crds.upgrade`).

## Values
"""

EXAMPLE = re.compile(r"#   ")
"""A comment that shows YAML: it has more than one space after the sign."""


@dataclass(frozen=True, slots=True)
class Value:
    """A path in the values, its default as YAML of one line, and what it is for."""

    path: str
    default: str
    text: str

    @property
    def row(self) -> str:
        """One line of a table."""
        cells = (f"`{self.path}`", f"`{self.default}`", self.text)
        return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def readme(chart: Path) -> str:
    """The page of a chart's folder."""
    about = yaml.safe_load((chart / "Chart.yaml").read_text())
    head = HEAD.format(
        description=about["description"],
        version=about["version"],
        kube=about["kubeVersion"],
        kinds="\n".join(_kind(path) for path in sorted((chart / "crds").glob("*.yaml"))),
    )
    table = ["| value | default | what |", "| --- | --- | --- |"]
    rows = [value.row for value in values((chart / "values.yaml").read_text())]
    return "\n".join([head, *table, *rows, ""])


def _kind(path: Path) -> str:
    spec = yaml.safe_load(path.read_text())["spec"]
    names, (version, *_) = spec["names"], spec["versions"]
    text = version["schema"]["openAPIV3Schema"]["description"]
    return f"| `{names['kind']}` | `{names['shortNames'][0]}` | {text} |"


def values(text: str) -> list[Value]:
    """Every value that is no map of further ones, in the order of the file."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return list(_below(root, "", text.splitlines()))


def _below(node: Any, path: str, lines: list[str]) -> Iterator[Value]:  # noqa: ANN401 -- yaml's
    for key, value in node.value:
        name = f"{path}{key.value}"
        if isinstance(value, yaml.MappingNode) and not value.flow_style:
            yield from _below(value, f"{name}.", lines)
        else:
            above = _above(key.start_mark, lines)
            behind = lines[value.end_mark.line][value.end_mark.column :].strip()
            said = " ".join(filter(None, [above, behind.removeprefix("#").strip()]))
            yield Value(name, json.dumps(_plain(value), ensure_ascii=False), said)


def _above(mark: Any, lines: list[str]) -> str:  # noqa: ANN401 -- yaml's
    """The comment that ends in the line before, without its examples."""
    said: list[str] = []
    for line in reversed(lines[: mark.line]):
        inner = line.strip()
        if not inner.startswith("#") or len(line) - len(line.lstrip()) != mark.column:
            break
        if not EXAMPLE.match(inner):
            said.insert(0, inner.removeprefix("#").strip())
    return " ".join(said)


def _plain(node: Any) -> Mapping[str, Any] | list[Any] | str | int | bool | None:  # noqa: ANN401 -- yaml's
    plain: Mapping[str, Any] | list[Any] | str | int | bool | None
    plain = yaml.safe_load(yaml.serialize(node))
    return plain
