"""What every command of this package needs: the console, the home, an open client."""

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.names import MIB
from cybervein_protocol.native import native
from cybervein_runtime.console import Console, escape

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from cybervein_client.client import AsyncClient
    from cybervein_client.home import Home
    from cybervein_client.lasting.outlook import Outlook

HOME_KEY: Final = "cybervein.home"
_KEPT_BYTES: Final = 192 * MIB
T = TypeVar("T")
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def console_of(ctx: typer.Context) -> Console:
    """Where results go."""
    console: Console = ctx.obj
    return console


def home_of(ctx: typer.Context) -> "Home":
    """The home of this run."""
    from cybervein_client.home import Home, default_home  # noqa: PLC0415 -- a miner has none

    named = ctx.meta[HOME_KEY]
    return Home(named.expanduser().absolute()) if named else default_home()


def decimals_of(ctx: typer.Context) -> int:
    """Decimal places of this network's coin."""
    return home_of(ctx).network().genesis.preset.coin_decimals


def keep_freed_memory() -> None:
    """Reuse the large buffers of segments and shards: mapping them anew costs more than coding."""
    module = native()
    if module is not None:
        module.keep_freed_memory(_KEPT_BYTES)


def with_client(
    ctx: typer.Context,
    operation: "Callable[[AsyncClient], Awaitable[T]]",
    *,
    warn: bool = True,
    overview: bool = False,
) -> T:
    """The result of `operation` with an open client; then what ends soon is told (`warn`).

    What has ended already is told where it is news, or where an `overview` was asked for.
    """
    import asyncio  # noqa: PLC0415 -- `ls` of no file asks nobody

    from cybervein_client.client import AsyncClient  # noqa: PLC0415 -- half of what a miner imports

    keep_freed_memory()

    async def run() -> T:
        say_read_only(ctx)
        async with AsyncClient(home_of(ctx)) as client:
            result = await operation(client)
            if warn and not console_of(ctx).as_json:
                with suppress(CyberVeinError):  # it was not what the command was for
                    say_outlook(ctx, client, await client.outlook(), overview=overview)
            return result

    return asyncio.run(run())


def say_read_only(ctx: typer.Context) -> None:
    """A note on standard error where nothing that is learnt can be remembered."""
    if (home := home_of(ctx)).read_only:
        console_of(ctx).say(
            f"[yellow]note:[/] {escape(str(home.directory))} cannot be written: it is only read"
        )


def say_outlook(
    ctx: typer.Context, client: "AsyncClient", outlook: "Outlook", *, overview: bool
) -> None:
    """A warning on standard error for whatever ends soon, has ended or cannot be paid."""
    from cybervein_client.lasting.notice import is_news, remember_told  # noqa: PLC0415 -- as above

    from cybervein_command.words import outlook_lines  # noqa: PLC0415

    if not (overview or is_news(client.catalogue, outlook.expired)):
        outlook = replace(outlook, expired=[])
    for line in outlook_lines(outlook, decimals_of(ctx)):
        console_of(ctx).say(f"[yellow]warning:[/] {escape(line)}")
    remember_told(client.catalogue, outlook.expired)
