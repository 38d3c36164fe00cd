"""Whole documents for tests that care for a few of their fields: the others are empty."""

from typing import Any, TypeVar

import msgspec
from cybervein_protocol.api.document import Document
from msgspec import inspect

D = TypeVar("D", bound=Document)


def made(kind: type[D], **fields: Any) -> D:
    """A document of that kind with these fields (as JSON has them)."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    return msgspec.convert(_empty(info) | fields, kind)


def _empty(info: inspect.StructType) -> dict[str, Any]:
    return {each.encode_name: _zero(each.type) for each in info.fields if each.required}


def _zero(info: inspect.Type) -> Any:
    if isinstance(info, inspect.StructType):
        return _empty(info)
    if isinstance(info, inspect.LiteralType):
        return info.values[0]
    if isinstance(info, inspect.EnumType):
        return next(iter(info.cls)).value
    if isinstance(info, inspect.IntType):
        return info.ge or 0
    return _ZEROS.get(type(info), "")


_ZEROS: dict[type, Any] = {
    inspect.ListType: [],
    inspect.DictType: {},
    inspect.BoolType: False,
    inspect.FloatType: 0.0,
    inspect.UnionType: None,
}
