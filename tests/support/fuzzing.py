"""schemathesis over a server's OpenAPI document: all of its checks, on the server's real socket."""

from collections.abc import Callable, Iterable
from typing import Any

import requests
import schemathesis
from cybervein_protocol.http_signature import ORDER_HEADER
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.http_client import DAG_CBOR, sign_headers
from hypothesis import strategies as st
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, from_schema
from schemathesis.engine.events import EngineEvent, FatalError, NonFatalError, ScenarioFinished

EXAMPLES_MAX = 10
"""For each operation and kind of data; boundaries are counted apart."""
_OPAQUE = ["2xx", "400", "401", "402", "403", "404", "409", "410", "413", "422", "503", "507"]
"""What bytes of a schema that says `binary` may be answered with: they are a record, or are not."""
_ANSWERS = ["2xx", "4xx", "503", "507"]
"""No 500; a peer or a disk that is away is told by a status that is documented."""
Signing = Callable[[requests.PreparedRequest], tuple[KeyPair, bytes | None] | None]
"""Who signs a request, and its order; None for one that goes unsigned."""

schemathesis.openapi.format("cybervein-address", st.binary(min_size=32, max_size=32).map(address))
schemathesis.openapi.media_type(DAG_CBOR, st.binary(max_size=200))


class Signer(requests.auth.AuthBase):
    """Signs what is about to be sent, so that parameters and bodies get past the door."""

    def __init__(self, signing: Signing) -> None:
        self._signing = signing

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        signed = self._signing(request)
        if signed is not None:
            key, order = signed
            body = None if order is not None else _body_of(request)
            request.headers.pop(ORDER_HEADER, None)
            headers = sign_headers(
                key, str(request.method), str(request.url), body=body, order=order
            )
            request.headers.update(headers)
        return request


def _body_of(request: requests.PreparedRequest) -> bytes:
    body = request.body or b""
    return body.encode() if isinstance(body, str) else body


def failures_of(
    url: str, seed: int, signing: Signing | None = None, opaque: Iterable[str] = ()
) -> str:
    """What schemathesis finds at a server; `opaque` are operations that take or judge bytes."""
    config = SchemathesisConfig.from_dict(_settings(seed, opaque))
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)
    if signing is not None:
        schema.auth.set_from_requests(Signer(signing))
    return "\n".join(text for event in from_schema(schema).execute() for text in _told(event))


def _settings(seed: int, opaque: Iterable[str]) -> dict[str, Any]:
    lenient = {"checks": {"positive_data_acceptance": {"expected-statuses": _OPAQUE}}}
    return {
        "seed": seed,
        "continue-on-failure": True,
        "max-stream-events": 3,
        "request-timeout": 60,
        "generation": {"max-examples": EXAMPLES_MAX, "no-shrink": True, "allow-x00": True},
        "checks": {"not_a_server_error": {"expected-statuses": _ANSWERS}},
        "phases": {"stateful": {"enabled": False}},
        "operations": [{"include-path": path, **lenient} for path in opaque],
    }


def _told(event: EngineEvent) -> list[str]:
    if isinstance(event, FatalError):
        return [f"{event.exception!r}"]
    if isinstance(event, NonFatalError):
        return [f"{event.label}: {event.value!r}"]
    if not isinstance(event, ScenarioFinished) or event.status is not Status.FAILURE:
        return []
    found = []
    for case, checks in event.recorder.checks.items():
        for check in checks:
            if check.status is Status.FAILURE and check.failure_info is not None:
                failure = check.failure_info
                what = f"{event.recorder.label} {check.name} ({case})"
                found.append(f"{what}: {failure.failure}\n{failure.code_sample}")
    return found
