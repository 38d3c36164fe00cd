"""Signed HTTP requests: RFC 9421 (HTTP Message Signatures) with Ed25519, RFC 9530 digests.

Covered: method, path, query, the `cybervein-order` header where it is sent, and `content-digest`
where the body is not the shard itself (a shard's root stands in its order). `created`, `expires`
(at most `LIFETIME_SECONDS_MAX` apart), `nonce`, `keyid` (the signer's address) and the tag
`cybervein` are required. The clock and the nonce cache are the caller's: this module is pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureAlgorithm,
    HTTPSignatureKeyResolver,
)

from cybervein_protocol.errors import CyberVeinError, ExpiredError, SignatureError
from cybervein_protocol.names import PublicKey
from cybervein_protocol.signing import KeyPair, address, parse_address, verify

LIFETIME_SECONDS_MAX = 60
CLOCK_SKEW_SECONDS_MAX = 30
_HOUR_SECONDS = 3600
NONCE_CHARS_MAX = 64
ORDER_HEADER = "cybervein-order"
_TAG = "cybervein"
_LABEL = "cv"


@dataclass(slots=True)
class SignableRequest:
    """The parts of a request that a signature covers; `url` is absolute."""

    method: str
    url: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed, and the nonce that must not be accepted twice before `expires` (unix s)."""

    public: PublicKey
    nonce: str
    created: int
    expires: int


class _Ed25519(HTTPSignatureAlgorithm):
    """The project's one strict verification rule, under the library's interface."""

    algorithm_id = "ed25519"

    def __init__(
        self,
        public_key: bytes | None = None,
        private_key: KeyPair | None = None,
        password: object = None,
    ) -> None:
        del password
        self._public, self._pair = public_key, private_key

    def sign(self, message: bytes) -> bytes:
        assert self._pair is not None  # noqa: S101 -- the library resolves it before signing
        return self._pair.sign(message)

    def verify(self, signature: bytes, message: bytes) -> None:
        assert self._public is not None  # noqa: S101 -- likewise
        verify(self._public, message, signature, "HTTP request")


class _Keys(HTTPSignatureKeyResolver):
    def __init__(self, pair: KeyPair | None = None) -> None:
        self._pair = pair

    def resolve_public_key(self, key_id: str) -> bytes:
        return parse_address(key_id)

    def resolve_private_key(self, key_id: str) -> KeyPair:
        del key_id
        assert self._pair is not None  # noqa: S101 -- only a signer is built with a pair
        return self._pair


class _Verifier(HTTPMessageVerifier):
    """Leaves time to the caller's clock (`_check_time`)."""

    def validate_created_and_expires(self, sig_input: object, max_age: object = None) -> None:
        """Checked by `verify_request` against the time it is given."""


def sign_request(
    request: SignableRequest, key: KeyPair, *, now: int, nonce: str, body: bytes | None
) -> dict[str, str]:
    """The headers to send: `request.headers` and the signature's; `body` None is not covered."""
    signer = HTTPMessageSigner(signature_algorithm=_Ed25519, key_resolver=_Keys(key))
    components = ["@method", "@path", "@query"]
    if ORDER_HEADER in request.headers:
        components.append(ORDER_HEADER)
    signer.sign(
        request,
        key_id=address(key.public),
        created=datetime.fromtimestamp(now, UTC),
        expires=datetime.fromtimestamp(now + LIFETIME_SECONDS_MAX, UTC),
        nonce=nonce,
        label=_LABEL,
        tag=_TAG,
        covered_component_ids=components,
        body=body,
    )
    return request.headers


def verify_request(request: SignableRequest, *, now: int, body: bytes | None) -> Signer:
    """Who signed this request. `body` None only for streamed shard bytes.

    Raises:
        SignatureError: missing, malformed or wrong signature, or one that covers too little.
        ExpiredError: outside its lifetime at `now`.
    """
    required = ["@method", "@path", "@query"]
    if ORDER_HEADER in request.headers:
        required.append(ORDER_HEADER)
    verifier = _Verifier(signature_algorithm=_Ed25519, key_resolver=_Keys())
    try:
        [result] = verifier.verify(
            request, max_age=None, expect_tag=_TAG, require_components=required, body=body
        )
    except CyberVeinError:
        raise
    except Exception as error:  # the library and its parser raise many classes on hostile input
        raise SignatureError(
            f"HTTP request is not signed as required ({error}); sign method, path, query and body "
            "digest (RFC 9421, tag cybervein)"
        ) from error
    return _checked(result.parameters, now)


def _checked(parameters: Mapping[str, int | str], now: int) -> Signer:
    created, expires, nonce = (parameters.get(name) for name in ("created", "expires", "nonce"))
    if not (isinstance(created, int) and isinstance(expires, int) and isinstance(nonce, str)):
        raise SignatureError("HTTP signature lacks created, expires or nonce; send all three")
    if not 1 <= len(nonce) <= NONCE_CHARS_MAX or expires - created > LIFETIME_SECONDS_MAX:
        raise SignatureError(
            f"HTTP signature: nonce of {len(nonce)} characters (1 to {NONCE_CHARS_MAX}) valid "
            f"{expires - created} s (at most {LIFETIME_SECONDS_MAX}); sign a fresh request"
        )
    if created > now + CLOCK_SKEW_SECONDS_MAX or expires < now - CLOCK_SKEW_SECONDS_MAX:
        raise ExpiredError(
            f"the sender's clock is {clock_gap(created - now)} this server's: its HTTP signature "
            f"is valid from {created} to {expires}, the time here is {now} (unix s, "
            f"{CLOCK_SKEW_SECONDS_MAX} s of skew allowed); check the clock (NTP), sign again"
        )
    return Signer(parse_address(str(parameters["keyid"])), nonce, created, expires)


def clock_gap(ahead_seconds: float) -> str:
    """How far a clock is from another, in words: `24.0 hours ahead of` or `90 seconds behind`."""
    gap = abs(ahead_seconds)
    hours = gap >= _HOUR_SECONDS
    amount = f"{gap / _HOUR_SECONDS:.1f} hours" if hours else f"{gap:.0f} seconds"
    return f"{amount} ahead of" if ahead_seconds > 0 else f"{amount} behind"
