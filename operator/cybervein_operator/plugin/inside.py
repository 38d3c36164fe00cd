"""What runs inside pods of the chart: a probe, and upgrades of CRDs."""

import time
import urllib.error
import urllib.request

from cybervein_protocol.errors import UnavailableError

from cybervein_operator.crd import definitions
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


async def apply_definitions(api: ApiServer) -> list[str]:
    """Server-side apply of this version's CRDs; their names."""
    found = [dict(each) for each in definitions()]
    for each in found:
        await api.apply(DEFINITION, each, manager=_MANAGER)
    return [str(each["metadata"]["name"]) for each in found]
