"""`rm`, `renew`, `audit`: what is stored already."""

import json
import sys
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from cybervein_protocol.amounts import coins
from cybervein_protocol.errors import ProofError
from cybervein_runtime.console import confirm, escape
from cybervein_runtime.durations import duration_text

from cybervein_command.audited import audit_text
from cybervein_command.context import Yes, console_of, decimals_of, with_client
from cybervein_command.terms import Duration, Epochs, term

if TYPE_CHECKING:
    from cybervein_client.client import AsyncClient
    from cybervein_client.lasting.renewal import RenewalPlan
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

    wanted, decimals = term(ctx, epochs, duration), decimals_of(ctx)
    planned = with_client(
        ctx, lambda client: client.renew(name, wanted, offered=lambda plan: _say_price(ctx, plan))
    )
    lasting = duration_text(planned.added * planned.life.time.epoch_seconds)
    text = (
        f"renewed {name} for {lasting}, until {date_text(planned.ends)}: "
        f"{coins(planned.price, decimals)} coins"
    )
    console_of(ctx).emit({"name": name} | _renewal_document(planned), lambda: text)


def _say_price(ctx: typer.Context, planned: "RenewalPlan") -> None:
    """What a renewal takes, on standard error before it is paid; JSON with `--json`."""
    from cybervein_client.lifetimes import date_text  # noqa: PLC0415 -- as above

    name = planned.life.file.name
    if console_of(ctx).as_json:
        offer = {"name": name} | _renewal_document(planned)
        sys.stderr.write(json.dumps({"offer": offer}) + "\n")
        return
    lasting = duration_text(planned.added * planned.life.time.epoch_seconds)
    price = coins(planned.price, decimals_of(ctx))
    text = f"{name}: {lasting} more, until {date_text(planned.ends)}: {price} coins"
    console_of(ctx).say(escape(text))


def _renewal_document(planned: "RenewalPlan") -> dict[str, Any]:
    """A renewal for `--json`; `price` is the escrow with the fees, in veins."""
    return {
        "epochs": planned.added,
        "escrow": planned.escrow,
        "price": planned.price,
        "ends_epoch": planned.target,
        "ends": planned.ends,
    }


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
