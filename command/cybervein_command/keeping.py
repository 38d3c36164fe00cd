"""`rm`, `renew`, `audit`: what is stored already."""

from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from cybervein_protocol.amounts import coins
from cybervein_protocol.errors import ProofError
from cybervein_runtime.console import confirm
from cybervein_runtime.durations import duration_text

from cybervein_command.audited import audit_text
from cybervein_command.context import Yes, console_of, decimals_of, with_client
from cybervein_command.terms import Duration, Epochs, term

if TYPE_CHECKING:
    from cybervein_client.client import AsyncClient
    from cybervein_client.removal import Removal

Name = Annotated[str, typer.Argument(help="Name or CID of a stored file.")]


def rm(
    ctx: typer.Context,
    name: Name,
    yes: Yes = False,  # noqa: FBT002 -- a command-line flag
) -> None:
    """Remove a file for good: ends its deals, deletes its shards, forgets its key."""
    console = console_of(ctx)

    async def remove(client: "AsyncClient") -> "Removal":
        if not yes:
            back = coins(await client.refund(name), decimals_of(ctx))
            confirm(f"Remove {name} for good? {back} coins come back now.", yes=yes)
        return await client.remove(name)

    done = with_client(ctx, remove)
    if done.miners_not_reached:
        console.say(
            f"{done.miners_not_reached} miners were not reached; they delete the shards once the "
            "deal has ended"
        )
    result = {"name": name, "removed": True, **asdict(done)}
    back = coins(done.refunded, decimals_of(ctx))
    console.emit(result, lambda: f"removed {name}; {back} coins came back")


def renew(ctx: typer.Context, name: Name, epochs: Epochs = None, duration: Duration = None) -> None:
    """Pay for more time of a file, counted from its end. What cannot be is refused unpaid."""
    from cybervein_client.lifetimes import date_text  # noqa: PLC0415 -- as above

    wanted = term(ctx, epochs, duration)
    planned = with_client(ctx, lambda client: client.renew(name, wanted))
    life = planned.life
    added = planned.target - (life.expires or planned.target)
    result = {
        "name": name,
        "epochs": added,
        "escrow": planned.escrow,
        "ends_epoch": planned.target,
        "ends": planned.ends,
    }
    lasting = duration_text(added * life.time.epoch_seconds)
    text = (
        f"renewed {name} for {lasting}, until {date_text(planned.ends)}: "
        f"{coins(planned.escrow, decimals_of(ctx))} coins"
    )
    console_of(ctx).emit(result, lambda: text)


def audit(
    ctx: typer.Context,
    name: Name,
    samples: Annotated[
        int, typer.Option(min=1, max=1024, help="Chunks to read of each shard.")
    ] = 4,
) -> None:
    """Check that the miners still hold a file: reads random chunks of every shard."""
    from cybervein_protocol.audit import Outcome  # noqa: PLC0415 -- `ls` audits nothing

    checks = with_client(ctx, lambda client: client.audit(name, samples))
    outcomes = Counter(check.outcome.value for check in checks)
    result = {
        "name": name,
        "outcomes": {outcome.value: outcomes[outcome.value] for outcome in Outcome},
        "shards": [check.to_json() for check in checks],
    }
    console_of(ctx).emit(result, lambda: audit_text(checks))
    if outcomes[Outcome.WRONG.value]:
        raise ProofError(f"{outcomes[Outcome.WRONG.value]} shards of {name} are wrong or lost")
