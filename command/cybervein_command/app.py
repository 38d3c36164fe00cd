"""The root command: options that all commands share, and which modules a run imports.

A run imports the module of its own command and no other: help and suggestions come from the table
`listed`, which `scripts/commands_page.py` writes.
"""

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from cybervein_protocol.errors import UnknownError
from cybervein_runtime.command_line import carry_out
from cybervein_runtime.console import Console

from cybervein_command.context import HOME_KEY
from cybervein_command.listed import LISTED

_EXTRAS: Final = {
    "cybervein_miner": "miner",
    "cybervein_supernode": "supernode",
    "cybervein_operator": "operator",
    "cybervein_up": "miner,supernode",
}
"""What to install for the commands of a package."""
_COMPLETION: Final = "_CYBERVEIN_COMPLETE"  # typer's; the line to complete is then no argument


def build(arguments: Sequence[str] | None = None) -> typer.Typer:
    """The command tree: all commands, whole; with the `arguments` of a run, what that run needs.

    That is its command alone: a miner starts without the client, a sidecar without the miner. A run
    that names no command, or none that there is, gets all as far as the table knows them. Raises
    UnknownError for a command whose packages are not installed.
    """
    app = typer.Typer(
        name="cybervein",
        help="Store files on a network of miners; mine with disk and bandwidth; run a network.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    if arguments is None:
        for name, (target, _) in LISTED.items():
            with suppress(UnknownError):  # its extra is not installed
                _add(app, name, _load(name, target))
    elif list(arguments) != ["--version"]:
        _add_wanted(app, _command_of(arguments))
    return app


def _add_wanted(app: typer.Typer, wanted: str) -> None:
    if target := _target_of(wanted):
        _add(app, wanted, _load(wanted, target))
        return
    for name, (_, line) in LISTED.items():
        app.command(name, short_help=line)(_nothing)


def _target_of(name: str) -> str:
    """Where a command is (`module:object`), empty if there is none of that name."""
    if name in LISTED or not name:
        return LISTED.get(name, ("", ""))[0]
    from importlib.metadata import entry_points  # noqa: PLC0415 -- for commands of others alone

    found = entry_points(group="cybervein.commands", name=name)
    return next((entry.value for entry in found), "")


def _command_of(arguments: Sequence[str]) -> str:
    """The first word that is neither an option nor the home's directory; empty if none is."""
    words = iter(arguments)
    for word in words:
        if word == "--home":
            next(words, None)
        elif word in {"-h", "--help"}:
            break
        elif not word.startswith("-"):
            return word
    return ""


def _load(name: str, target: str) -> Any:  # noqa: ANN401 -- a function or a group
    module, _, attribute = target.partition(":")
    with _extra_named(name, target):
        return getattr(import_module(module), attribute)


@contextmanager
def _extra_named(name: str, target: str) -> Iterator[None]:
    """Raises UnknownError for a package that is not there, as it belongs to an extra."""
    try:
        yield
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get(target.partition(".")[0])
        if extra is None or (error.name or "").startswith("cybervein_"):
            raise  # a fault of ours
        raise UnknownError(
            f"cybervein {name} needs the package {error.name}, which is not installed; "
            f"run pip install 'cybervein[{extra}]'"
        ) from error


def _add(app: typer.Typer, name: str, command: Any) -> None:  # noqa: ANN401 -- see _load
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name)
    else:
        app.command(name)(command)


def _nothing() -> None:
    """A command of which only the line of help is wanted."""


def _version(value: bool) -> None:  # noqa: FBT001 -- a flag's callback
    if value:
        from importlib.metadata import version  # noqa: PLC0415 -- for this alone

        typer.echo(f"cybervein {version('cybervein')}")
        raise typer.Exit


def _root(  # noqa: PLR0913, PLR0917 -- flags that all commands share
    ctx: typer.Context,
    home: Annotated[
        Path | None,
        typer.Option(
            envvar="CYBERVEIN_HOME",
            help="Directory of wallet, network file and catalogue (default ~/.cybervein).",
        ),
    ] = None,
    as_json: Annotated[  # noqa: FBT002 -- a command-line flag
        bool, typer.Option("--json", help="One JSON document on standard output.")
    ] = False,
    debug: Annotated[  # noqa: ARG001, FBT002 -- a flag, read where errors are told
        bool, typer.Option("--debug", help="Show the traceback of an error, too.")
    ] = False,
    verbose: Annotated[  # noqa: ARG001, FBT002 -- likewise
        bool, typer.Option("--verbose", "-v", help="Show the details of an error, too.")
    ] = False,
    show_version: Annotated[  # noqa: ARG001, FBT002 -- a flag, handled by its callback
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options that every command shares."""
    ctx.obj = Console(as_json=as_json)
    ctx.meta[HOME_KEY] = home


def main() -> None:
    """Run the command line; every error is one line on standard error."""
    carry_out(_run)


def _run() -> object:
    arguments = sys.argv[1:]
    app = build(None if _COMPLETION in os.environ else arguments)
    gc.freeze()  # what was imported stays: no collection needs to look at it again
    name = _command_of(arguments)
    with _extra_named(name, _target_of(name)):  # some are imported when the command runs
        return app(standalone_mode=False)
