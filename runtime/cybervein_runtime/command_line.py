"""A command as a process: it runs, and whatever ends it is told in one line, with the next step.

Results are on standard output. An error is a line on standard error; with `--json` it also is a
document, `{"error": code, "message": line}`, on standard output, unless something of a result or of
a file is there already: standard output holds one document, never two. Where much failed for one
reason or another, the line counts it; `details` of the document, and `-v`, tell each.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, NoReturn

from cybervein_protocol.errors import StorageError

from cybervein_runtime.complaint import ABORTED, INTERRUPTED, Complaint, complaint_of
from cybervein_runtime.streams import (
    OutputLostError,
    ReaderGoneError,
    abandon_output,
    finish_output,
    mend_streams,
    output_used,
)

_DEBUG_VARIABLE: Final = "CYBERVEIN_DEBUG"
_INTERRUPTED_LINE: Final = "interrupted; run the same command again to continue"
_READER_GONE: Final = 141  # 128 + SIGPIPE, as a shell has it


def carry_out(command: Callable[[], object], interrupted: str = _INTERRUPTED_LINE) -> NoReturn:
    """Run it and end the process; a number that it returns is the exit code.

    `interrupted` is what Ctrl-C leaves to say.
    """
    mend_streams()
    try:
        code = _code_of(command)
        finish_output()
    except BaseException as error:  # noqa: BLE001 -- the last place where it can be told
        code = _tell(error)
    if code == INTERRUPTED:
        sys.stderr.write(f"{interrupted}\n")
    sys.exit(code)


def _code_of(command: Callable[[], object]) -> int:
    """What it returns or exits with; an error that was made an exit is raised as what it was."""
    try:
        returned = command()
    except SystemExit as end:
        if isinstance(end.__context__, OSError):  # typer takes any broken pipe for the output's
            raise end.__context__ from None
        returned = end.code
    return returned if isinstance(returned, int) else int(returned is not None)


def _tell(error: BaseException) -> int:
    """Say what ended the command; its exit code."""
    if isinstance(error, OutputLostError | ReaderGoneError):
        abandon_output()
    elif (lost := _lost("")) is not None:
        error = lost
    if isinstance(error, ReaderGoneError):
        return _READER_GONE
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    complaint = complaint_of(error)
    line = complaint.line if complaint.foreseen else f"{complaint.line}; {_report(error)}"
    if _debug_wanted():
        _show_trace(error)
    if "--json" not in sys.argv:
        begin = "\n" if complaint.code == ABORTED else ""  # below the question
        sys.stderr.write(f"{complaint.page or f'{begin}error: {line}{_more(complaint)}'}\n")
        return complaint.exit_code
    if not output_used():
        document: dict[str, object] = {"error": complaint.code, "message": line}
        if complaint.details:
            document["details"] = complaint.details
        _lost(json.dumps(document) + "\n")
    sys.stderr.write(f"error: {line}\n")
    return complaint.exit_code


def _more(complaint: Complaint) -> str:
    """The details in lines below the error, or how to see them."""
    if not complaint.details:
        return ""
    if not {"-v", "--verbose"} & set(sys.argv):
        return "; `cybervein -v …` tells each"
    return "".join(f"\n  {each}" for each in complaint.details)


def _lost(text: str) -> Exception | None:
    """Write the text and all that is buffered; what kept them from it, if something did."""
    try:
        sys.stdout.write(text)
        finish_output()
    except (OutputLostError, ReaderGoneError) as lost:
        abandon_output()
        return lost
    return None


def _debug_wanted() -> bool:
    return "--debug" in sys.argv or os.environ.get(_DEBUG_VARIABLE, "") not in {"", "0"}


def _show_trace(error: BaseException) -> None:
    import traceback  # noqa: PLC0415 -- for few

    traceback.print_exception(error)


def _report(error: BaseException) -> str:
    """What to do about an error that nobody foresaw: the last one's traceback lies in a file."""
    import traceback  # noqa: PLC0415 -- for few

    from cybervein_runtime.files import write_atomic  # noqa: PLC0415

    advice = f"please report it; --debug (or {_DEBUG_VARIABLE}=1) shows the traceback"
    text = f"{' '.join(sys.argv)}\n{''.join(traceback.format_exception(error))}"
    try:
        state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
        path = state / "cybervein" / "last-error.log"
        write_atomic(path, text.encode(errors="backslashreplace"))
    except (StorageError, RuntimeError):  # nowhere to write, or nobody's home
        return advice
    return f"{advice}, and {path} has it"
