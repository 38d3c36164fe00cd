"""Ed25519 signatures over domain-separated records, and addresses with a checksum.

One strict verification rule (libsodium's, equal to dalek's `verify_strict`): canonical S and A,
no small-order A or R, cofactorless equation. Reference: RFC 8032.
"""

from typing import Any, TypeVar

import base58
import msgspec
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from cybervein_protocol.encoding import Record, encode, to_map
from cybervein_protocol.errors import MalformedError, SignatureError
from cybervein_protocol.names import PublicKey

_ADDRESS_PREFIX = "cv"
_ADDRESS_VERSION = b"\x01"
_ADDRESS_CHARS_MAX = 64


class KeyPair:
    """An Ed25519 key pair of a 32-byte secret seed (RFC 8032 section 5.1.5).

    Its `repr` never shows the secret.
    """

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        self._key = SigningKey(seed)
        self.public = PublicKey(bytes(self._key.verify_key))

    @property
    def seed(self) -> bytes:
        """The 32-byte secret; write it only to a file of mode 0600."""
        return bytes(self._key)

    def sign(self, message: bytes) -> bytes:
        """64-byte signature."""
        return bytes(self._key.sign(message).signature)

    def __repr__(self) -> str:
        return f"KeyPair({address(self.public)})"


def verify(public: bytes, message: bytes, signature: bytes, what: str) -> None:
    """Raise SignatureError unless `signature` is `public`'s over `message`."""
    try:
        VerifyKey(public).verify(message, signature)
    except (BadSignatureError, ValueError, TypeError) as error:
        raise SignatureError(
            f"{what}: signature does not verify under {address(public)}; "
            "sign it again with that key"
        ) from error


S = TypeVar("S", bound=Record)


def signed_bytes(context: str, record: Record) -> bytes:
    """What is signed: context, a zero byte, and the record's encoding without its `sig`."""
    node: dict[str, Any] = to_map(record)
    node.pop("sig", None)
    return context.encode() + b"\x00" + encode(node)


def sign_record(context: str, record: S, key: KeyPair) -> S:
    """The record with its `sig` field set by `key`."""
    return msgspec.structs.replace(record, sig=key.sign(signed_bytes(context, record)))


def verify_record(context: str, record: Record, public: bytes, what: str) -> None:
    """Raise SignatureError unless the record's `sig` is `public`'s under `context`."""
    signature: bytes = getattr(record, "sig", b"")
    verify(public, signed_bytes(context, record), signature, what)


def address(public: bytes) -> str:
    """Text of a public key: `cv` and base58check of a version byte and the 32 key bytes."""
    return _ADDRESS_PREFIX + base58.b58encode_check(_ADDRESS_VERSION + bytes(public)).decode()


def parse_address(text: str) -> PublicKey:
    """The public key of an address. Raises MalformedError on a typing mistake."""
    if len(text) > _ADDRESS_CHARS_MAX:  # base58 costs the square of the length
        raise MalformedError(f"address {text[:80]!r}…: {len(text)} characters; copy it again")
    try:
        raw = base58.b58decode_check(text.removeprefix(_ADDRESS_PREFIX))
    except ValueError as error:
        raise MalformedError(f"address {text[:80]!r}: checksum is wrong; copy it again") from error
    if not text.startswith(_ADDRESS_PREFIX) or len(raw) != 33 or raw[:1] != _ADDRESS_VERSION:  # noqa: PLR2004 -- version and key bytes
        raise MalformedError(f"address {text[:80]!r}: expected cv… of version 1")
    return PublicKey(raw[1:])
