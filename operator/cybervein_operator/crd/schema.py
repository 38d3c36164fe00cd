"""A structural schema of a typed model: what the API server prunes, defaults and checks by.

Walks `msgspec.inspect`. Absence is `None` in the model and no `nullable` here. A `Part`'s docstring
is its description, its `RULES` become `x-kubernetes-validations`. Kubernetes' rules for structural
schemas: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from enum import Enum
from inspect import getdoc
from typing import Any, Final

import msgspec
from msgspec import inspect

from cybervein_operator.api.fields import INT_OR_STRING
from cybervein_operator.api.meta import Part, to_plain

Schema = dict[str, Any]
_INT32_MAX: Final = 2**31 - 1


def schema_of(kind: type[Part]) -> Schema:
    """The structural schema of a model."""
    return _schema(inspect.type_info(kind))


def _schema(info: inspect.Type) -> Schema:  # noqa: PLR0911 -- one case for each type
    match info:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return _schema(inner) | (extra or {})
        case inspect.UnionType():
            return _union(info)
        case inspect.StructType():
            return _object(info)
        case inspect.VarTupleType(item_type=item, min_length=least, max_length=most):
            return _given(type="array", minItems=least, maxItems=most, items=_schema(item))
        case inspect.DictType():
            return _map(info)
        case inspect.StrType(min_length=least, max_length=most, pattern=pattern):
            return _given(type="string", minLength=least, maxLength=most, pattern=pattern)
        case inspect.IntType():
            return _integer(info)
        case inspect.EnumType(cls=cls):
            return {"type": "string", "enum": [member.value for member in cls]}
        case inspect.BoolType():
            return {"type": "boolean"}
    raise TypeError(f"{info}: the API server has no schema for it; describe the field otherwise")


def _map(info: inspect.DictType) -> Schema:
    """What is passed on as it is has values of any kind, and says so itself."""
    passed_on = isinstance(info.value_type, inspect.AnyType)
    values = None if passed_on else _schema(info.value_type)
    return _given(type="object", maxProperties=info.max_length, additionalProperties=values)


def _union(info: inspect.UnionType) -> Schema:
    """`X | None` is X that may be absent; `int | str` is a quantity."""
    members = [each for each in info.types if not isinstance(each, inspect.NoneType)]
    if len(members) == 1:
        return _schema(members[0])
    if {type(each) for each in members} == {inspect.IntType, inspect.StrType}:
        return {"anyOf": [{"type": "integer"}, {"type": "string"}], INT_OR_STRING: True}
    raise TypeError(f"{info}: a field is of one type; make two fields and a rule")


def _integer(info: inspect.IntType) -> Schema:
    narrow = info.le is not None and info.le <= _INT32_MAX
    return _given(
        type="integer", format="int32" if narrow else "int64", minimum=info.ge, maximum=info.le
    )


def _object(info: inspect.StructType) -> Schema:
    rules = [rule.schema() for rule in getattr(info.cls, "RULES", ())]
    required = [field.encode_name for field in info.fields if field.required]
    return _given(
        description=getdoc(info.cls),
        type="object",
        properties={field.encode_name: _field(field) for field in info.fields},
        required=required or None,
    ) | ({"x-kubernetes-validations": rules} if rules else {})


def _field(field: inspect.Field) -> Schema:
    default = _default(field)
    return _schema(field.type) | ({} if default is None else {"default": default})


def _default(field: inspect.Field) -> Any:  # noqa: ANN401 -- any JSON-like value
    """The default that the API server fills in; None where absence stays absence.

    A default object is written out whole: rules are checked against it as it stands.
    """
    value = field.default
    if value is msgspec.NODEFAULT or value is None:
        return None
    if isinstance(value, Part):
        return _without_empty(to_plain(value)) or None
    if isinstance(value, Enum):
        return value.value
    return None if value in ((), "", {}) else value


def _without_empty(plain: Schema) -> Schema:
    return {key: value for key, value in plain.items() if value not in ([], {})}


def _given(**fields: Any) -> Schema:  # noqa: ANN401 -- JSON schema keywords
    return {key: value for key, value in fields.items() if value is not None}
