"""What every kind has: metadata as the operator reads it, conditions, the base of all types."""

from enum import StrEnum
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import Meta

from cybervein_operator.api.fields import says
from cybervein_operator.api.rules import Rule

GROUP: Final = "cybervein.io"
VERSION: Final = "v1alpha1"
API_VERSION: Final = f"{GROUP}/{VERSION}"


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A piece of a resource. `None` means absent; the docstring is its `kubectl explain` text."""

    RULES: ClassVar[tuple[Rule, ...]] = ()


class Metadata(Part, frozen=True, kw_only=True):
    """The part of `metadata` that decisions need."""

    name: str
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    resource_version: str = ""
    deletion_timestamp: str | None = None


class ConditionType(StrEnum):
    """The questions that a status answers: Registered of pools alone, Paused while it is so."""

    READY = "Ready"
    PROGRESSING = "Progressing"
    DEGRADED = "Degraded"
    DRAINING = "Draining"
    PAUSED = "Paused"
    REGISTERED = "Registered"


class ConditionStatus(StrEnum):
    """An answer."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Part, frozen=True, kw_only=True):
    """One answer about this resource, with its reason."""

    type: Annotated[ConditionType, says("The question that this condition answers.")]
    status: Annotated[ConditionStatus, says("The answer; Unknown before there is one.")]
    reason: Annotated[
        Annotated[str, Meta(max_length=128, pattern=r"^[A-Za-z][A-Za-z0-9]*$")],
        says("Why, in one word for programs."),
    ]
    message: Annotated[
        Annotated[str, Meta(max_length=4096)],
        says("For people: what the state is, why, and what to do."),
    ] = ""
    last_transition_time: Annotated[str, says("When `status` last changed.", format="date-time")]
    observed_generation: Annotated[
        Annotated[int, Meta(ge=0)], says("The generation of the spec that was looked at.")
    ] = 0


def to_plain(part: Part) -> dict[str, Any]:
    """As JSON-like values with the resource's own field names; absent fields are left out."""
    plain: dict[str, Any] = _present(msgspec.to_builtins(part))
    return plain


def _present(value: Any) -> Any:  # noqa: ANN401 -- any JSON-like value
    if isinstance(value, dict):
        return {key: _present(each) for key, each in value.items() if each is not None}
    return [_present(each) for each in value] if isinstance(value, list | tuple) else value
