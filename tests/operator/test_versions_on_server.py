"""How v1alpha1 will become v1beta1 (ADR 86), walked with today's definitions under another group.

Nobody else's CRDs are touched: the copies live in a group of their own and go again.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from cluster.api import Api, ApiError
from cluster.rest import Object
from cluster.running import Cluster
from cybervein_operator.crd import definitions
from waiting import until

pytestmark = pytest.mark.kubernetes
GROUP = "conversion.cybervein.io"
ALPHA, BETA = "v1alpha1", "v1beta1"
SPECS: dict[str, Object] = {
    "Network": {"preset": "local", "superNode": {"storage": {"size": "1Gi"}}},
    "MinerPool": {
        "networkRef": {"name": "net"},
        "replicas": 2,
        "disks": [{"name": "a", "claimTemplate": {"size": "1Ti"}}],
    },
    "MinerDisk": {"pool": "home", "miner": "home-0", "claim": "home-0-a"},
}
READY = {
    "type": "Ready",
    "status": "True",
    "reason": "AllWell",
    "message": "as before",
    "lastTransitionTime": "2026-11-21T00:00:00Z",
}
KINDS = {
    each["spec"]["names"]["kind"]: f"{each['spec']['names']['plural']}.{GROUP}"
    for each in definitions()
}


def copies(versions: tuple[str, ...], storage: str) -> list[Object]:
    """Today's definitions with these versions, all of one schema, one of them stored."""
    found = [copy.deepcopy(each) for each in definitions()]
    for each in found:
        spec, names = each["spec"], each["spec"]["names"]
        each["metadata"] = {"name": KINDS[names["kind"]]}
        spec["group"] = GROUP
        spec["conversion"] = {"strategy": "None"}
        spec["names"] = {key: names[key] for key in ("kind", "listKind", "plural", "singular")}
        (only,) = spec["versions"]
        spec["versions"] = [only | {"name": name, "storage": name == storage} for name in versions]
    return found


class Museum:
    """The copies, and objects under both versions."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def define(self, *versions: str, storage: str) -> None:
        """Apply the copies, and wait until every version is served with its schema."""
        self.api.apply(*copies(versions, storage))
        for name in KINDS.values():
            for version in versions:
                path = f"/apis/{GROUP}/{version}/{name.partition('.')[0]}"
                until(lambda path=path: self.served(path), f"{path} is served")

    def served(self, path: str) -> bool:
        """Whether the API server answers there."""
        try:
            self.api.read(path)
        except ApiError:
            return False
        return True

    def put(self, name: str, version: str) -> None:
        """One object of each kind, with a status."""
        for kind, plural in KINDS.items():
            is_disk = kind == "MinerDisk"
            own = f"home-0-{name}" if is_disk else name
            spec = SPECS[kind] | ({"disk": name} if is_disk else {})
            head = {"apiVersion": f"{GROUP}/{version}", "kind": kind, "metadata": {"name": own}}
            self.api.apply(head | {"spec": spec})
            self.api.patch(plural, own, {"status": {"conditions": [READY]}}, subresource="status")

    def objects(self, version: str) -> dict[str, Object]:
        """All objects as that version shows them."""
        space = self.api.namespace
        found: dict[str, Object] = {}
        for kind, plural in KINDS.items():
            path = f"/apis/{GROUP}/{version}/namespaces/{space}/{plural.partition('.')[0]}"
            found |= {f"{kind}/{e['metadata']['name']}": e for e in self.api.read(path)["items"]}
        return found

    def facts(self, version: str) -> dict[str, tuple[Any, Any, Any]]:
        """What must never change: uid, spec and status."""
        return {
            name: (each["metadata"]["uid"], each["spec"], each["status"])
            for name, each in self.objects(version).items()
        }

    def stored(self) -> set[tuple[str, ...]]:
        """Versions in which objects may lie in etcd."""
        found = [self.api.get("crd", name) for name in KINDS.values()]
        return {tuple((each or {})["status"]["storedVersions"]) for each in found}

    def rewrite(self) -> set[str]:
        """Write each object as it is, and say which of them lay in another version till then.

        Writing what lies there as it is changes nothing; the API server learns of a new storage
        version a moment after it took it.
        """
        before = revisions(self.objects(BETA))
        for name in before:
            kind, _, own = name.partition("/")
            self.api.patch(KINDS[kind], own, {})
        after = revisions(self.objects(BETA))
        return {name for name, revision in after.items() if revision != before[name]}


def revisions(objects: dict[str, Object]) -> dict[str, str]:
    return {name: each["metadata"]["resourceVersion"] for name, each in objects.items()}


@pytest.fixture
def museum(cluster: Cluster, namespace: str) -> Iterator[Museum]:
    # With a discovery of its own: the copies have the short names of ours, and would stay known.
    made = Museum(Api.at(cluster.api.endpoint).within(namespace))
    yield made
    for name in KINDS.values():
        made.api.delete("crd", name)


def test_a_version_is_followed_by_the_next_and_every_object_stays_as_it_is(museum: Museum) -> None:
    museum.define(ALPHA, storage=ALPHA)
    museum.put("first", ALPHA)
    first = museum.facts(ALPHA)
    assert len(first) == len(KINDS)

    museum.define(ALPHA, BETA, storage=ALPHA)  # release N
    assert museum.facts(BETA) == first
    museum.put("second", BETA)
    both = museum.facts(BETA)
    assert museum.facts(ALPHA) == both
    assert len(both) == 2 * len(KINDS)
    assert {each["apiVersion"] for each in museum.objects(BETA).values()} == {f"{GROUP}/{BETA}"}
    assert museum.stored() == {(ALPHA,)}

    museum.define(ALPHA, BETA, storage=BETA)  # release N+1
    assert museum.stored() == {(ALPHA, BETA)}
    with pytest.raises(ApiError, match="storedVersions"):  # while some may lie in v1alpha1
        museum.api.apply(*copies((BETA,), BETA))
    moved = set[str]()
    until(lambda: moved.update(museum.rewrite()) or moved == set(both), "all are stored anew")
    museum.put("third", ALPHA)
    every = museum.facts(ALPHA)
    assert every.items() > both.items()
    assert museum.rewrite() == set()  # the third were stored as v1beta1 at once
    for name in KINDS.values():
        museum.api.patch("crd", name, {"status": {"storedVersions": [BETA]}}, subresource="status")

    museum.define(BETA, storage=BETA)  # release N+2
    assert museum.facts(BETA) == every
    assert museum.stored() == {(BETA,)}
    until(lambda: not museum.served(f"/apis/{GROUP}/{ALPHA}/networks"), "v1alpha1 is gone")


def test_rules_hold_in_every_version(museum: Museum) -> None:
    museum.define(ALPHA, BETA, storage=BETA)
    wrong = SPECS["Network"] | {"join": {"configMap": "theirs"}}
    for version in (ALPHA, BETA):
        head = {"apiVersion": f"{GROUP}/{version}", "kind": "Network"}
        with pytest.raises(ApiError, match="give exactly one of superNode"):
            museum.api.apply(head | {"metadata": {"name": "net"}, "spec": wrong})
