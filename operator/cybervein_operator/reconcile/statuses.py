"""Writing a status: one apply, and an event for each transition that it brought."""

from typing import Any

from cybervein_operator.api import (
    API_VERSION,
    ConditionType,
    MinerDisk,
    MinerDiskStatus,
    MinerPool,
    MinerPoolStatus,
    Network,
    NetworkStatus,
    to_plain,
)
from cybervein_operator.cluster.errors import NOT_FOUND, ApiError
from cybervein_operator.judgement.conditions import ALL, notices
from cybervein_operator.reconcile.tools import Tools


def _without_empty_maps(status: dict[str, Any]) -> dict[str, Any]:
    """An applied map that is empty now and had keys of ours before would arrive as null.

    The API server takes our keys out of it first, and then finds no map (structured-merge-diff);
    a map that we no longer send just goes.
    """
    return {key: value for key, value in status.items() if value != {}}


async def write_status(
    tools: Tools,
    of: Network | MinerPool | MinerDisk,
    after: NetworkStatus | MinerPoolStatus | MinerDiskStatus,
    about: frozenset[ConditionType] = ALL,
) -> bool:
    """Apply the status and post events `about` some conditions; False if the resource is gone."""
    meta = of.metadata
    body = {
        "apiVersion": API_VERSION,
        "kind": type(of).__name__,
        "metadata": {"name": meta.name, "namespace": meta.namespace},
        "status": _without_empty_maps(to_plain(after)),
    }
    try:
        await tools.client.apply(body, status=True)
    except ApiError as error:
        if error.http_status != NOT_FOUND:
            raise
        return False
    for notice in notices(of.status.conditions, after.conditions, about):
        await tools.recorder.post(of, notice)
    return True
