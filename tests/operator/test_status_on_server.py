"""A status says what its resource came to, whatever it said before."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from cluster.api import Api
from cluster.control_plane import ControlPlane
from cluster.credentials import ADMIN
from cluster.running import Cluster
from cybervein_operator.api import MinerPool, MinerPoolStatus, parse
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.client import ClusterClient
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.cluster.login import find_login
from cybervein_operator.metrics import Metrics
from cybervein_operator.reconcile.recorder import Recorder
from cybervein_operator.reconcile.statuses import write_status

pytestmark = pytest.mark.kubernetes
POOL: dict[str, Any] = {
    "apiVersion": "cybervein.io/v1alpha1",
    "kind": "MinerPool",
    "metadata": {"name": "home"},
    "spec": {
        "networkRef": {"name": "net"},
        "disks": [{"name": "a", "claimTemplate": {"size": "1Ti"}}],
    },
}


@dataclass
class Writer:
    """As much of the tools as writing a status takes."""

    client: ClusterClient
    recorder: Recorder


@pytest.fixture
async def client(control_plane: ControlPlane) -> AsyncIterator[ClusterClient]:
    login = await find_login(control_plane.kubeconfig(ADMIN))
    made = ClusterClient(login, Metrics(), concurrency=1)
    yield made
    await made.close()


@pytest.fixture
def api(cluster: Cluster, custom_kinds: None, namespace: str) -> Api:
    del custom_kinds
    return cluster.api.within(namespace)


async def test_phases_come_and_go(client: ClusterClient, api: Api) -> None:
    api.apply(POOL)
    tools = cast("Any", Writer(client, Recorder(client, Metrics())))
    for phases in ({}, {"Pending": 2}, {"Pending": 1, "Ready": 1}, {}, {"Ready": 2}, {}, {}):
        pool = parse(MinerPool, api.get("minerpool", "home") or {})
        assert await write_status(tools, pool, MinerPoolStatus(replicas=2, phases=phases))
        found = api.get("minerpool", "home")
        assert found is not None
        assert found["status"].get("phases", {}) == phases
        assert found["status"]["replicas"] == 2


async def test_an_answer_longer_than_the_limit_is_refused(
    control_plane: ControlPlane, tmp_path: Path, api: Api
) -> None:
    del tmp_path
    api.apply(POOL)
    login = await find_login(control_plane.kubeconfig(ADMIN))
    short = ClusterClient(login, Metrics(), concurrency=1, answer_bytes_max=100)
    try:
        with pytest.raises(ApiError, match="longer than 100 bytes"):
            await short.get(ClusterKind.POOL, api.namespace, "home")
    finally:
        await short.close()
