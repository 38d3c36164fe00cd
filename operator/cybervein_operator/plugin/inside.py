"""What runs inside pods of the chart: a probe, and upgrades of CRDs."""

import time
import urllib.error
import urllib.request
from dataclasses import dataclass

from cybervein_protocol.errors import UnavailableError

from cybervein_operator.crd import SCHEMA, definitions, schema_number
from cybervein_operator.plugin.answers import Object
from cybervein_operator.plugin.api_server import DEFINITION, ApiServer

_MANAGER = "cybervein-crds"
_REDIRECTION = 300  # and above: not what was asked for
_POLL_SECONDS = 1.0


def probe(url: str, timeout_seconds: float) -> None:
    """Return once `url` answers 200. Raises UnavailableError with the last answer."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        problem = _once(url)
        if not problem:
            return
        if time.monotonic() + _POLL_SECONDS > deadline:
            raise UnavailableError(f"{url} is not well after {timeout_seconds:g} s: {problem}")
        time.sleep(_POLL_SECONDS)


def _once(url: str) -> str:
    """Why the answer is not 200, or nothing."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- a person's own URL
            return "" if answer.status < _REDIRECTION else f"HTTP {answer.status}"
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}: {error.read(500).decode(errors='replace')}"
    except (OSError, ValueError) as error:
        return str(error)


@dataclass(frozen=True, slots=True)
class Definitions:
    """CRDs that were applied, and those that stay as a newer release left them."""

    applied: tuple[str, ...]
    newer: dict[str, int]
    """Name → the number of the schema that is there."""

    def __str__(self) -> str:
        said = [f"applied {', '.join(self.applied)}"] if self.applied else []
        said += [
            f"{name} stays as a newer release left it: schema {number} there, {SCHEMA} here; "
            "the newer one has all that this version uses"
            for name, number in self.newer.items()
        ]
        return "; ".join(said)


async def apply_definitions(api: ApiServer) -> Definitions:
    """Server-side apply of this version's CRDs, but for those that are of a newer release.

    Raises what the API server says where one was changed meanwhile: run it again.
    """
    applied, newer = list[str](), dict[str, int]()
    for each in definitions():
        name = str(each["metadata"]["name"])
        there = await api.find(DEFINITION, name)
        if there is not None and (number := schema_number(there)) > SCHEMA:
            newer[name] = number
            continue
        await api.apply(DEFINITION, _after(each, there), manager=_MANAGER)
        applied.append(name)
    return Definitions(tuple(applied), newer)


def _after(definition: Object, there: Object | None) -> Object:
    """A definition for exactly that state of the cluster: a newer release may come in between."""
    if there is None:
        return definition
    version = {"resourceVersion": there["metadata"]["resourceVersion"]}
    return definition | {"metadata": definition["metadata"] | version}
