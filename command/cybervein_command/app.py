"""The root command: options that all commands share, plug-ins, errors as one line.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not enough funds, 4 somebody does not
answer, 5 a proof or bytes do not verify, 6 a disk refuses, 130 interrupted.
"""

import gc
import json
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import entry_points, version
from pathlib import Path
from typing import Annotated, Final

import typer
from cybervein_client.home import Home, default_home
from cybervein_protocol.errors import (
    CyberVeinError,
    FundsError,
    ProofError,
    SignatureError,
    StorageError,
    UnavailableError,
)
from cybervein_runtime.console import Console

from cybervein_command.context import HOME_KEY

_EXIT_CODES: Final[tuple[tuple[type[CyberVeinError], int], ...]] = (
    (FundsError, 3),
    (UnavailableError, 4),
    (ProofError, 5),
    (SignatureError, 5),
    (StorageError, 6),
)
_INTERRUPTED: Final = 130
OWN: Final = {
    "transfer": ("put", "get", "cat"),
    "keeping": ("ls", "rm", "renew", "audit"),
    "wallet": ("wallet",),
    "network": ("miners", "deals", "status"),
    "checkup": ("doctor",),
}
"""This package's commands, by the module that has them."""
_ENTRY_POINTS: Final = "cybervein.commands"


def build(arguments: Sequence[str] = ()) -> typer.Typer:
    """The command tree: this package's commands and every installed plug-in's.

    With the `arguments` of a run, modules are imported only until one has the command, the plug-in
    of its name first: a miner starts without the client, a `put` without what the plug-ins bring.
    """
    app = typer.Typer(
        name="cybervein",
        help="Store files on a network of miners; mine with disk and bandwidth; run a network.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    wanted = _command_of(arguments)
    if list(arguments) == ["--version"]:
        return app
    for module, names in OWN.items():
        if wanted is None or wanted in names:
            _add_own(app, module)
    plug_ins = entry_points(group=_ENTRY_POINTS)
    for entry in sorted(plug_ins, key=lambda each: (each.name != wanted, each.name)):
        if wanted and wanted in _names(app):
            return app
        _load(app, entry)
    if wanted is not None and wanted not in _names(app):  # it is unknown: say what is like it
        for module in OWN:
            _add_own(app, module)
    return app


def _add_own(app: typer.Typer, module: str) -> None:
    import_module(f"cybervein_command.{module}").commands(app)


def _names(app: typer.Typer) -> set[str | None]:
    """Names of the commands and groups that are there."""
    commands = {
        each.name or each.callback.__name__ for each in app.registered_commands if each.callback
    }
    return commands | {group.name for group in app.registered_groups}


def _command_of(arguments: Sequence[str]) -> str | None:
    """The first word that is neither an option nor the home's directory."""
    words = iter(arguments)
    for word in words:
        if word == "--home":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None


def _load(app: typer.Typer, entry: object) -> None:
    """A plug-in whose extra is not installed is left out; its commands are then unknown."""
    try:
        add = entry.load()  # type: ignore[attr-defined]
    except ImportError:
        return
    add(app)


def _version(value: bool) -> None:  # noqa: FBT001 -- a flag's callback
    if value:
        typer.echo(f"cybervein {version('cybervein')}")
        raise typer.Exit


def _root(
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
    show_version: Annotated[  # noqa: ARG001, FBT002 -- a flag, handled by its callback
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Options that every command shares."""
    ctx.obj = Console(as_json=as_json)
    ctx.meta[HOME_KEY] = Home(home.expanduser().absolute()) if home else default_home()


def exit_code(error: CyberVeinError) -> int:
    """The process' exit code for an error."""
    return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), 1)


def main() -> None:
    """Run the command line; every expected error is one line on standard error."""
    try:
        app = build(sys.argv[1:])
        gc.freeze()  # what was imported stays: no collection needs to look at it again
        app()
    except CyberVeinError as error:
        _complain(error)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        _say_interrupted()
        sys.exit(_INTERRUPTED)
    except SystemExit as end:
        if end.code == _INTERRUPTED:  # Typer has turned Ctrl-C into this, silently
            _say_interrupted()
        raise
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)


def _say_interrupted() -> None:
    sys.stderr.write("interrupted; run the same command again to continue\n")


def _complain(error: CyberVeinError) -> None:
    line = " ".join(str(error).split())
    if "--json" in sys.argv:
        sys.stdout.write(json.dumps({"error": error.code, "message": line}) + "\n")
    sys.stderr.write(f"error: {line}\n")
