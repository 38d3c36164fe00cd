"""The one way to read a JSON document, whoever sent it."""

from typing import TypeVar

import msgspec

from cybervein_protocol.errors import LimitError, MalformedError

T = TypeVar("T")


def decode_document(data: bytes, kind: type[T], what: str, max_bytes: int) -> T:
    """The document (a type of this package, or a list of one); `what` names it in errors.

    Raises LimitError above `max_bytes`, MalformedError for everything that is not of `kind`.
    """
    if len(data) > max_bytes:
        raise LimitError(f"{what}: {len(data)} bytes, at most {max_bytes} are accepted")
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        name = getattr(kind, "__name__", str(kind))
        raise MalformedError(
            f"{what}: expected {name}, got {data[:60]!r} ({error}); is it of the same version?"
        ) from error
