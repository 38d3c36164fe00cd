"""The operator may do what its work needs, and nothing that loses data or leaves its namespaces."""

import pytest
from chart_helm import CHART, Helm
from cluster.api import Api, ApiError
from cluster.kubectl import Kubectl, KubectlError
from cluster.rest import Object
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
    ("get", "secrets/cybervein-operator-tls"),
    ("patch", "secrets/cybervein-operator-tls"),
    ("get", "secrets/cybervein-operator-control"),
    ("create", "poddisruptionbudgets.policy"),
    ("delete", "poddisruptionbudgets.policy"),
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
    ("get", "secrets"),
    ("get", "secrets/pool-0-identity"),
    ("get", "secrets/somebodys-wallet"),
    ("patch", "secrets"),
    ("patch", "secrets/cybervein-operator-control"),
    ("list", "secrets"),
    ("watch", "secrets"),
    ("update", "secrets"),
    ("delete", "configmaps"),
    ("watch", "events"),
    ("deletecollection", "poddisruptionbudgets.policy"),
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


def secret(name: str, kind: str = "Opaque", **labels: str) -> Object:
    mine = {"app.kubernetes.io/managed-by": "cybervein-operator"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name,
            "labels": mine | labels,
            "annotations": {"kubernetes.io/service-account.name": "default"},
        },
        "type": kind,
        "stringData": {"identity.json": "first"},
    }


def made(api: Api, document: Object) -> str:
    """ "" or why the API server does not create it."""
    try:
        api.create("secret", "", "", document)
    except ApiError as error:
        return str(error)
    return ""


FOREIGN = [
    (secret("other"), "NAME-identity"),
    (secret("b-identity", "kubernetes.io/service-account-token"), "type Opaque alone"),
    (secret("c-identity", **{"app.kubernetes.io/managed-by": "Helm"}), "its label says"),
]


def test_it_reads_and_changes_no_secret_that_is_not_its_own(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    """A customer's wallet, a miner's key: neither can be seen, whatever the operator does."""
    release("install", "cybervein", CHART)
    admin = cluster.api.within(namespace)
    admin.apply(secret("wallet", **{"app.kubernetes.io/managed-by": "somebody"}))
    operator = cluster.api_of(cluster.login(namespace, OPERATOR), namespace)
    assert made(operator, secret("pool-0-identity")) == ""
    for name in ("wallet", "pool-0-identity"):
        with pytest.raises(ApiError, match=r"403 .* cannot get resource"):
            operator.get("secret", name)
        with pytest.raises(ApiError, match=r"403 .* cannot patch resource"):
            operator.patch("secret", name, {"stringData": {"identity.json": "second"}})
        with pytest.raises(ApiError, match=r"403 .* cannot delete resource"):
            operator.delete("secret", name)
    for document, why in FOREIGN:  # the API server learns a policy a moment after it is there
        until(lambda d=document, w=why: w in made(operator, d), f"refused: {why}")  # type: ignore[misc]


def test_the_authorities_of_0_2_may_be_read_where_an_upgrade_finds_or_values_name_them(
    cluster: Cluster, release: Helm, namespace: str
) -> None:
    release("install", "cybervein", CHART)
    cluster.api.within(namespace).apply(
        {
            "apiVersion": "cybervein.io/v1alpha1",
            "kind": "Network",
            "metadata": {"name": "early"},
            "spec": {"preset": "test", "superNode": {"storage": {"size": "1Gi"}}},
        }
    )
    more = ("--set", "rbac.adoptNetworks={named}", "--no-hooks")
    release("upgrade", "cybervein", CHART, *more)
    here = cluster.kubectl.within(namespace)
    asked = {name: may(here, namespace, OPERATOR, "get", f"secrets/{name}") for name in
             ("early-ca", "named-ca", "early-supernode-tls", "other-ca")}  # fmt: skip
    assert asked == {
        "early-ca": "yes",
        "named-ca": "yes",
        "early-supernode-tls": "no",
        "other-ca": "no",
    }


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
            assert may(there, mine, OPERATOR, "create", "secrets") == "no"
            assert may(there, other, OPERATOR, "create", "secrets") == "yes"
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
