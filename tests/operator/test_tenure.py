"""Each namespace stands on its own, and in each one operator acts."""

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from cluster.control_plane import ControlPlane
from operator_lab import ACCOUNT, LEASE, ROOT, Lab, role
from waiting import until

pytestmark = pytest.mark.kubernetes
QUICK = ("--lease-seconds=6",)  # looks each second at what another has for half a minute
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


def test_what_is_denied_or_deleted_is_told_and_stops_nothing_elsewhere(
    elsewhere: list[Lab],
) -> None:
    home, whole, part, none = elsewhere
    for each in (home, whole, part):
        each.join()
        each.pool(replicas=1)
    start(home)
    for each in (whole, part, none):
        each.process = home.process
    home.ready("home", 1)
    whole.ready("home", 1)
    text = said(home)
    assert text.startswith("not ready")
    assert f"namespace {home.namespace}: acts" in text
    assert f"namespace {part.namespace}: StatefulSet cannot be watched" in text
    assert f"namespace {none.namespace}: nothing there may be watched" in text
    assert home.metric(MISSING, namespace=part.namespace, kind="StatefulSet") == 1
    assert home.metric(MISSING, namespace=part.namespace) == 1
    assert home.metric(MISSING, namespace=home.namespace) == 0
    until(lambda: "WatchRefused" in part.events("home"), "its pool says so")
    assert home.http("/healthz")[0] == 200

    grant(part, home)
    grant(none, home)
    part.ready("home", 1)
    none.join()
    none.pool(replicas=1)
    none.ready("home", 1)
    until(lambda: said(home).startswith("ready"), "all is watched", diagnose=home.process.tail)

    home.cluster.api.delete("namespace", whole.namespace, wait=False)
    whole.api.wait_gone("role", ACCOUNT)
    home.process.kill()
    home.start()
    home.kubectl("scale", "minerpool", "home", "--replicas=2")
    home.ready("home", 2)
    gone = f"namespace {whole.namespace}: nothing there may be watched"
    until(lambda: gone in said(home), "it says which one is gone", diagnose=home.process.tail)


def test_a_kind_that_does_not_exist_is_waited_for(make_lab: Callable[..., Lab]) -> None:
    lab = make_lab()
    lab.prepare()
    crds = ROOT / "manifests" / "crds"
    lab.cluster.api.delete("crd", "minerdisks.cybervein.io")
    try:
        lab.start()
        until(lambda: "no kind MinerDisk" in said(lab), "it is named", diagnose=lab.process.tail)
        lab.join()
        lab.cluster.kubectl.apply_file(crds)
        lab.pool(replicas=1)
        lab.ready("home", 1)
        assert said(lab).startswith("ready")
    finally:
        lab.process.kill()
        lab.cluster.kubectl.apply_file(crds)


def test_of_two_releases_one_acts_and_the_other_says_who(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    other = lab.beside("other", "--release=second", "--image=cybervein:second", *QUICK)
    try:
        other.start()
        words = f"held by {lab.holder()}, another release's operator"
        until(lambda: words in said(other), "it says who", diagnose=other.process.tail)
        assert said(other).startswith("not ready")
        assert said(lab).startswith("ready")
        assert other.metric(HELD, namespace=lab.namespace) == 0
        assert lab.metric(HELD, namespace=lab.namespace) == 1
        until(lambda: "NamespaceHeld" in lab.events(LEASE), "an event says so")
        found = lab.api.get("statefulset", "home-0")
        assert found is not None
        assert found["metadata"]["generation"] == 1

        lab.process.stop()  # it gives the Lease back
        until(lambda: "/second/" in lab.holder(), "the other takes over")
        other.wait(
            "statefulset",
            "home-0",
            lambda seen: "cybervein:second" in str(seen["spec"]["template"]),
            "is the other's work now",
        )
    finally:
        other.process.kill()


def test_a_standby_is_ready_and_takes_over_when_the_lease_expires(lab: Lab) -> None:
    lab.join()
    lab.pool(replicas=1)
    lab.ready("home", 1)
    standby = lab.beside("standby", "--pod-name=standby", *QUICK)
    try:
        standby.start()
        words = f"ready: namespace {lab.namespace}: stands by, {lab.holder()} acts"
        until(lambda: said(standby) == words, "it stands by", diagnose=standby.process.tail)
        lab.process.kill()
        # What its duration would take half a minute for: nobody renews it any more.
        lab.api.patch("lease", LEASE, {"spec": {"leaseDurationSeconds": 1}})
        until(lambda: lab.holder().endswith("/standby"), "it takes over")
        lab.kubectl("scale", "minerpool", "home", "--replicas=2")
        standby.ready("home", 2)
    finally:
        standby.process.kill()


def test_without_its_lease_an_operator_does_nothing_until_it_has_it_again(
    make_lab: Callable[..., Lab], control_plane: ControlPlane
) -> None:
    with make_lab(options=("--lease-seconds=9",)).running() as lab:
        lab.join()
        lab.pool(replicas=1)
        lab.ready("home", 1)
        other = {"holderIdentity": "far/other/pod", "leaseDurationSeconds": 3600}
        lab.api.patch("lease", LEASE, {"spec": other})
        until(lambda: "held by far/other/pod" in said(lab), "it has noticed")
        mark = control_plane.audit.mark()
        lab.kubectl("scale", "minerpool", "home", "--replicas=2")
        lab.api.delete("service", "home-0")
        until(lambda: lab.metric(HELD) == 0, "it does not act")
        lab.api.patch("lease", LEASE, {"spec": {"holderIdentity": ""}})
        written = control_plane.audit.calls(since=mark, user=f"{lab.namespace}:{LEASE}")
        assert [each for each in written if each.writes and each.resource != "leases"] == []
        lab.ready("home", 2)
        assert lab.api.get("service", "home-0") is not None
