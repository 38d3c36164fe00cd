"""Orders: who may make a miner do what, with which root, for how many bytes, until when.

An order is a bearer's permission, not a bearer token: the bearer named in it signs the request that
carries it (RFC 9421), so a copied order is worthless. Bytes used per order id are the miner's to
persist; everything that can be judged from the order alone is judged by `check_order`.
"""

import base64
import binascii
from collections.abc import Collection
from typing import Final, Literal

from multiformats import CID

from cybervein_protocol.encoding import U63, Bytes32, Bytes64, Record, decode, encode
from cybervein_protocol.errors import ExpiredError, ForbiddenError, MalformedError
from cybervein_protocol.messages.fields import Version
from cybervein_protocol.signing import KeyPair, address, sign_record, verify_record

CONTEXT: Final = "cybervein order v1"
ORDER_BYTES_MAX: Final = 2048

Verb = Literal["PUT", "GET", "DELETE", "READ"]
"""PUT, GET and DELETE act on a shard; READ reads ranges of a plot by its space root."""


class Order(Record):
    """Permission for `bearer` to do `verb` with `root` at `miner`, up to `max_bytes` in all."""

    v: Version
    network: CID
    id: Bytes32  # random: what "used bytes" are counted under
    deal: CID | None  # None for READ
    miner: Bytes32
    bearer: Bytes32
    verb: Verb
    root: Bytes32
    max_bytes: U63
    not_after_epoch: U63
    issuer: Bytes32
    sig: Bytes64


def sign_order(  # noqa: PLR0913 -- an order's fields, by name
    key: KeyPair,
    *,
    network: CID,
    order_id: bytes,
    deal: CID | None,
    miner: bytes,
    bearer: bytes,
    verb: Verb,
    root: bytes,
    max_bytes: int,
    not_after_epoch: int,
) -> Order:
    """An order issued by `key`; `order_id` is 32 random bytes."""
    order = Order(
        v=1,
        network=network,
        id=order_id,
        deal=deal,
        miner=miner,
        bearer=bearer,
        verb=verb,
        root=root,
        max_bytes=max_bytes,
        not_after_epoch=not_after_epoch,
        issuer=key.public,
        sig=bytes(64),
    )
    return sign_record(CONTEXT, order, key)


def check_order(  # noqa: PLR0913 -- what the miner expects, by name
    order: Order,
    *,
    network: CID,
    miner: bytes,
    bearer: bytes,
    verb: Verb,
    root: bytes,
    epoch: int,
    issuers: Collection[bytes],
) -> None:
    """Raise unless the order, signed by one of `issuers`, allows this request in `epoch`.

    Raises ForbiddenError (another network, miner, bearer, verb, root or issuer), ExpiredError,
    SignatureError.
    """
    _expect(order, "network", order.network, network)
    _expect(order, "verb", order.verb, verb)
    for field, actual, expected in (
        ("miner", order.miner, miner),
        ("bearer", order.bearer, bearer),
        ("root", order.root, root),
    ):
        _expect(order, field, bytes(actual).hex(), bytes(expected).hex())
    if order.issuer not in issuers:
        raise ForbiddenError(
            f"order {order.id.hex()[:16]}: issued by {address(order.issuer)}, who may not "
            f"order {verb} of {root.hex()[:16]} here; ask a super node or the deal's owner"
        )
    if epoch > order.not_after_epoch:
        raise ExpiredError(
            f"order {order.id.hex()[:16]}: valid up to epoch {order.not_after_epoch}, "
            f"now is epoch {epoch}; ask for a new order"
        )
    verify_record(CONTEXT, order, order.issuer, f"order {order.id.hex()[:16]}")


def _expect(order: Order, field: str, actual: object, expected: object) -> None:
    if actual != expected:
        raise ForbiddenError(
            f"order {order.id.hex()[:16]}: {field} is {actual}, this request needs {expected}; "
            "ask for an order of your own"
        )


def order_header(order: Order) -> str:
    """The value of the `CyberVein-Order` header: base64url of the encoding, without padding."""
    return base64.urlsafe_b64encode(encode(order)).rstrip(b"=").decode()


def order_from_header(text: str) -> Order:
    """The order in a `CyberVein-Order` header. Raises MalformedError or LimitError."""
    padded = text + "=" * (-len(text) % 4)
    try:
        data = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedError(f"CyberVein-Order: not base64url ({error})") from error
    return decode(data, Order, "order", ORDER_BYTES_MAX)
