"""Text from command lines, headers, URLs and answers: read, or refused with an error of ours."""

import asyncio
import json
import re
from contextlib import suppress

import msgspec
import pytest
from cybervein_client.lifetimes import parse_duration
from cybervein_command.ranges import parse_range
from cybervein_miner.api.door import number_of
from cybervein_protocol.amounts import coins
from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.errors import ErrorDocument
from cybervein_protocol.errors import CyberVeinError, LimitError, MalformedError
from cybervein_protocol.http_signature import SignableRequest, sign_request, verify_request
from cybervein_protocol.messages.orders import order_from_header
from cybervein_protocol.placement import Code, parse_code
from cybervein_protocol.signing import KeyPair, address, parse_address
from cybervein_runtime.addresses import check_peer_url, check_published_url, is_loopback, is_public
from cybervein_runtime.http_client import error_of
from cybervein_runtime.http_server import read_body
from cybervein_runtime.json_text import parse_json
from cybervein_runtime.parameters import parse_root
from cybervein_supernode.process.founding import parse_fund
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st
from record_strategies import DIGESTS

KEY = KeyPair(b"\3" * 32)
ADDRESS = address(KEY.public)
ENDS = st.sampled_from(["", "-", "/2"])
SIZES = st.integers(0, 2**63 - 1)
DIGITS = st.sampled_from([1, 18, 19, 20, 4300, 4301, 20_000]).map(lambda count: "9" * count)
NUMBERS = SIZES.map(str) | st.text(st.characters(categories=["Nd"]), max_size=30) | DIGITS
PIECES = NUMBERS | st.sampled_from(["-", ":", "/", "=", "cv", " ", ""]) | st.text(max_size=5)
LONG = st.builds("{}{}{}".format, st.sampled_from(["", "1/", f"{ADDRESS}="]), DIGITS, ENDS)
TEXT = st.lists(PIECES, max_size=4).map("".join) | LONG
PARSERS = [
    *(parse_range, parse_code, parse_address, parse_fund, parse_duration),
    *(order_from_header, parse_root),
]


@pytest.mark.parametrize("parse", PARSERS)
@given(text=TEXT)
def test_any_text_is_read_or_refused(parse: object, text: str) -> None:
    with suppress(CyberVeinError):
        parse(text)  # type: ignore[operator]


@given(st.integers(0, 2**62), st.integers(0, 2**62), st.sampled_from("-:"))
def test_a_range_comes_back(start: int, length: int, separator: str) -> None:
    assert parse_range(f"{start}{separator}{start + length}") == (start, start + length + 1)
    assert parse_range(f"{start}{separator}") == (start, None)
    with pytest.raises(MalformedError):
        parse_range(f"{start + 1}{separator}{start}")


@given(st.integers(-1, 300), st.integers(-1, 300))
def test_a_code_comes_back_or_is_none(k: int, n: int) -> None:
    if 1 <= k < n <= 255:
        assert parse_code(f"{k}/{n}") == Code(k, n)
    else:
        with pytest.raises(MalformedError):
            parse_code(f"{k}/{n}")


@given(DIGESTS, st.integers(0, 2**64))
def test_a_fund_comes_back_or_is_too_large(key: bytes, veins: int) -> None:
    text = f"{address(key)}={veins}"
    if veins < 1 << 63:
        fund = parse_fund(text)
        assert (fund.key, fund.balance) == (key, veins)
    else:
        with pytest.raises(MalformedError):
            parse_fund(text)


@given(st.integers(1, 10**9 - 1), st.sampled_from(["m", "h", "d", "w", "y"]))
def test_a_duration_comes_back(count: int, unit: str) -> None:
    seconds = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}
    assert parse_duration(f"{count}{unit}") == count * seconds[unit]


@given(DIGESTS)
def test_keys_and_roots_come_back_from_their_text(digest: bytes) -> None:
    assert parse_address(address(digest)) == digest
    assert parse_root(digest.hex()) == digest
    with pytest.raises(MalformedError):
        parse_root(digest.hex() + "0")


@given(TEXT, SIZES)
def test_a_number_in_a_query_is_within_its_limit(text: str, most: int) -> None:
    request = Request(
        {
            "type": "http",
            "method": "GET",
            "path": "/v1/shards/aa",
            "headers": [],
            "query_string": f"index={text}".encode(),
        }
    )
    with suppress(CyberVeinError):
        assert 0 <= number_of(request, "index", most) <= most


@given(st.integers(0, 2**70), st.integers(0, 12))
def test_an_amount_shown_is_the_amount(veins: int, decimals: int) -> None:
    whole, _, part = coins(veins, decimals).replace(",", "").partition(".")
    assert int(whole + part.ljust(decimals, "0")) == veins


HOSTS = st.sampled_from(["host", "127.0.0.1", "[::1]", "[", "localhost", "10.0.0.1", "é", ""])
URLS = st.tuples(
    st.sampled_from(["http://", "https://", "ftp://", "//", ""]), HOSTS, st.text(max_size=8)
).map("".join)


@given(URLS | st.text(max_size=30))
def test_any_url_is_accepted_or_refused(url: str) -> None:
    for check in (check_peer_url, check_published_url):
        with suppress(CyberVeinError):
            check(url)
            assert re.match("https?://", url, re.IGNORECASE)


@given(st.text(max_size=40) | st.ip_addresses().map(str))
def test_no_address_is_both_this_machine_and_public(host: str) -> None:
    assert not (is_loopback(host) and is_public(host))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
ANSWERS = (
    st.binary(max_size=60)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.builds(lambda a, b: json.dumps({"error": a, "message": b}).encode(), JSON, JSON)
    | st.integers(1, 100_000).map(lambda depth: b"[" * depth)
)


@given(ANSWERS)
def test_any_bytes_are_json_or_refused_by_name(body: bytes) -> None:
    try:
        document = parse_json(body, "the thing")
    except CyberVeinError as error:
        assert str(error).startswith("the thing is not JSON")  # noqa: PT017 -- or else it is read
    else:
        assert document == json.loads(body)


@given(ANSWERS)
def test_any_bytes_are_the_document_or_refused_by_name(body: bytes) -> None:
    try:
        document = decode_document(body, ErrorDocument, "the thing", 90_000)
    except CyberVeinError as error:
        assert str(error).startswith("the thing: ")  # noqa: PT017 -- or else it is read
    else:
        assert msgspec.to_builtins(document) == json.loads(body)


@given(
    st.lists(st.binary(max_size=9), max_size=6),
    st.integers(0, 40),
    st.none() | st.integers(0, 60).map(str) | st.text(max_size=4),
)
def test_a_body_is_read_whole_or_refused(
    parts: list[bytes], most: int, declared: str | None
) -> None:
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    waiting = iter([*messages, {"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> dict[str, object]:
        return next(waiting)

    headers = [] if declared is None else [(b"content-length", declared.encode())]
    scope = {"type": "http", "method": "POST", "path": "/", "headers": headers}
    whole = b"".join(parts)
    try:
        assert asyncio.run(read_body(Request(scope, receive), most)) == whole
        assert len(whole) <= most
    except LimitError:
        assert len(whole) > most or int(declared or "0") > most


@given(st.integers(400, 599), ANSWERS)
def test_any_answer_of_a_peer_is_one_of_our_errors(status: int, body: bytes) -> None:
    assert isinstance(error_of(status, body, "http://peer"), CyberVeinError)


PATHS = st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=12)
VALUES = st.text(st.characters(codec="ascii"), max_size=60)


def signed(path: str, body: bytes, now: int) -> SignableRequest:
    request = SignableRequest("PUT", f"http://host/{path}?a=1", {"cybervein-order": "o"})
    sign_request(request, KEY, now=now, nonce="once", body=body)
    return request


@given(PATHS, st.binary(max_size=30), st.integers(0, 2**31), st.integers(-200, 200))
def test_a_signed_request_is_its_signers_for_a_minute(
    path: str, body: bytes, now: int, later: int
) -> None:
    request = signed(path, body, now)
    with suppress(CyberVeinError):
        assert verify_request(request, now=now + later, body=body).public == KEY.public
        assert -30 <= later <= 90
    with pytest.raises(CyberVeinError):
        verify_request(request, now=now, body=body + b"x")


@given(st.sampled_from(["Signature", "Signature-Input", "Content-Digest"]), VALUES, st.booleans())
def test_no_signature_header_breaks_the_parser(
    name: str,
    value: str,
    behind: bool,  # noqa: FBT001 -- drawn
) -> None:
    request = signed("x", b"body", 1000)
    request.headers[name] = request.headers[name] + value if behind else value
    with suppress(CyberVeinError):
        assert verify_request(request, now=1000, body=b"body").public == KEY.public
