"""Control requests of the command line to a running miner."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeVar

import msgspec
import typer
from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.document import Document
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.identity import load_identity

from cybervein_miner.sidecar.announced import announced_url

Data = Annotated[Path, typer.Option(envvar="CYBERVEIN_DATA", help="The miner's --data directory.")]
Identity = Annotated[
    Path | None,
    typer.Option(envvar="CYBERVEIN_IDENTITY", help="The miner's --identity, if it has one."),
]
T = TypeVar("T")
_TIMEOUT_SECONDS: Final = 120
_ANSWER_BYTES_MAX: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class RunningMiner:
    """The miner that runs on `data`; requests are signed with its own key."""

    data: Path
    identity: Path | None

    async def ask(self, method: str, path: str, kind: type[T], body: Document | None = None) -> T:
        """The document it answers (or a list). Raises its error, or UnavailableError."""
        url = f"{announced_url(self.data)}{path}"
        keys = load_identity(self.identity or self.data / "identity.json").keys
        async with SignedClient(keys) as client:
            answer = await client.request(
                method,
                url,
                body=None if body is None else msgspec.json.encode(body),
                content_type="application/json",
                timeout_seconds=_TIMEOUT_SECONDS,
                max_response_bytes=_ANSWER_BYTES_MAX,
            )
        return decode_document(answer.body, kind, url, _ANSWER_BYTES_MAX)
