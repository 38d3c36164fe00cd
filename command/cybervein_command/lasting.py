"""`keep`: files that are renewed while the wallet can pay, and the service that does it."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from cybervein_protocol.amounts import coins
from cybervein_protocol.errors import CyberVeinError, FundsError
from cybervein_runtime.console import escape
from cybervein_runtime.durations import duration_text

from cybervein_command.context import console_of, decimals_of, home_of, with_client
from cybervein_command.terms import Duration, KeptEpochs, term

if TYPE_CHECKING:
    from cybervein_client.client import AsyncClient
    from cybervein_client.lasting.keeper import KeptFile
    from cybervein_client.lasting.life import FileLife


def keep(  # noqa: PLR0913, PLR0917 -- a command's flags
    ctx: typer.Context,
    name: Annotated[
        str | None, typer.Argument(help="Name or CID of a file to keep; none: renew all of them.")
    ] = None,
    off: Annotated[  # noqa: FBT002 -- a command-line flag
        bool, typer.Option("--off", help="Let the file end when it is paid for no longer.")
    ] = False,
    once: Annotated[  # noqa: FBT002
        bool, typer.Option("--once", help="Without NAME: one pass, for a timer, and end.")
    ] = False,
    epochs: KeptEpochs = None,
    duration: Duration = None,
) -> None:
    """Keep a file: renew it whenever it ends soon. Without NAME: run the service that does it."""
    wanted = term(ctx, epochs, duration)
    if name is None:
        if off or wanted is not None:
            raise typer.BadParameter("--off, --for and --epochs are of one file: give its NAME")
        _serve(ctx, once=once)
    elif once:
        raise typer.BadParameter("--once is of the service: leave NAME out")
    else:
        _mark(ctx, name, 0 if off else wanted)


def _mark(ctx: typer.Context, name: str, epochs: int | None) -> None:
    from cybervein_client.lasting.ended import require_alive  # noqa: PLC0415 -- as in context
    from cybervein_client.lasting.outlook import next_price  # noqa: PLC0415 -- as in context

    from cybervein_command.words import until  # noqa: PLC0415

    async def mark(client: "AsyncClient") -> "FileLife":
        if epochs != 0:
            require_alive(await client.watch.ask(client.stored(name)))
        return await client.keep(name, epochs)

    life = with_client(ctx, mark)
    preset = home_of(ctx).network().genesis.preset
    each, price = life.file.keep_epochs, next_price(life, preset)
    result = {
        "name": life.file.name,
        "keep_epochs": each,
        "price": price,
        "ends": life.ends,
        "seconds_left": life.seconds_left,
    }
    lasting = duration_text(each * preset.epoch_seconds)
    text = f"{life.file.name} is left to end; it is stored {until(life)}"
    if each:
        cost = f"{coins(price, preset.coin_decimals)} coins for {lasting}"
        text = (
            f"{life.file.name} is kept: stored {until(life)}, renewed before that, {cost} each "
            "time; `cybervein keep` has to run for it"
        )
    console_of(ctx).emit(result, lambda: text)


def _serve(ctx: typer.Context, *, once: bool) -> None:
    """Renew what is due, now and (without `once`) whenever something is due again."""
    console, told = console_of(ctx), [""]

    def tell(kept: "list[KeptFile]") -> None:
        """Each pass with `--json`; for people, only what they have not been told just before."""
        rows: list[dict[str, Any]] = [each.to_json() for each in kept]
        before, told[0] = told[0], _report(ctx, kept)
        if console.as_json or told[0] != before:
            console.emit(rows, lambda: told[0])

    async def serve(client: "AsyncClient") -> "list[KeptFile]":
        if not once:
            await client.keeper.run(tell, lambda why: console.say(f"later: {escape(str(why))}"))
        return await client.keeper.once()

    kept = with_client(ctx, serve, warn=False)
    tell(kept)
    if (problem := _worst(kept)) is not None:
        raise problem


def _report(ctx: typer.Context, kept: "list[KeptFile]") -> str:
    """A line for each file that was renewed, or could not be; one if there is neither."""
    lines = [_line(ctx, each) for each in kept if each.epochs or each.problem]
    count = "1 kept file" if len(kept) == 1 else f"{len(kept)} kept files"
    quiet = f"{count}, none is due" if kept else "no file is kept; `keep NAME` does"
    return "\n".join(lines) or quiet


def _line(ctx: typer.Context, each: "KeptFile") -> str:
    from cybervein_command.words import until  # noqa: PLC0415 -- as above

    if each.problem is not None:
        return f"not renewed: {each.problem}"
    paid = coins(each.price, decimals_of(ctx))
    return f"renewed {each.life.file.name} {until(each.life)}: {paid} coins"


def _worst(kept: "list[KeptFile]") -> CyberVeinError | None:
    """The problem to end with; too few coins before others, as its exit code says what to do."""
    problems = [each.problem for each in kept if each.problem is not None]
    funds = [each for each in problems if isinstance(each, FundsError)]
    return next(iter([*funds, *problems]), None)
