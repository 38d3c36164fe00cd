"""Writes docs/commands.md from the command tree itself, so that the page cannot lag behind.

And the table `cybervein_command/listed.py` from pyproject.toml's entry points and the commands'
first lines, from which `cybervein --help` is shown without an import of any command.
`tests/docs` regenerates both and compares. Run: .venv/bin/python scripts/commands_page.py
"""

from __future__ import annotations

import importlib
import inspect
import json
import tomllib
from pathlib import Path
from typing import Any

import typer
from cybervein_command.app import build
from cybervein_command.listed import LISTED

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "commands.md"
TABLE = ROOT / "command" / "cybervein_command" / "listed.py"
LINE_CHARS_MAX = 101  # its end is one
TABLE_HEADER = '''"""Every command: where it is, and its line in `cybervein --help`.

Written by `scripts/commands_page.py` from pyproject.toml and the commands; do not edit.
"""

from typing import Final

LISTED: Final[dict[str, tuple[str, str]]] = {
'''
HEADER = """# Commands

Written by `scripts/commands_page.py` from the commands themselves. `cybervein --home DIR` (or
`CYBERVEIN_HOME`) names the wallet's directory, `cybervein --json` prints one JSON document,
`cybervein -v` tells each of the many that failed, `cybervein --debug` adds a traceback.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not enough funds, 4 somebody does not
answer, 5 a proof or bytes do not verify, 6 a disk refuses, 130 interrupted, 141 nobody reads the
output.
"""


def commands() -> dict[str, tuple[str, str]]:
    """Every command's place and first line."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    places = project["entry-points"]["cybervein.commands"]
    return {name: (target, first_line(target)) for name, target in places.items()}


def first_line(target: str) -> str:
    """The first paragraph of a command's help."""
    module, _, attribute = target.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    whole = command.info.help if isinstance(command, typer.Typer) else inspect.getdoc(command)
    return " ".join((whole or "").split("\n\n")[0].split())


def table() -> str:
    """The whole module `listed`."""
    return TABLE_HEADER + "".join(row(name, *cells) for name, cells in commands().items()) + "}\n"


def row(name: str, *cells: str) -> str:
    """A command's row, broken as the formatter breaks it."""
    head, quoted = f"    {json.dumps(name)}: (", [json.dumps(each) for each in cells]
    line = f"{head}{', '.join(quoted)}),\n"
    if len(line) <= LINE_CHARS_MAX:
        return line
    return f"{head}\n" + "".join(f"        {each},\n" for each in quoted) + "    ),\n"


def page() -> str:
    """The whole page."""
    return HEADER + "".join(sections(typer.main.get_command(build()), ()))


def sections(command: Any, path: tuple[str, ...]) -> list[str]:  # noqa: ANN401 -- click is untyped here
    """One section for each command below, in order of their names."""
    below = getattr(command, "commands", None)
    if below is None:
        return [section(command, path)]
    return [text for name in sorted(below) for text in sections(below[name], (*path, name))]


def section(command: Any, path: tuple[str, ...]) -> str:  # noqa: ANN401
    """A command's usage, purpose and flags."""
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    usage = " ".join(["cybervein", *path, *(p.name.upper() for p in arguments)])
    lines = [f"\n## `{usage}`\n", " ".join((command.help or "").split()), ""]
    if arguments or options:
        lines += ["| flag | meaning |", "| --- | --- |"]
    lines += [f"| `{p.name.upper()}` | {words(p)} |" for p in arguments]
    lines += [f"| {', '.join(f'`{flag}`' for flag in p.opts)} | {words(p)} |" for p in options]
    return "\n".join(lines).rstrip() + "\n"


def words(parameter: Any) -> str:  # noqa: ANN401
    """A parameter's help on one line."""
    return " ".join((getattr(parameter, "help", None) or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    LISTED.update(commands())  # the page of a new command needs its row
    TABLE.write_text(table())
    PAGE.write_text(page())
