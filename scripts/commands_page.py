"""Writes docs/commands.md from the command tree itself, so that the page cannot lag behind.

`tests/docs` regenerates it and compares. Run: .venv/bin/python scripts/commands_page.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from cybervein_command.app import build

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
HEADER = """# Commands

Written by `scripts/commands_page.py` from the commands themselves. `cybervein --home DIR` (or
`CYBERVEIN_HOME`) names the wallet's directory, `cybervein --json` prints one JSON document.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 3 not enough funds, 4 somebody does not
answer, 5 a proof or bytes do not verify, 6 a disk refuses, 130 interrupted.
"""


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
    PAGE.write_text(page())
