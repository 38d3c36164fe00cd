"""Values of any Record, from its annotations: every field within its bounds, edges included."""

from typing import Any

from cybervein_protocol.cid import data_cid, node_cid
from hypothesis import strategies as st
from msgspec import inspect

DIGESTS = st.binary(min_size=32, max_size=32)
LINKS = DIGESTS.map(data_cid) | DIGESTS.map(node_cid)
LEAVES = st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.text() | st.binary()
NODES = st.recursive(
    LEAVES | LINKS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=10,
)
"""Any IPLD node without floats, which no Record has."""
LIST_MAX = 3


def records(kind: type) -> st.SearchStrategy[Any]:
    """Instances of a Record."""
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    fields = {field.name: values(field.type) for field in info.fields}
    return st.builds(kind, **fields)


def values(info: inspect.Type) -> st.SearchStrategy[Any]:  # noqa: C901, PLR0911, PLR0912 -- a table
    """Values of a field's type."""
    match info:
        case inspect.Metadata(type=inner):
            return values(inner)
        case inspect.StructType(cls=kind):
            return records(kind)
        case inspect.IntType(ge=low, le=high, gt=above, lt=below):
            low = low if low is not None else (above + 1 if above is not None else -(2**64))
            high = high if high is not None else (below - 1 if below is not None else 2**64 - 1)
            return st.integers(low, high)
        case inspect.BytesType(min_length=low, max_length=high):
            return st.binary(min_size=low or 0, max_size=least(high, (low or 0) + 100))
        case inspect.StrType(min_length=low, max_length=high, pattern=None):
            return st.text(min_size=low or 0, max_size=least(high, (low or 0) + 40))
        case inspect.StrType(pattern=str(pattern)):
            return st.from_regex(pattern)
        case inspect.ListType(item_type=item, min_length=low, max_length=high):
            return st.lists(values(item), min_size=low or 0, max_size=least(high, (low or 0) + 3))
        case inspect.UnionType(types=types):
            return st.one_of([values(each) for each in types])
        case inspect.LiteralType(values=choices):
            return st.sampled_from(choices)
        case inspect.DictType(key_type=key, value_type=value):
            return st.dictionaries(values(key), values(value), max_size=LIST_MAX)
        case inspect.BoolType():
            return st.booleans()
        case inspect.NoneType():
            return st.none()
        case inspect.AnyType():
            return NODES
        case inspect.CustomType():
            return LINKS
        case _:
            raise TypeError(f"no strategy for {info}: add a case")


def least(bound: int | None, usual: int) -> int:
    """A size that tests bear, within the bound."""
    return usual if bound is None else min(bound, usual)
