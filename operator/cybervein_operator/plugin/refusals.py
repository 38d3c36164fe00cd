"""What the API server refused, as one sentence with its own words."""

from http import HTTPStatus

import msgspec
from cybervein_protocol.errors import CyberVeinError, UnavailableError, UnknownError

from cybervein_operator.api import GROUP
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.errors import ApiError

_OURS = {kind.resource.plural for kind in ClusterKind if GROUP in kind.resource.api_version}
_WORDS_MAX = 500


class _About(msgspec.Struct):
    name: str = ""


class _Refused(msgspec.Struct):
    """Kubernetes' `Status`; empty for what a proxied pod or a path of nobody answers."""

    message: str = ""
    reason: str = ""
    details: _About = msgspec.field(default_factory=_About)


def refusal(verb: str, what: str, status: int, body: str) -> CyberVeinError:
    """The error for a call such as "list" "minerpools" or "get" "minerpools/pool"."""
    try:
        told = msgspec.json.decode(body, type=_Refused)
    except msgspec.DecodeError:
        told = _Refused()
    words = " ".join((told.message or body).split())[:_WORDS_MAX] or f"HTTP {status}"
    if status == HTTPStatus.NOT_FOUND and told.details.name:
        return UnknownError(words)
    if status == HTTPStatus.NOT_FOUND and what.partition("/")[0] in _OURS:
        return UnavailableError(
            "this cluster has no CyberVein resources; install the chart (docs/operations.md)"
        )
    if status == HTTPStatus.FORBIDDEN:
        return ApiError(f"you may not {verb} {what}: {words}", status, told.reason)
    if status == HTTPStatus.UNAUTHORIZED:
        words = f"the API server does not take this login ({words}); see `kubectl auth whoami`"
    return ApiError(f"{verb} {what}: {words}", status, told.reason)
