"""The disks of one miner: tell it what their `MinerDisk`s ask for, and write what it says."""

from dataclasses import replace

from cybervein_protocol.errors import CyberVeinError

from cybervein_operator.api import (
    DiskPhase,
    MinerDisk,
    MinerPhase,
    MinerPool,
)
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.desired import names
from cybervein_operator.desired.facts import DISKS_DIR, Volume
from cybervein_operator.judgement.conditions import DISK
from cybervein_operator.judgement.disk import (
    Action,
    DiskFacts,
    action,
    obsolete,
    status,
    worth_writing,
)
from cybervein_operator.judgement.miner import WAITING_FOR_VOLUMES
from cybervein_operator.observed.facts import PodFacts
from cybervein_operator.reconcile.recorder import rfc3339
from cybervein_operator.reconcile.statuses import write_status
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.world import Key, World

_ON_ITS_WAY = {"Creating", "NoPod", "NotReady", "Unschedulable", WAITING_FOR_VOLUMES}
_OUT = {DiskPhase.DRAINED, DiskPhase.WIPED, DiskPhase.FOREIGN, None}


def leaving_volumes(world: World, pool: MinerPool, ordinal: int) -> tuple[Volume, ...]:
    """Disks that are out of the spec and not yet drained: they stay mounted until they are."""
    wanted = {each.name for each in pool.spec.disks}
    name = names.miner(pool.metadata.name, ordinal)
    return tuple(
        Volume(disk.spec.disk, disk.spec.claim or "", disk.spec.host_path or "")
        for disk in sorted(
            world.disks_of(pool.metadata.namespace, name), key=lambda each: each.spec.disk
        )
        if disk.spec.disk not in wanted and disk.status.phase not in _OUT
    )


async def reconcile_disks(
    tools: Tools, pool: MinerPool, key: Key, *, stopped: bool = False, remounts: bool = False
) -> None:
    """Every MinerDisk of the miner. What the miner refuses is in the disk's status.

    `stopped`: it goes, drained; `remounts`: disks that leave are not all in its pod yet.
    """
    wanted = {each.name for each in pool.spec.disks}
    for disk in tools.world.disks_of(key.namespace, key.name):
        facts = _facts(tools.world, disk, key, wanted=disk.spec.disk in wanted)
        # One that was listed just now is mounted by the next template, whatever the pod has.
        leaves = not facts.wanted and (remounts or disk.status.phase is None)
        facts = replace(facts, stopped=stopped, remounts=leaves)
        if obsolete(facts):
            meta = disk.metadata
            await tools.client.delete(ClusterKind.DISK, meta.namespace, meta.name, meta.uid)
            continue
        if not stopped:
            await _act(tools, facts, key)
        await _write(tools, facts)


def _facts(world: World, disk: MinerDisk, key: Key, *, wanted: bool) -> DiskFacts:
    name = (key.namespace, key.name)
    poll, verdict = world.polls.get(name), world.verdicts.get(name)
    report = poll.report if poll else None
    pod = world.store.get(ClusterKind.POD, key.namespace, names.pod(key.pool, key.ordinal))
    return DiskFacts(
        disk=disk,
        wanted=wanted,
        report=report.disk(disk.spec.disk) if report else None,
        asked=report is not None,
        address=report.address if report else "",
        phase=verdict.phase if verdict else MinerPhase.PENDING,
        on_its_way=verdict is None or verdict.reason in _ON_ITS_WAY,
        node=pod.facts.node if pod and isinstance(pod.facts, PodFacts) else "",
    )


async def _act(tools: Tools, facts: DiskFacts, key: Key) -> None:
    todo, space = action(facts), key.namespace
    identity = facts.report.id if facts.report else ""
    try:
        match todo:
            case Action.NOTHING:
                return
            case Action.DRAIN:
                await tools.miners.remove_disk(space, key.name, facts.address, identity)
            case Action.TAKE_BACK:
                path = f"{DISKS_DIR}/{facts.disk.spec.disk}"
                await tools.miners.add_disk(space, key.name, facts.address, path)
            case Action.WIPE:
                await tools.miners.wipe_disk(space, key.name, facts.address, identity)
    except CyberVeinError as error:
        raise type(error)(
            f"{key.name}, disk {facts.disk.spec.disk}: {todo.value}: {error}"
        ) from error
    tools.poller.soon((space, key.name))


async def _write(tools: Tools, facts: DiskFacts) -> None:
    disk, after = facts.disk, status(facts, rfc3339())
    if facts.starts or not worth_writing(disk.status, after):
        return
    await write_status(tools, disk, after, DISK)
