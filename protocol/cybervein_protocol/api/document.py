"""The base of all JSON documents: frozen, and every field that has no default is always there.

A field that is left out of some answers defaults to `UNSET`, which is never null on the wire. A
reader leaves fields alone that it does not know: a newer server may send more.
"""

from collections.abc import Iterator
from typing import Annotated, dataclass_transform

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
"""A number that a miner tells of itself: what is beyond fits no database and no metric."""


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Document(msgspec.Struct, frozen=True):
    """What one answer or body holds. A subclass's name is its schema's name in OpenAPI."""


def document_types(root: type[Document] = Document) -> Iterator[type[Document]]:
    """Every document that is imported."""
    for kind in root.__subclasses__():
        yield kind
        yield from document_types(kind)
