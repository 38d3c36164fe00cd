"""Typed models of the custom resources: parsed once at the border, trusted inside.

    pool = parse(MinerPool, body)      # as the API server sent it; MalformedError says where
    to_plain(MinerPoolStatus(...))     # back to JSON-like values; absent fields left out

Field names are snake case here and camel case there. What the API server defaults is defaulted here
as well, so that a spec reads the same with and without it. `None` is absent.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from cybervein_protocol.errors import MalformedError

from cybervein_operator.api.disk import DiskPhase, MinerDisk, MinerDiskSpec, MinerDiskStatus
from cybervein_operator.api.meta import (
    API_VERSION,
    GROUP,
    VERSION,
    Condition,
    ConditionStatus,
    ConditionType,
    Metadata,
    to_plain,
)
from cybervein_operator.api.network import Network, NetworkPreset, NetworkSpec, NetworkStatus
from cybervein_operator.api.pool import MinerPool, MinerPoolSpec
from cybervein_operator.api.pool_parts import AddressType, AntiAffinity, FailureDomain, PoolDisk
from cybervein_operator.api.pool_status import (
    Attention,
    MinerPhase,
    MinerPoolStatus,
    PoolBytes,
    PoolRegistration,
)
from cybervein_operator.api.super_node import SuperNodeSpec
from cybervein_operator.api.window import RolloutWindow

__all__ = [
    "API_VERSION",
    "GROUP",
    "VERSION",
    "AddressType",
    "AntiAffinity",
    "Attention",
    "Condition",
    "ConditionStatus",
    "ConditionType",
    "DiskPhase",
    "FailureDomain",
    "Metadata",
    "MinerDisk",
    "MinerDiskSpec",
    "MinerDiskStatus",
    "MinerPhase",
    "MinerPool",
    "MinerPoolSpec",
    "MinerPoolStatus",
    "Network",
    "NetworkPreset",
    "NetworkSpec",
    "NetworkStatus",
    "PoolBytes",
    "PoolDisk",
    "PoolRegistration",
    "RolloutWindow",
    "SuperNodeSpec",
    "parse",
    "to_plain",
]

R = TypeVar("R", Network, MinerPool, MinerDisk)


def parse(kind: type[R], body: Mapping[str, Any]) -> R:
    """The resource `body` is, as an API server returns it. Raises MalformedError with the path."""
    try:
        return msgspec.convert(dict(body), kind)
    except msgspec.ValidationError as error:
        name = (body.get("metadata") or {}).get("name", "?")
        raise MalformedError(
            f"{kind.__name__} {name}: {error}; correct the field, or update the CRDs if it is new"
        ) from error
