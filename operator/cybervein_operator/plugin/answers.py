"""The three answers of `status`: who is ready, is my data safe, am I earning."""

from dataclasses import dataclass
from typing import Any

from cybervein_protocol.amounts import coins
from cybervein_protocol.api.super_node.miners import ListedMiner

Object = dict[str, Any]
UNSAFE = {"Missing", "Foreign", "Failed"}
"""Phases in which a disk cannot serve what it holds."""
_LEAVING = {"Draining", "Drained"}
STOPPED = "Stopped"
"""Nobody needs what is left on it: others hold that."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """A super node's answer, or why there is none."""

    epoch: int | None = None
    standings: tuple[ListedMiner, ...] = ()
    coin_decimals: int = 0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes, no or unknown (None), and the sentence."""

    ok: bool | None
    text: str


def ready(networks: tuple[Object, ...], pools: tuple[Object, ...]) -> Answer:
    """Is everybody at work?"""
    if not networks and not pools:
        return Answer(None, "no Network and no MinerPool here; see `kubectl explain minerpool`")
    late = [f"{each['name']}: {each['message']}" for each in (*networks, *pools)
            if each["ready"] != "True"]  # fmt: skip
    wanted = sum(each["wanted"] for each in pools)
    at_work = sum(each["miners_ready"] for each in pools)
    if late or at_work < wanted:
        return Answer(ok=False, text="; ".join([f"{at_work} of {wanted} miners are ready", *late]))
    return Answer(ok=True, text=f"all {wanted} miners are ready")


def safe(miners: tuple[Object, ...], disks: tuple[Object, ...]) -> Answer:
    """Are customers' shards where they should be, and the keys to them?"""
    bad = [disk for disk in disks if disk["phase"] in UNSAFE]
    blocked = [miner["name"] for miner in miners if miner["phase"] == "Blocked"]
    away = [miner["name"] for miner in miners if miner["phase"] == "Unreachable"]
    trouble = [f"{disk['name']} is {disk['phase']} with {disk['shards']} shards" for disk in bad]
    trouble += [f"{name} is blocked" for name in blocked] + [f"{name} is away" for name in away]
    if trouble:
        return Answer(
            ok=False,
            text=f"{'; '.join(trouble)}. Nothing was deleted; shards that stay away are repaired.",
        )
    if not disks:
        return Answer(None, "no disk was seen yet")
    unknown = [disk["name"] for disk in disks if disk["phase"] == "Pending"]
    if unknown:
        return Answer(None, f"no word yet of {', '.join(unknown[:5])}")
    held = sum(disk["shards"] for disk in disks if disk["phase"] != STOPPED)
    return Answer(ok=True, text=f"{len(disks)} disks hold {held} shards, none out of reach")


def earning(
    miners: tuple[Object, ...], pools: tuple[Object, ...], ledgers: dict[str, Ledger]
) -> Answer:
    """Do our miners prove and get paid, as the ledger has it? Who is emptied need not."""
    at_work = [each for each in miners if each["phase"] not in _LEAVING]
    problems = [f"{name}: {each.problem}" for name, each in ledgers.items() if each.problem]
    ours = {miner["address"] for miner in miners if miner["address"]}
    used = {f"{pool['namespace']}/{pool['network']}" for pool in pools}
    proving, paid, lost = 0, "", []
    for name in sorted(used & set(ledgers)):
        ledger = ledgers[name]
        mine = [each for each in ledger.standings if each.address in ours]
        proving += sum(_proves(each, ledger.epoch) for each in mine)
        paid += f" {coins(sum(each.rewards + each.fees for each in mine), ledger.coin_decimals)}"
        lost += [each.address for each in mine if each.penalties]
    if not paid or (problems and not proving):
        return Answer(None, "; ".join(problems) or "no ledger was reached")
    text = f"{proving} of {len(at_work)} miners proved lately; earned so far:{paid} coins"
    text += f"; penalties: {len(lost)} miners" if lost else ""
    return Answer(proving >= len(at_work) if at_work else None, "; ".join([text, *problems]))


def _proves(standing: ListedMiner, epoch: int | None) -> bool:
    last = standing.last_proof_epoch
    return last is not None and (epoch is None or epoch - last <= 2)  # noqa: PLR2004 -- epochs
