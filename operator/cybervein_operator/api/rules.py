"""CEL rules that travel with a type: the API server refuses with these words.

A type lists them in its class variable `RULES`; `cybervein_operator.crd` puts them beside the
type's schema as `x-kubernetes-validations`. Every list and text that a rule reads has a limit, as
the API server weighs a rule by the largest object that it may meet.
"""

from dataclasses import dataclass
from typing import Final

OWN_LABELS: Final = tuple(
    f"app.kubernetes.io/{each}" for each in ("name", "instance", "component", "managed-by")
)
"""Of every object of ours, beside those that begin with `cybervein.io/`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`cel` must hold; `message` says what is wrong and what to do; `path` points at the field."""

    cel: str
    message: str
    path: str = ""

    def schema(self) -> dict[str, str]:
        """As an item of `x-kubernetes-validations`."""
        where = {"fieldPath": self.path} if self.path else {}
        return {"rule": self.cel, "message": self.message, "reason": "FieldValueInvalid", **where}


def fixed(field: str, message: str) -> Rule:
    """`field` keeps the value, or the absence, that it was created with."""
    return Rule(
        f"has(self.{field}) == has(oldSelf.{field}) && "
        f"(!has(self.{field}) || self.{field} == oldSelf.{field})",
        message,
    )


def exactly_one(fields: tuple[str, ...], message: str) -> Rule:
    """One of the optional `fields` is given, and no more."""
    return Rule(f"[{', '.join(f'has(self.{each})' for each in fields)}].exists_one(x, x)", message)


def at_least(field: str, least: str, message: str, path: str = "") -> Rule:
    """A quantity, if given, with a minimum; what an object has already the API server lets be."""
    size = f"quantity(string(self.{field}))"
    return Rule(f"!has(self.{field}) || {size}.compareTo(quantity('{least}')) >= 0", message, path)


def no_own_keys() -> tuple[Rule, ...]:
    """`labels` and `annotations` are a person's, and not the operator's own."""
    own = ", ".join(f"'{each}'" for each in OWN_LABELS)
    return (
        Rule(
            "!has(self.labels) || self.labels.all(key, !key.startsWith('cybervein.io/') && "
            f"!(key in [{own}]))",
            "labels cybervein.io/* and app.kubernetes.io/name, instance, component and managed-by "
            "are the operator's; choose other keys",
            ".labels",
        ),
        Rule(
            "!has(self.annotations) || self.annotations.all(key, !key.startsWith('cybervein.io/'))",
            "annotations cybervein.io/* are the operator's; choose other keys",
            ".annotations",
        ),
    )
