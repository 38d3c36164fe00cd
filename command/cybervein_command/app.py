"""The root command: options that all commands share, errors as one line.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not enough funds, 4 somebody does not
answer, 5 a proof or bytes do not verify, 6 a disk refuses, 130 interrupted.
"""

import gc
import json
import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points, version
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
_ENTRY_POINTS: Final = "cybervein.commands"


def build(arguments: Sequence[str] = ()) -> typer.Typer:
    """The command tree: an entry point for each command, of this package and of the others.

    With the `arguments` of a run, only the module of its command is imported: a miner starts
    without the client, a sidecar without the miner.
    """
    app = typer.Typer(
        name="cybervein",
        help="Store files on a network of miners; mine with disk and bandwidth; run a network.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    if list(arguments) == ["--version"]:
        return app
    known = entry_points(group=_ENTRY_POINTS)
    wanted = known.select(name=_command_of(arguments))
    for entry in wanted or known:  # a word that is no command: say what is like it
        _add(app, entry)
    return app


def _command_of(arguments: Sequence[str]) -> str:
    """The first word that is neither an option nor the home's directory; empty if none is."""
    words = iter(arguments)
    for word in words:
        if word == "--home":
            next(words, None)
        elif not word.startswith("-"):
            return word
    return ""


def _add(app: typer.Typer, entry: EntryPoint) -> None:
    """A command whose extra is not installed is left out; it is then unknown."""
    try:
        command = entry.load()
    except ImportError:
        return
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=entry.name)
    else:
        app.command(entry.name)(command)


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
