"""What `/openapi.json` tells of `/v1/shards/{root}`, which is answered in bare ASGI (`shards`).

The routes here are behind that one and never run: they are how FastAPI learns of it.
"""

from typing import Any, Final

from cybervein_protocol.errors import ConflictError, ProofError, StorageError, UnknownError
from cybervein_protocol.http_signature import ORDER_HEADER
from cybervein_runtime.http_client import DAG_CBOR
from cybervein_runtime.openapi import answers_bytes, takes_bytes
from cybervein_runtime.parameters import NUMBER_MAX, Root
from fastapi import FastAPI

from cybervein_miner.api.door import ORDERED
from cybervein_miner.api.shards import INDEX_MAX, PATH, SLICE_BYTES_MAX, SLICE_TYPE

_BYTES: Final = "application/octet-stream"
_PUT: Final = (*ORDERED, ConflictError, ProofError, StorageError)
_GET: Final = (*ORDERED, UnknownError, ConflictError, ProofError, StorageError)
_DELETE: Final = (*ORDERED, UnknownError, StorageError)


def describe_shards(app: FastAPI) -> None:
    """Add the three routes to the document."""
    put = answers_bytes(DAG_CBOR, "Receipt: the shard is durable.", refuses=_PUT)
    put["responses"][201] = put["responses"].pop(200)
    body = takes_bytes(_BYTES, "The shard, with its Content-Length.")
    place = {"segment": NUMBER_MAX, "index": INDEX_MAX}
    _add(app, "PUT", "Store a shard.", place, {**put, **body, "status_code": 201})

    get = answers_bytes(_BYTES, "The shard; with a range its Bao slice.", refuses=_GET)
    get["responses"][200]["content"] |= answers_bytes(SLICE_TYPE, "")["responses"][200]["content"]
    span = {"offset": NUMBER_MAX, "length": SLICE_BYTES_MAX}
    _add(app, "GET", "Read a shard, or a slice.", span, get)

    delete = answers_bytes(_BYTES, "", refuses=_DELETE)
    delete["responses"][204] = {"description": "Moved to the trash."}
    del delete["responses"][200]
    _add(app, "DELETE", "Give a shard up.", {}, {**delete, "status_code": 204})


def _add(
    app: FastAPI, method: str, text: str, query: dict[str, int], keywords: dict[str, Any]
) -> None:
    order = {"name": ORDER_HEADER, "in": "header", "schema": {"type": "string"}}
    numbers = [
        {"name": name, "in": "query", "required": method == "PUT", "schema": _number(most)}
        for name, most in query.items()
    ]
    extra = keywords.pop("openapi_extra", {}) | {"parameters": [order, *numbers]}

    async def never(root: Root) -> None:
        raise AssertionError(f"{PATH} is answered by ShardEndpoint, not for {root.hex()}")

    name = f"{method.lower()}_shard"
    app.add_api_route(
        PATH, never, methods=[method], name=name, description=text, openapi_extra=extra, **keywords
    )


def _number(most: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 0, "maximum": most}
