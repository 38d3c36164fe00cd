"""The control plane that the Kubernetes tests run against is a real one, and can be broken."""

import json

import pytest
from cluster.api import ApiError
from cluster.control_plane import ControlPlane
from cluster.kubectl import Kubectl, KubectlError
from cluster.running import Cluster
from cluster.samples import stateful_set
from cluster.tools import kubernetes_version
from waiting import until

pytestmark = pytest.mark.kubernetes


@pytest.mark.usefixtures("control_plane")
def test_it_is_the_pinned_kubernetes(cluster: Cluster) -> None:
    version = json.loads(cluster.kubectl("version", "-o", "json"))
    assert version["serverVersion"]["gitVersion"] == kubernetes_version()
    assert version["clientVersion"]["gitVersion"] == kubernetes_version()


def test_its_controllers_make_pods_of_a_stateful_set(cluster: Cluster, namespace: str) -> None:
    api = cluster.api.within(namespace)
    api.apply(stateful_set("web"))
    api.wait("pod", "web-0", lambda _: True, "exists")


def test_a_namespace_refuses_what_is_not_restricted(cluster: Cluster, namespace: str) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "loose"},
        "spec": {"containers": [{"name": "main", "image": "none"}]},
    }
    with pytest.raises(ApiError, match='violates PodSecurity "restricted'):
        cluster.api.within(namespace).apply(pod)


def test_a_service_account_may_do_only_what_its_role_says(cluster: Cluster, namespace: str) -> None:
    admin = cluster.kubectl.within(namespace)
    admin("create", "serviceaccount", "reader")
    admin("create", "role", "reader", "--verb=get,list", "--resource=configmaps")
    admin(
        "create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:reader"
    )
    reader = cluster.api_of(cluster.login(namespace, "reader"), namespace)
    assert reader.list("configmaps")
    with pytest.raises(ApiError, match=f"system:serviceaccount:{namespace}:reader.*cannot"):
        reader.list("secrets")


def test_the_audit_log_counts_calls_by_user(
    cluster: Cluster, control_plane: ControlPlane, namespace: str
) -> None:
    cluster.kubectl.within(namespace)("create", "serviceaccount", "asker")
    asker = Kubectl(cluster.login(namespace, "asker"), namespace)
    mark = control_plane.audit.mark()
    for _ in range(2):
        with pytest.raises(KubectlError):
            asker("get", "pods")
    user = f"system:serviceaccount:{namespace}:asker"
    assert control_plane.audit.counts(since=mark, user=user)["list pods"] == 2
    (first, _) = control_plane.audit.calls(since=mark, user=user, agent="kubectl/")
    assert (first.code, first.writes) == (403, False)


def test_an_api_server_that_is_killed_comes_back_with_everything(
    cluster: Cluster, control_plane: ControlPlane, namespace: str
) -> None:
    kubectl, api = cluster.kubectl.within(namespace), cluster.api.within(namespace)
    kubectl("create", "configmap", "kept")
    with control_plane.api_server_away(), pytest.raises(KubectlError, match="refused"):
        kubectl("get", "configmap", "kept")
    assert api.get("configmap", "kept") is not None
    api.apply(stateful_set("after"))
    api.wait("pod", "after-0", lambda _: True, "is made by controllers that reconnected")


def test_a_paused_api_server_answers_when_it_goes_on(
    cluster: Cluster, control_plane: ControlPlane, namespace: str
) -> None:
    kubectl, api = cluster.kubectl.within(namespace), cluster.api.within(namespace)
    with control_plane.api_server.paused(), pytest.raises(KubectlError, match=r"[Tt]imeout|timed"):
        kubectl("get", "configmaps", "--request-timeout=1s")
    until(lambda: api.list("configmaps"), "the API server answers")
