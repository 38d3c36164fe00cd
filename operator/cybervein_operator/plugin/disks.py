"""Changing a disk: empty it, say when it may be pulled, take the new one; and wiping one.

All of it is a person's part of a MinerDisk, `spec.drain` and `spec.wipe`; the operator does the
rest, and the API server refuses a wipe of a disk that is not drained.
"""

from collections.abc import Callable

from cybervein_protocol.errors import MalformedError

from cybervein_operator.plugin.drains import DISK_KIND
from cybervein_operator.plugin.kubectl import Kubectl, Object
from cybervein_operator.plugin.waiting import Patience

_EMPTY = {"Drained", "Wiped"}
Tell = Callable[[str], None]


def status_of(kubectl: Kubectl, name: str) -> Object:
    """A disk's status. Raises UnknownError."""
    found: Object = kubectl.get(DISK_KIND, name).get("status", {})
    return found


def empty(kubectl: Kubectl, name: str, patience: Patience, tell: Tell) -> Object:
    """Drain a disk and return its status once nothing on it is needed."""
    kubectl.merge(DISK_KIND, name, {"spec": {"drain": True}})
    return _wait(kubectl, name, patience, tell, lambda status: status.get("phase") in _EMPTY)


def restart(kubectl: Kubectl, name: str, patience: Patience, tell: Tell) -> None:
    """Start a disk's miner again: a pod keeps the mounts that were there when it began."""
    miner = kubectl.get(DISK_KIND, name)["spec"]["miner"]
    pod = f"{miner}-0"
    before = kubectl.find("pod", pod)
    if before is None:
        return
    tell(f"{miner}: starts again to see the new disk")
    kubectl("delete", "pod", pod, "--ignore-not-found", "--wait=false")

    def another() -> bool:
        now = kubectl.find("pod", pod)
        return now is not None and now["metadata"]["uid"] != before["metadata"]["uid"]

    patience.until(another, lambda: f"pod {pod} does not end; the disk was not taken yet")


def take(kubectl: Kubectl, name: str, patience: Patience, tell: Tell) -> Object:
    """Take a disk into use, the new one or the old one again."""
    kubectl.merge(DISK_KIND, name, {"spec": {"drain": False, "wipe": None}})
    return _wait(kubectl, name, patience, tell, lambda status: status.get("phase") == "InUse")


def wipe(kubectl: Kubectl, name: str, confirm: str, patience: Patience, tell: Tell) -> Object:
    """Delete CyberVein's files on a drained disk. Raises MalformedError for another disk's id."""
    status = status_of(kubectl, name)
    have = status.get("diskId", "")
    if not have or confirm != have:
        raise MalformedError(
            f"{name} is disk {have or '(unknown)'}, not {confirm or '(none given)'}; nothing was "
            f"deleted. To wipe it: --confirm {have or 'DISKID'}"
        )
    if status.get("phase") != "Drained":
        raise MalformedError(
            f"{name} is {status.get('phase', 'Pending')}, not Drained: a disk is emptied first, "
            f"with `kubectl cybervein disk replace {name}`; nothing was deleted"
        )
    kubectl.merge(DISK_KIND, name, {"spec": {"wipe": confirm}})
    return _wait(kubectl, name, patience, tell, lambda status: status.get("phase") == "Wiped")


def _wait(
    kubectl: Kubectl, name: str, patience: Patience, tell: Tell, met: Callable[[Object], bool]
) -> Object:
    last: Object = {}
    told = ""

    def look() -> bool:
        nonlocal last, told
        last = status_of(kubectl, name)
        line = f"{name}: {last.get('phase', 'Pending')}, {last.get('shards', 0)} shards"
        line += f"; {last['message']}" if last.get("message") else ""
        if line != told:
            tell(line)
        told = line
        return met(last)

    patience.until(look, lambda: f"{told}; it continues, run the same command again to wait")
    return last


def farewell(kubectl: Kubectl, name: str, status: Object) -> str:
    """What to pull out, and what to do then."""
    spec = kubectl.get(DISK_KIND, name)["spec"]
    where = f"claim {spec['claim']}" if "claim" in spec else f"directory {spec['hostPath']}"
    node = status.get("node") or "its node"
    return (
        f"{name} is empty and may be pulled: disk {status.get('diskId') or '(no id)'}, {where} on "
        f"{node}. Mount the new one at the same place, writable for uid 65532, then: "
        f"kubectl cybervein disk replace {name} --new"
    )
