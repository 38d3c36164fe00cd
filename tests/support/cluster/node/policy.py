"""Enforces NetworkPolicies on the test node, which its bridge network does not do.

A loop reads policies, pods and namespaces and replaces the node's rules when they change. A pod is
open for the moment (half a second) until its rules are there, as with other engines.
"""

import threading
from dataclasses import dataclass, field

from cluster.control_plane import ControlPlane
from cluster.credentials import POLICIES
from cluster.node.policy_rules import ROOT, Object, World, restore_text
from cluster.node.room import Room
from cluster.rest import LOST, Rest

EVERY_SECONDS = 0.5
HOOK = ("FORWARD", "-j", ROOT)


@dataclass
class PolicyEngine:
    """Off until `start`. `problem` holds what it could not enforce."""

    room: Room
    plane: ControlPlane
    problem: Exception | None = None
    _end: threading.Event = field(default_factory=threading.Event)
    _applied: str = ""
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Enforce what is there now, and keep on doing so; again after a `stop`, too."""
        self._end.clear()
        self._applied, self.problem = "", None
        with Rest(self.plane.endpoint(POLICIES)) as rest:
            self._enforce(rest)
        self.room.run("iptables", "-w", "-I", *HOOK)
        self._thread = threading.Thread(target=self._follow, name="policies", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Enforce no longer."""
        if self._thread is not None:
            self._end.set()
            self._thread.join()
            self._thread = None
            self.room.run("iptables", "-w", "-D", *HOOK)

    def _follow(self) -> None:
        while not self._end.is_set():
            try:
                with Rest(self.plane.endpoint(POLICIES)) as rest:
                    while not self._end.wait(EVERY_SECONDS):
                        self._enforce(rest)
            except LOST:  # an API server that goes away comes back
                self._end.wait(EVERY_SECONDS)
            except (NotImplementedError, RuntimeError) as problem:
                self.problem = problem
                return

    def _enforce(self, rest: Rest) -> None:
        text = restore_text(_world(rest))
        if text != self._applied:
            self.room.run("iptables-restore", "-w", "--noflush", stdin=text)
            self._applied = text


def _world(rest: Rest) -> World:
    policies = rest.call("GET", "/apis/networking.k8s.io/v1/networkpolicies")["items"]
    namespaces = rest.call("GET", "/api/v1/namespaces")["items"]
    pods: list[Object] = rest.call("GET", "/api/v1/pods")["items"]
    return World(
        policies=policies,
        pods=[pod for pod in pods if _has_own_address(pod)],
        namespaces={it["metadata"]["name"]: it["metadata"].get("labels", {}) for it in namespaces},
    )


def _has_own_address(pod: Object) -> bool:
    ended = pod["status"].get("phase") in {"Succeeded", "Failed"}
    return bool(pod["status"].get("podIP")) and not pod["spec"].get("hostNetwork") and not ended
