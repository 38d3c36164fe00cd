"""`cybervein drain`: relieve a running miner of all it holds, before it goes for good."""

import asyncio
from typing import Annotated, Final

import typer
from cybervein_protocol.api.miner.drain import DrainBody, DrainDocument
from cybervein_protocol.api.miner.status import StatusDocument
from cybervein_protocol.errors import UnavailableError
from cybervein_runtime.console import Console

from cybervein_miner.cli.call import Data, Identity, RunningMiner
from cybervein_miner.cli.context import console_of

_LOOK_SECONDS: Final = 1.0
DrainState = DrainDocument | StatusDocument


def drain(
    context: typer.Context,
    data: Data,
    identity: Identity = None,
    cancel: Annotated[bool, typer.Option(help="Stay after all.")] = False,  # noqa: FBT002 -- a flag
    wait: Annotated[bool, typer.Option(help="Return when nothing is left.")] = True,  # noqa: FBT002 -- a flag
) -> None:
    """Move every shard of this miner elsewhere and retire its plots; its files stay."""
    console = console_of(context)
    miner = RunningMiner(data, identity)
    answer = asyncio.run(_drain(console, miner, draining=not cancel, wait=wait))
    told = {
        "draining": answer.draining,
        "drained": answer.drained,
        "held_shards": answer.held_shards,
        "drain": answer.drain,
    }
    console.emit(told, lambda: _farewell(answer))


async def _drain(
    console: Console, miner: RunningMiner, *, draining: bool, wait: bool
) -> DrainState:
    body = DrainBody(v=1, draining=draining)
    answer: DrainState = await miner.ask("POST", "/v1/drain", DrainDocument, body)
    told = ""
    while draining and wait and not answer.drained:
        told = _tell(console, answer, told)
        await asyncio.sleep(_LOOK_SECONDS)
        answer = await _status(miner, answer)
        if not answer.draining:
            break
    return answer


async def _status(miner: RunningMiner, last: DrainState) -> DrainState:
    """The status; a miner under restart is waited for, as it keeps draining."""
    try:
        return await miner.ask("GET", "/v1/status", StatusDocument)
    except UnavailableError:
        return last


def _tell(console: Console, answer: DrainState, told: str) -> str:
    """Say how far it is, where that changed."""
    drain = answer.drain
    if not drain.final:
        text = "waiting for the ledger to hear of it"
    else:
        text = f"{answer.held_shards} shards and {drain.plots_live} plots are left"
        text += f", {drain.promised} shards of open deals may come" if drain.promised else ""
    text += f"; no progress: {drain.blocked_by}" if drain.blocked_by else ""
    if text != told:
        console.say(text)
    return text


def _farewell(answer: DrainState) -> str:
    if not answer.draining:
        return "not draining: shards are taken and plots are registered again"
    if answer.drained:
        return "drained: the network no longer needs this miner; stop it whenever you like"
    return "draining; `cybervein drain` shows its progress, --cancel ends it"
