"""Control requests of the command line to a running miner."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from cybervein_protocol.errors import UnavailableError
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.identity import load_identity

Data = Annotated[Path, typer.Option(envvar="CYBERVEIN_DATA", help="the miner's --data directory")]
Identity = Annotated[
    Path | None,
    typer.Option(envvar="CYBERVEIN_IDENTITY", help="the miner's --identity, if it has one"),
]
_TIMEOUT_SECONDS = 120


async def call(
    data: Path, identity: Path | None, method: str, path: str, body: object = None
) -> Any:  # noqa: ANN401 -- JSON
    """The JSON answer of the miner on `data`, to a request signed with its own key."""
    run_file = data / "run.json"
    if not run_file.exists():
        raise UnavailableError(f"no miner runs on {data}; start it with cybervein mine")
    url = json.loads(run_file.read_text())["url"]
    keys = load_identity(identity or data / "identity.json").keys
    async with SignedClient(keys) as client:
        answer = await client.request(
            method,
            f"{_here(url)}{path}",
            body=None if body is None else json.dumps(body).encode(),
            content_type="application/json",
            timeout_seconds=_TIMEOUT_SECONDS,
        )
    return answer.json()


def _here(url: str) -> str:
    """A miner that listens on every address is reached on this machine's own."""
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")
