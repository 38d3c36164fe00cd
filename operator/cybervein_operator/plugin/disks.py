"""Changing a disk: empty it, say when it may be pulled, take the new one; and wiping one.

All of it is a person's part of a MinerDisk, `spec.drain` and `spec.wipe`; the operator does the
rest, and the API server refuses a wipe of a disk that is not drained.
"""

from collections.abc import Callable

from cybervein_protocol.errors import MalformedError

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.plugin.answers import Object
from cybervein_operator.plugin.api_server import ApiServer
from cybervein_operator.plugin.drains import DISK
from cybervein_operator.plugin.waiting import Patience

_POD = ClusterKind.POD.resource
_EMPTY = {"Drained", "Wiped"}
Tell = Callable[[str], None]


async def status_of(api: ApiServer, name: str) -> Object:
    """A disk's status. Raises UnknownError."""
    found: Object = (await api.get(DISK, name)).get("status", {})
    return found


async def empty(
    api: ApiServer, name: str, patience: Patience, tell: Tell
) -> tuple[Object, str]:  # fmt: skip
    """Drain a disk; its status once nothing on it is needed, and what to do then."""
    await api.merge(DISK, name, {"spec": {"drain": True}})
    status = await _wait(api, name, patience, tell, lambda status: status.get("phase") in _EMPTY)
    return status, _farewell(name, (await api.get(DISK, name))["spec"], status)


async def take(api: ApiServer, name: str, patience: Patience, tell: Tell) -> Object:
    """Take a disk into use, the new one or the old one again, and return its status then."""
    await _restart(api, name, patience, tell)
    await api.merge(DISK, name, {"spec": {"drain": False, "wipe": None}})
    return await _wait(api, name, patience, tell, lambda status: status.get("phase") == "InUse")


async def _restart(api: ApiServer, name: str, patience: Patience, tell: Tell) -> None:
    """Start a disk's miner again: a pod keeps the mounts that were there when it began."""
    miner = (await api.get(DISK, name))["spec"]["miner"]
    pod = f"{miner}-0"
    before = await api.find(_POD, pod)
    if before is None:
        return
    tell(f"{miner}: starts again to see the new disk")
    await api.delete(_POD, pod, before["metadata"]["uid"])

    async def another() -> bool:
        now = await api.find(_POD, pod)
        return now is not None and now["metadata"]["uid"] != before["metadata"]["uid"]

    await patience.until(another, lambda: f"pod {pod} does not end; the disk was not taken yet")


async def wipe(api: ApiServer, name: str, confirm: str, patience: Patience, tell: Tell) -> Object:
    """Delete CyberVein's files on a drained disk. Raises MalformedError for another disk's id."""
    status = await status_of(api, name)
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
    await api.merge(DISK, name, {"spec": {"wipe": confirm}})
    return await _wait(api, name, patience, tell, lambda status: status.get("phase") == "Wiped")


async def _wait(
    api: ApiServer, name: str, patience: Patience, tell: Tell, met: Callable[[Object], bool]
) -> Object:
    last: Object = {}
    told = ""

    async def look() -> bool:
        nonlocal last, told
        last = await status_of(api, name)
        line = f"{name}: {last.get('phase', 'Pending')}, {last.get('shards', 0)} shards"
        line += f"; {last['message']}" if last.get("message") else ""
        if line != told:
            tell(line)
        told = line
        return met(last)

    await patience.until(look, lambda: f"{told}; it continues, run the same command again to wait")
    return last


def _farewell(name: str, spec: Object, status: Object) -> str:
    """What to pull out, and what to do then."""
    where = f"claim {spec['claim']}" if "claim" in spec else f"directory {spec['hostPath']}"
    node = status.get("node") or "its node"
    return (
        f"{name} is empty and may be pulled: disk {status.get('diskId') or '(no id)'}, {where} on "
        f"{node}. Mount the new one at the same place, writable for uid 65532, then: "
        f"kubectl cybervein disk replace {name} --new"
    )
