"""Signed requests over a real socket: limits, replay, errors that come back as themselves."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from cybervein_protocol.errors import (
    ExpiredError,
    FundsError,
    LimitError,
    MalformedError,
    ReplayError,
    SignatureError,
    UnavailableError,
)
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.http_client import SignedClient, sign_headers
from cybervein_runtime.http_errors import install_errors
from cybervein_runtime.http_server import Authenticator, read_body
from cybervein_runtime.serving import bind, serve, url_of
from fastapi import FastAPI, Request
from waiting import until

KEY = KeyPair(b"\4" * 32)


@dataclass
class Server:
    url: str
    run_file: Path
    offset: float = 0.0


@pytest_asyncio.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:

    state = Server("", tmp_path / "run.json")
    authenticator = Authenticator(lambda: time.time() + state.offset)
    app = FastAPI()
    install_errors(app)

    @app.post("/who")
    async def who(request: Request) -> dict[str, str]:
        body = await read_body(request, 1000)
        return {"address": address(authenticator.authenticate(request, body))}

    @app.get("/poor")
    async def poor() -> None:
        raise FundsError("account has 1 vein, needs 2; send more")

    @app.get("/number")
    async def number(n: int) -> int:
        return n

    @app.get("/fault")
    async def fault() -> None:
        raise RuntimeError("the secret of this fault")

    @app.get("/big")
    async def big() -> str:
        return "x" * 5000

    sock = bind("127.0.0.1", 0)
    state.url = url_of(sock)
    task = asyncio.create_task(serve(app, sock, state.run_file))
    await asyncio.to_thread(until, state.run_file.exists, "it serves")
    yield state
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_signed_request_is_known_by_its_address(server: Server) -> None:
    async with SignedClient(KEY) as client:
        answer = await client.request("POST", server.url + "/who", body=b"hello")
    assert answer.json() == {"address": address(KEY.public)}


async def test_an_unsigned_request_is_refused(server: Server) -> None:
    async with SignedClient() as client:
        with pytest.raises(SignatureError, match="RFC 9421"):
            await client.request("POST", server.url + "/who", body=b"hello")


async def test_the_same_request_is_accepted_once(server: Server) -> None:
    headers = sign_headers(KEY, "POST", server.url + "/who", body=b"hello")
    async with SignedClient() as client:
        async with client.session.post(server.url + "/who", data=b"hello", headers=headers) as one:
            assert one.status == 200
        async with client.session.post(server.url + "/who", data=b"hello", headers=headers) as two:
            assert two.status == ReplayError.status
            assert (await two.json())["error"] == "replay"


async def test_a_clock_that_jumps_gives_a_clear_error_and_recovers(server: Server) -> None:
    async with SignedClient(KEY) as client:
        server.offset = 3600
        with pytest.raises(ExpiredError, match=r"1\.0 hours behind .*check the clock"):
            await client.request("POST", server.url + "/who", body=b"hello")
        server.offset = -86_400
        with pytest.raises(ExpiredError, match=r"the sender's clock is 24\.0 hours ahead of"):
            await client.request("POST", server.url + "/who", body=b"hello")
        server.offset = 0
        assert (await client.request("POST", server.url + "/who", body=b"hello")).status == 200


async def test_an_oversized_body_is_refused(server: Server) -> None:
    async with SignedClient(KEY) as client:
        with pytest.raises(LimitError, match="at most 1000"):
            await client.request("POST", server.url + "/who", body=b"x" * 1001)


async def test_an_error_comes_back_as_the_class_it_was(server: Server) -> None:
    async with SignedClient(KEY) as client:
        with pytest.raises(FundsError, match="needs 2; send more"):
            await client.get_json(server.url + "/poor")


async def test_a_malformed_parameter_is_named(server: Server) -> None:
    async with SignedClient(KEY) as client:
        with pytest.raises(MalformedError, match=r"query\.n"):
            await client.get_json(server.url + "/number?n=many")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "malformed"),
        ("PATCH", "/poor", 405, "malformed"),
        ("GET", "/number?n=many", 400, "malformed"),
        ("GET", "/poor", 402, "funds"),
        ("GET", "/fault", 500, "unavailable"),
    ],
)
async def test_every_error_is_the_document(
    server: Server, method: str, path: str, status: int, code: str
) -> None:
    async with (
        SignedClient() as client,
        client.session.request(method, server.url + path) as answer,
    ):
        document = await answer.json()
        allow = answer.headers.get("allow")
    assert (answer.status, set(document), document["error"]) == (status, {"error", "message"}, code)
    assert path.partition("?")[0] in document["message"] or status == FundsError.status
    assert "secret" not in document["message"]
    assert (allow == "GET") == (status == 405)


async def test_a_body_that_is_too_large_is_the_document(server: Server) -> None:
    url = server.url + "/who"
    async with SignedClient() as client, client.session.post(url, data=b"x" * 1001) as answer:
        assert (answer.status, (await answer.json())["error"]) == (413, "limit")


async def test_a_fault_or_a_path_that_is_not_there_reads_as_a_bare_answer_does(
    server: Server,
) -> None:
    async with SignedClient() as client:
        with pytest.raises(UnavailableError, match="its log says why"):
            await client.get_json(server.url + "/fault")
        with pytest.raises(MalformedError, match=r"/nowhere.*openapi"):
            await client.get_json(server.url + "/nowhere")


async def test_an_answer_above_its_limit_is_not_read(server: Server) -> None:
    async with SignedClient(KEY) as client:
        with pytest.raises(LimitError, match="more than 100"):
            await client.request("GET", server.url + "/big", max_response_bytes=100)


async def test_a_peer_that_is_away_is_unavailable() -> None:
    sock = bind("127.0.0.1", 0)
    url = url_of(sock)
    sock.close()
    async with SignedClient(KEY) as client:
        with pytest.raises(UnavailableError, match="is it running"):
            await client.get_json(url)


def test_a_taken_port_is_named() -> None:
    sock = bind("127.0.0.1", 0)
    with pytest.raises(UnavailableError, match="another --port"):
        bind("127.0.0.1", sock.getsockname()[1])
    sock.close()
