"""The operator may do what its work needs, and nothing that loses data or leaves its namespaces."""

import pytest
from chart_helm import CHART, Helm
from cluster.api import ApiError
from cluster.kubectl import Kubectl, KubectlError
from cluster.running import Cluster
from waiting import until

pytestmark = pytest.mark.kubernetes
OPERATOR = "cybervein-operator"
ALLOWED = [
    ("watch", "networks.cybervein.io"),
    ("watch", "minerpools.cybervein.io"),
    ("patch", "minerpools.cybervein.io:status"),
    ("create", "minerdisks.cybervein.io"),
    ("patch", "minerdisks.cybervein.io:status"),
    ("create", "statefulsets.apps"),
    ("delete", "statefulsets.apps"),
    ("create", "services"),
    ("create", "persistentvolumeclaims"),
    ("create", "secrets"),
    ("get", "secrets"),
    ("create", "poddisruptionbudgets.policy"),
    ("create", "events"),
    ("list", "events"),
    ("watch", "pods"),
    ("create", "leases.coordination.k8s.io"),
    ("patch", "leases.coordination.k8s.io/cybervein-operator"),
    ("get", "leases.coordination.k8s.io/cybervein-operator"),
]
FORBIDDEN = [
    ("delete", "persistentvolumeclaims"),
    ("deletecollection", "persistentvolumeclaims"),
    ("delete", "secrets"),
    ("list", "secrets"),
    ("update", "secrets"),
    ("delete", "configmaps"),
    ("watch", "events"),
    ("delete", "networks.cybervein.io"),
    ("delete", "minerpools.cybervein.io"),
    ("create", "pods"),
    ("delete", "pods"),
    ("patch", "minerpools.cybervein.io"),
    ("patch", "networks.cybervein.io"),
    ("patch", "persistentvolumes"),
    ("create", "pods:exec"),
    ("create", "deployments.apps"),
    ("create", "roles.rbac.authorization.k8s.io"),
    ("create", "rolebindings.rbac.authorization.k8s.io"),
    ("create", "serviceaccounts:token"),
    ("impersonate", "serviceaccounts"),
    ("patch", "leases.coordination.k8s.io"),
    ("patch", "leases.coordination.k8s.io/somebody-elses"),
    ("delete", "leases.coordination.k8s.io/cybervein-operator"),
]
ELSEWHERE = [
    ("get", "secrets"),
    ("list", "pods"),
    ("list", "minerpools.cybervein.io"),
    ("create", "statefulsets.apps"),
]
WHOLE_CLUSTER = [
    ("list", "nodes", "yes"),
    ("get", "storageclasses.storage.k8s.io", "yes"),
    ("patch", "nodes", "no"),
    ("delete", "nodes", "no"),
    ("list", "namespaces", "no"),
    ("list", "persistentvolumes", "no"),
    ("patch", "customresourcedefinitions.apiextensions.k8s.io", "no"),
    ("*", "*", "no"),
]


def may(kubectl: Kubectl, namespace: str, account: str, verb: str, resource: str) -> str:
    """`yes` or `no`; a subresource is `pods:exec`, since kubectl reads `pods/exec` as a name."""
    user = f"--as=system:serviceaccount:{namespace}:{account}"
    kind, _, part = resource.partition(":")
    flags = (f"--subresource={part}",) if part else ()
    try:
        return kubectl("auth", "can-i", verb, kind, user, *flags).strip()
    except KubectlError:
        return "no"  # kubectl's exit code says it too


def test_its_rights_are_these(cluster: Cluster, release: Helm, namespace: str) -> None:
    release("install", "cybervein", CHART)
    here = cluster.kubectl.within(namespace)
    elsewhere = cluster.kubectl.within("default")

    asked = [("yes", here, each) for each in ALLOWED]
    asked += [("yes", here, ("get", f"namespace/{namespace}"))]  # for its Pod Security label
    asked += [("no", here, ("get", "namespace/default"))]
    asked += [("no", here, each) for each in FORBIDDEN]
    asked += [("no", elsewhere, each) for each in ELSEWHERE]
    asked += [(word, elsewhere, (verb, what)) for verb, what, word in WHOLE_CLUSTER]
    wrong = [
        f"{verb} {resource} in {kubectl.namespace}: not {word}"
        for word, kubectl, (verb, resource) in asked
        if may(kubectl, namespace, OPERATOR, verb, resource) != word
    ]
    assert not wrong


def test_for_all_namespaces_it_has_the_same_rights_everywhere_and_no_others(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "cybervein", CHART, "--set", "watchAllNamespaces=true")
    there = cluster.kubectl.within("default")
    try:
        asked = [("yes", each) for each in ALLOWED] + [("no", each) for each in FORBIDDEN]
        wrong = [
            f"{verb} {resource}: not {word}"
            for word, (verb, resource) in asked
            if may(there, namespace, OPERATOR, verb, resource) != word
        ]
        assert not wrong
    finally:
        release("uninstall", "cybervein")  # its ClusterRole is not in the test's namespace


def test_without_the_cluster_role_it_reads_nothing_of_the_cluster(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "cybervein", CHART, "--set", "rbac.clusterRead=false")
    for verb, what, _ in WHOLE_CLUSTER:
        assert may(cluster.kubectl, namespace, OPERATOR, verb, what) == "no"


def test_an_identity_cannot_be_replaced_even_by_the_operator(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "cybervein", CHART)
    operator = cluster.api_of(cluster.login(namespace, OPERATOR), namespace)
    operator.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "pool-0-identity"},
            "immutable": True,
            "stringData": {"identity.json": "first"},
        }
    )
    with pytest.raises(ApiError, match="field is immutable"):
        operator.patch("secret", "pool-0-identity", {"stringData": {"identity.json": "second"}})
    with pytest.raises(ApiError, match="field is immutable"):
        operator.patch("secret", "pool-0-identity", {"immutable": False})
    with pytest.raises(ApiError, match="cannot delete resource"):
        operator.delete("secret", "pool-0-identity")


def test_a_second_release_watches_its_own_namespace_alone(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "cybervein", CHART)
    cluster.make_namespace(f"{namespace}-b")
    second = Helm(release.directory, release.kubeconfig, f"{namespace}-b")
    second("install", "cybervein", CHART)
    try:
        for mine, other in ((namespace, f"{namespace}-b"), (f"{namespace}-b", namespace)):
            there = cluster.kubectl.within(other)
            assert may(there, mine, OPERATOR, "get", "secrets") == "no"
            assert may(there, other, OPERATOR, "get", "secrets") == "yes"
    finally:
        second("uninstall", "cybervein")
        cluster.api.delete("namespace", f"{namespace}-b", wait=False)


def test_an_editor_of_the_namespace_may_run_miners_and_a_viewer_may_look(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "cybervein", CHART)
    kubectl = cluster.kubectl.within(namespace)
    for role in ("view", "edit"):
        kubectl("create", "serviceaccount", role)
        flags = (f"--clusterrole={role}", f"--serviceaccount={namespace}:{role}")
        kubectl("create", "rolebinding", role, *flags)

    def can(role: str, verb: str, what: str, part: str = "") -> bool:
        resource = f"{what}.cybervein.io:{part}"
        return may(kubectl, namespace, role, verb, resource) == "yes"

    until(lambda: can("edit", "create", "minerpools"), "the controller has aggregated the roles")
    for role in ("view", "edit"):
        assert can(role, "list", "minerdisks")
        assert not can(role, "delete", "minerdisks")
        assert not can(role, "patch", "minerdisks", "status")
    assert not can("view", "create", "minerpools")
    assert can("edit", "patch", "minerpools", "scale")
    assert can("edit", "patch", "minerdisks")
