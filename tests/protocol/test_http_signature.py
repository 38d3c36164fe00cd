"""Signed requests: what is covered cannot change, and nothing is valid for long."""

from dataclasses import replace

import pytest
from cybervein_protocol.errors import CyberVeinError, ExpiredError, SignatureError
from cybervein_protocol.http_signature import SignableRequest, sign_request, verify_request
from cybervein_protocol.signing import KeyPair

KEY = KeyPair(b"\3" * 32)
URL = "http://miner:7000/v1/shards/aa?segment=1&index=2"


def signed(body: bytes | None = b"body", order: str | None = "b3JkZXI") -> SignableRequest:
    headers = {"cybervein-order": order} if order else {}
    request = SignableRequest("PUT", URL, headers)
    sign_request(request, KEY, now=1_000, nonce="once", body=body)
    return request


def test_a_signed_request_names_its_signer() -> None:
    signer = verify_request(signed(), now=1_010, body=b"body")
    assert (signer.public, signer.nonce, signer.expires) == (KEY.public, "once", 1_060)


def test_the_host_may_differ_because_proxies_change_it() -> None:
    request = replace(signed(), url=URL.replace("miner:7000", "10.0.0.9"))
    assert verify_request(request, now=1_010, body=b"body").public == KEY.public


@pytest.mark.parametrize(
    ("change", "body"),
    [
        ({"method": "GET"}, b"body"),
        ({"url": URL.replace("aa", "ab")}, b"body"),
        ({"url": URL.replace("index=2", "index=3")}, b"body"),
        ({}, b"other"),
    ],
)
def test_a_change_of_what_is_covered_is_refused(change: dict[str, str], body: bytes) -> None:
    with pytest.raises(SignatureError):
        verify_request(replace(signed(), **change), now=1_010, body=body)


def test_a_swapped_order_is_refused() -> None:
    request = signed()
    request.headers["cybervein-order"] = "b3RoZXI"
    with pytest.raises(SignatureError):
        verify_request(request, now=1_010, body=b"body")


def test_an_order_added_after_signing_is_refused() -> None:
    request = signed(order=None)
    request.headers["cybervein-order"] = "b3JkZXI"
    with pytest.raises(SignatureError):
        verify_request(request, now=1_010, body=b"body")


def test_a_body_that_is_not_covered_is_refused_where_it_must_be() -> None:
    with pytest.raises(SignatureError, match="Content-Digest"):
        verify_request(signed(body=None), now=1_010, body=b"body")


@pytest.mark.parametrize("now", [900, 1_200])
def test_outside_its_lifetime_a_request_is_refused_with_both_times(now: int) -> None:
    with pytest.raises(ExpiredError, match=f"1000 to 1060, the time here is {now}"):
        verify_request(signed(), now=now, body=b"body")


@pytest.mark.parametrize("name", ["Signature", "Signature-Input"])
@pytest.mark.parametrize("value", [None, "", "cv=1", "cv=(", "\x7f", "cv=:AAAA:", "a=1, cv=()"])
def test_missing_or_malformed_signature_headers_are_refused(name: str, value: str | None) -> None:
    request = signed()
    del request.headers[name]
    if value is not None:
        request.headers[name] = value
    with pytest.raises(CyberVeinError):
        verify_request(request, now=1_010, body=b"body")
