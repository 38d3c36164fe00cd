"""`wallet new|show|backup|restore|send`."""

import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from cybervein_client.catalogue import Catalogue
from cybervein_client.client import AsyncClient
from cybervein_client.home import Home
from cybervein_client.ledger.payment import check_memo
from cybervein_client.wallet import restore_backup, set_aside, write_backup
from cybervein_protocol.amounts import coins, parse_coins
from cybervein_protocol.errors import ConflictError, MalformedError, UnavailableError, UnknownError
from cybervein_protocol.signing import address, parse_address
from cybervein_runtime.console import confirm
from cybervein_runtime.files import read_limited, write_atomic
from cybervein_runtime.identity import new_identity, save_identity
from cybervein_runtime.network_file import parse_network
from cybervein_runtime.usage import given
from rich.markup import escape

from cybervein_command.context import Yes, console_of, decimals_of, home_of, with_client

wallet = typer.Typer(no_args_is_help=True, help="Keys and coins.")
_NETWORK_BYTES_MAX = 1 << 20
_PASSPHRASE_BYTES_MAX = 4096
_VARIABLE = "CYBERVEIN_PASSPHRASE"
PassphraseFile = Annotated[
    Path | None,
    typer.Option(help=f"First line is the passphrase; else {_VARIABLE}; else it is asked for."),
]


@wallet.command()
def new(
    ctx: typer.Context,
    network: Annotated[
        Path | None, typer.Option(help="Join this network: copies its network.json here.")
    ] = None,
) -> None:
    """Make a wallet."""
    home = home_of(ctx)
    data = None if network is None else read_limited(network, _NETWORK_BYTES_MAX)
    if data is not None:
        parse_network(data, str(network))
    if home.identity_path.exists():
        raise ConflictError(_has_wallet(home))
    home.directory.mkdir(parents=True, exist_ok=True)
    aside = set_aside(home)
    identity = new_identity()
    save_identity(home.identity_path, identity)
    if data is not None:
        write_atomic(home.network_path, data, mode=0o644)
    text = address(identity.keys.public)
    result = {"address": text, "home": str(home.directory), **_left(aside)}
    steps = "back it up: cybervein wallet backup FILE"
    if not home.network_path.exists():
        steps = f"next: copy a network's network.json to {home.network_path}; {steps}"
    console_of(ctx).emit(result, lambda: f"{text}\n({steps}){_told(aside)}")


def _has_wallet(home: Home) -> str:
    """Why no wallet is made here: the one there may own coins and files, and is never replaced."""
    step = "another one needs another --home"
    if not home.network_path.exists():
        step = f"to use it, copy a network's network.json to {home.network_path}; {step}"
    return f"{home.directory} has a wallet already, which stays as it is; {step}"


@wallet.command()
def show(ctx: typer.Context) -> None:
    """Show the address, and the balance if the network answers."""
    home = home_of(ctx)
    text = address(home.identity().keys.public)
    result: dict[str, object] = {"address": text, "home": str(home.directory)}
    try:
        account = with_client(ctx, lambda client: client.account())
        result |= {
            "balance": account.balance,
            "bonded": account.bonded,
            "bond_due": account.bond_due,
        }
    except (UnavailableError, UnknownError) as error:
        console_of(ctx).say(f"no balance: {escape(str(error))}")
    console_of(ctx).emit(result, lambda: _shown(ctx, result))


def _shown(ctx: typer.Context, result: dict[str, object]) -> str:
    """The wallet's facts, amounts in coins."""
    lines = []
    for key, value in result.items():
        if isinstance(value, int):
            lines.append(f"{key.replace('_', ' ')}: {coins(value, decimals_of(ctx))} coins")
        else:
            lines.append(f"{key}: {value}")
    return "\n".join(lines)


@wallet.command()
def backup(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="File to write.")],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Write wallet, network file and catalogue (every file key) into one encrypted file."""
    home = home_of(ctx)
    home.identity()
    secret = _passphrase(passphrase_file, confirm=True)
    with closing(Catalogue(home.catalogue_path)) as catalogue:
        size = write_backup(home, catalogue.snapshot(), file, secret)
    result = {"path": str(file), "bytes": size}
    console_of(ctx).emit(result, lambda: f"wrote {file}; it opens only with the passphrase")


@wallet.command()
def restore(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="Backup to read.")],
    passphrase_file: PassphraseFile = None,
) -> None:
    """Restore a backup into a home without a wallet."""
    home = home_of(ctx)
    aside = restore_backup(home, file, _passphrase(passphrase_file, confirm=False))
    text = address(home.identity().keys.public)
    result = {"address": text, "home": str(home.directory), **_left(aside)}
    told = f"restored {text} to {home.directory}"
    console_of(ctx).emit(result, lambda: f"{told}{_told(aside)}")


def _left(aside: Path | None) -> dict[str, str]:
    """What another wallet had left here, where it is now; nothing where nothing was."""
    return {} if aside is None else {"left_behind": str(aside)}


def _told(aside: Path | None) -> str:
    return "" if aside is None else f"\n(the catalogue of a wallet that was here before: {aside})"


def _passphrase(file: Path | None, *, confirm: bool) -> str:
    """The passphrase, never from an argument: other users of a machine can read those."""
    if file is None:
        return os.environ.get(_VARIABLE) or _ask(confirm=confirm)
    lines = read_limited(file, _PASSPHRASE_BYTES_MAX).decode(errors="replace").splitlines()
    if not lines or not lines[0]:
        raise MalformedError(f"{file} holds no passphrase; write it on the first line")
    return lines[0]


def _ask(*, confirm: bool) -> str:
    if not sys.stdin.isatty():
        raise typer.BadParameter(f"no passphrase; give --passphrase-file or set {_VARIABLE}")
    text: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
    return text


@wallet.command()
def send(
    ctx: typer.Context,
    to: Annotated[str, typer.Argument(help="Address to pay.")],
    amount: Annotated[str, typer.Argument(help="Coins, such as 12 or 0.5.")],
    memo: Annotated[str, typer.Option(help="At most 64 characters, public.")] = "",
    yes: Yes = False,  # noqa: FBT002 -- a command-line flag
) -> None:
    """Pay coins to an address; shows fee and rest, and asks; returns when the payment is final."""
    with given("TO"):
        public = parse_address(to)
    decimals = decimals_of(ctx)
    with given("AMOUNT"):
        veins = parse_coins(amount, decimals)
    with given("--memo"):
        check_memo(memo)
    paid = f"{coins(veins, decimals)} coins to {to}"

    async def pay(client: AsyncClient) -> str:
        planned = await client.payment(public, veins, memo)
        fee, left = coins(planned.fee, decimals), coins(planned.left, decimals)
        confirm(f"Pay {paid}? The fee is at most {fee} coins, {left} stay.", yes=yes)
        return await client.send(public, veins, memo)

    unit = with_client(ctx, pay)
    result = {"unit": unit, "to": to, "amount": veins}
    console_of(ctx).emit(result, lambda: f"paid {paid} ({unit})")
