"""Each namespace stands on its own, and in each one operator acts."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from cluster.audit import Call
from cluster.control_plane import ControlPlane
from cluster.rest import Object
from operator_lab import ACCOUNT, LEASE, ROOT, Lab, role
from waiting import until

pytestmark = pytest.mark.kubernetes
MISSING, HELD = "cybervein_operator_watch_missing", "cybervein_operator_lease_held"


@pytest.fixture
def elsewhere(make_lab: Callable[..., Lab]) -> Iterator[list[Lab]]:
    """An operator that does not run yet, and three more namespaces to look after.

    In the first it may do all, in the second no StatefulSets, and the third does not exist.
    """
    names = [f"test-{uuid4().hex[:8]}" for _ in range(3)]
    home = make_lab(options=tuple(f"--namespace={each}" for each in names))
    others = [Lab(home.cluster, each, home.directory, home.responder) for each in names]
    for each in others[:2]:
        grant(each, home, pods_too=each is not others[1])
    home.prepare()
    try:
        yield [home, *others]
    finally:
        home.process.kill()
        for each in names:
            home.cluster.api.delete("namespace", each, wait=False)


def grant(where: Lab, of: Lab, *, pods_too: bool = True) -> None:
    """A namespace and the operator's Role in it, perhaps without StatefulSets."""
    where.cluster.make_namespace(where.namespace)
    given = role(where.namespace, of.namespace)
    for each in given:
        if "rules" in each and not pods_too:
            each["rules"] = [r for r in each["rules"] if r["resources"] != ["statefulsets"]]
    where.api.apply(*given)


def start(lab: Lab) -> None:
    lab.start()
    until(lambda: "not listed yet" not in said(lab), "all was asked for", diagnose=lab.process.tail)


def said(lab: Lab) -> str:
    """What `/readyz` says; it begins with `ready` or `not ready`."""
    status, text = lab.http("/readyz")
    return ("" if status == 200 else "not ") + f"ready: {text}"


def test_what_is_denied_deleted_or_unknown_is_told_and_stops_nothing_elsewhere(
    elsewhere: list[Lab],
) -> None:
    home, whole, part, none = elsewhere
    home.cluster.api.delete("crd", "minerdisks.cybervein.io")
    try:
        for each in (home, whole, part):
            each.join()
        for each in (home, whole):
            each.pool(replicas=1)
        start(home)
        part.pool(replicas=1)
        said_of(home, home, "has no kind MinerDisk")
        assert home.http("/healthz")[0] == 200
    finally:
        home.cluster.kubectl.apply_file(ROOT / "manifests" / "crds")
    for each in (whole, part, none):
        each.process = home.process
    home.ready("home", 1)
    whole.ready("home", 1)
    said_of(home, home, "acts")
    said_of(home, part, "StatefulSet cannot be watched")
    said_of(home, none, "nothing there may be watched")
    assert said(home).startswith("not ready")
    one = {"watched": part.namespace}
    until(lambda: home.metric(MISSING, **one) == 1, "one kind alone is missing there")
    assert home.metric(MISSING, **one, kind="StatefulSet") == 1
    until(lambda: home.metric(MISSING, watched=home.namespace) == 0, "none is missing here")
    until(lambda: "WatchRefused" in part.events("home"), "its pool says so")

    home.cluster.api.delete("namespace", whole.namespace, wait=False)
    whole.api.wait_gone("role", ACCOUNT)
    home.process.kill()
    start(home)
    home.kubectl("scale", "minerpool", "home", "--replicas=2")
    said_of(home, whole, "nothing there may be watched")
    grant(part, home)
    grant(none, home)
    none.join()
    none.pool(replicas=1)
    for each, count in ((home, 2), (part, 1), (none, 1)):
        each.ready("home", count)
        assert each.holder()


def said_of(lab: Lab, where: Lab, words: str) -> None:
    """Wait until `/readyz` says that of a namespace."""

    def seen() -> bool:
        lines = said(lab).removeprefix("not ").removeprefix("ready: ").splitlines()
        return any(f"namespace {where.namespace}: " in line and words in line for line in lines)

    until(seen, f"it says that {where.namespace} {words}", diagnose=lambda: said(lab))


def test_of_two_releases_one_acts_and_of_two_replicas_the_other_takes_over(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    second = ("--release=second", "--image=cybervein:second")
    other = lab.beside("other", "--pod-name=one", *second)
    standby = lab.beside("standby", "--pod-name=two", "--lease-seconds=6", *second)
    try:
        other.start()
        said_of(other, lab, f"held by {lab.holder()}, another release's operator")
        assert said(other).startswith("not ready")
        assert said(lab).startswith("ready")
        assert (other.metric(HELD), lab.metric(HELD)) == (0, 1)
        until(lambda: "NamespaceHeld" in lab.events(LEASE), "an event says so")
        found = lab.api.get("statefulset", "home-0")
        assert found is not None
        assert found["metadata"]["generation"] == 1

        lab.process.stop()  # it gives the Lease back
        until(lambda: "/second/one" in lab.holder(), "the other takes over")
        other.wait("statefulset", "home-0", is_seconds, "is the other's work now")

        standby.start()
        said_of(standby, lab, f"stands by, {lab.holder()} acts")
        assert said(standby).startswith("ready")
        other.process.kill()
        # Nobody renews it any more, which takes half a minute to be sure of.
        lab.api.patch("lease", LEASE, {"spec": {"leaseDurationSeconds": 1}})
        until(lambda: "/second/two" in lab.holder(), "the standby takes over")
        lab.kubectl("scale", "minerpool", "home", "--replicas=2")
        standby.ready("home", 2)
    finally:
        other.process.kill()
        standby.process.kill()


def is_seconds(found: Object) -> bool:
    return "cybervein:second" in str(found["spec"]["template"])


def test_without_its_lease_an_operator_does_nothing_until_it_has_it_again(
    make_lab: Callable[..., Lab], control_plane: ControlPlane
) -> None:
    with make_lab(options=("--lease-seconds=6",)).running() as lab:
        lab.join()
        lab.pool(replicas=1)
        lab.ready("home", 1)
        other = {"holderIdentity": "far/other/pod", "leaseDurationSeconds": 3600}
        lab.api.patch("lease", LEASE, {"spec": other})
        until(lambda: "NamespaceHeld" in lab.events(LEASE), "it says so")
        until(lambda: lab.metric(HELD) == 0, "it does not act")
        log, mark = control_plane.audit, control_plane.audit.mark()
        lab.kubectl("scale", "minerpool", "home", "--replicas=2")
        lab.api.delete("service", "home-0")

        def since() -> list[Call]:
            return log.calls(since=mark, user=f"{lab.namespace}:{LEASE}")

        until(lambda: sum(each.resource == "leases" for each in since()) > 2, "it has looked twice")
        written = [each.resource for each in since() if each.writes]
        assert set(written) <= {"configmaps", "events"}, "its canary, and whose it is"
        lab.api.patch("lease", LEASE, {"spec": {"holderIdentity": ""}})
        lab.ready("home", 2)
        assert lab.api.get("service", "home-0") is not None
