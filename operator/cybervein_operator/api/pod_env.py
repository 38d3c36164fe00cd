"""Variables of the environment that a person adds to containers."""

from typing import Annotated, ClassVar

from msgspec import Meta

from cybervein_operator.api.fields import says
from cybervein_operator.api.meta import Part
from cybervein_operator.api.pods import SecretName
from cybervein_operator.api.rules import Rule, exactly_one


class KeyRef(Part, frozen=True, kw_only=True):
    """A key of a Secret or ConfigMap of this namespace."""

    name: Annotated[SecretName, says("Name of the object.")]
    key: Annotated[
        Annotated[str, Meta(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)], says("Key in it.")
    ]
    optional: Annotated[bool | None, says("Whether the pod starts without it.")] = None


class EnvSource(Part, frozen=True, kw_only=True):
    """Where a variable's value comes from."""

    RULES: ClassVar = (
        exactly_one(
            ("secretKeyRef", "configMapKeyRef"),
            "valueFrom is exactly one of secretKeyRef and configMapKeyRef",
        ),
    )
    secret_key_ref: Annotated[
        KeyRef | None, says("A key of a Secret; the operator does not read it, the node does.")
    ] = None
    config_map_key_ref: Annotated[KeyRef | None, says("A key of a ConfigMap.")] = None


class EnvVar(Part, frozen=True, kw_only=True):
    """A variable of the environment of every container."""

    RULES: ClassVar = (
        Rule(
            "!has(self.value) || !has(self.valueFrom)",
            "a variable has either value or valueFrom, not both",
        ),
        Rule(
            "!self.name.startsWith('CYBERVEIN_') && !self.name.startsWith('LD_') && "
            "!self.name.startsWith('PYTHON') && "
            "!(self.name in ['HOME', 'HOST_IP', 'NODE_NAME', 'PATH'])",
            "CYBERVEIN_*, LD_*, PYTHON*, HOME, HOST_IP, NODE_NAME and PATH are the operator's or "
            "the image's; what options do, fields of the spec do",
            ".name",
        ),
    )
    name: Annotated[
        Annotated[str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=128)],
        says("Name of the variable, such as HTTPS_PROXY."),
    ]
    value: Annotated[Annotated[str, Meta(max_length=4096)] | None, says("Its value.")] = None
    value_from: Annotated[EnvSource | None, says("Where its value comes from instead.")] = None
