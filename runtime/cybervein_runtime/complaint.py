"""What an exception means to who typed the command: one line, a code and an exit code. Pure.

Exit codes: 1 refused or failed, 2 wrong usage, 3 not enough funds, 4 somebody does not answer,
5 a proof or bytes do not verify, 6 a disk refuses, 130 interrupted, 141 nobody reads the output.
"""

import os
from dataclasses import dataclass
from typing import Any, Final

from cybervein_protocol.errors import (
    CyberVeinError,
    FundsError,
    ProofError,
    SignatureError,
    StorageError,
    UnavailableError,
)

from cybervein_runtime.reasons import next_step, peer_reason, refused_file, system_reason

ABORTED: Final = "aborted"
USAGE: Final = 2
INTERRUPTED: Final = 130
_EXIT_CODES: Final[tuple[tuple[type[CyberVeinError], int], ...]] = (
    (FundsError, 3),
    (UnavailableError, 4),
    (ProofError, 5),
    (SignatureError, 5),
    (StorageError, 6),
)
_AWAY: Final = "is the other side running, and this machine online?"


@dataclass(frozen=True, slots=True)
class Complaint:
    """An error as a command tells it; `foreseen` is false for one that nobody thought of.

    `page` is what a person wants to read instead: the help, where a command was left out.
    `details` are lines for those who want to know more: who of many failed, and how.
    """

    code: str
    line: str
    exit_code: int
    foreseen: bool = True
    page: str = ""
    details: tuple[str, ...] = ()


def complaint_of(error: BaseException) -> Complaint:
    """The line for any exception; of several that failed together, for the first."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, CyberVeinError):
        details = tuple(one_line(note) for note in getattr(error, "__notes__", ()))
        return Complaint(error.code, one_line(str(error)), exit_code(error), details=details)
    return (
        _of_connection(error)
        or _of_machine(error)
        or _of_usage(error)
        or Complaint("unforeseen", _unforeseen(error), 1, foreseen=False)
    )


def exit_code(error: CyberVeinError) -> int:
    """The process' exit code for an error of ours."""
    return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), 1)


def one_line(text: str) -> str:
    """The text with every break and run of blanks as one blank, and names of any bytes shown."""
    whole = " ".join(text.split())
    try:
        return whole.encode(errors="surrogateescape").decode(errors="backslashreplace")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        return whole.encode(errors="backslashreplace").decode()


def _of_connection(error: BaseException) -> Complaint | None:
    """Nobody answers."""
    library = type(error).__module__.partition(".")[0]
    if not isinstance(error, ConnectionError | TimeoutError) and library != "aiohttp":
        return None
    return Complaint("unavailable", f"no connection ({peer_reason(error)}); {_AWAY}", 4)


def _of_machine(error: BaseException) -> Complaint | None:
    """Files, memory and databases of this machine."""
    if isinstance(error, OSError):
        line = _of_system(error)
    elif isinstance(error, MemoryError):
        line = "not enough memory; end other programs and run it again"
    elif type(error).__module__ == "sqlite3":
        line = f"a database cannot be used ({error}); check its disk, or restore it from a backup"
    elif isinstance(error, UnicodeEncodeError):
        name = error.object[:200]
        line = f"{name} is not a name in UTF-8; rename it, or give another one with --name"
    else:
        return None
    return Complaint("storage", one_line(line), 6)


def _of_system(error: OSError) -> str:
    """What the operating system refused, where, and what to do."""
    where = ": ".join(_text(name) for name in (error.filename, error.filename2) if name)
    return refused_file(where, error) if where else f"{system_reason(error)}; {next_step(error)}"


def _text(name: object) -> str:
    return os.fsdecode(name) if isinstance(name, bytes) else str(name)


def _of_usage(error: BaseException) -> Complaint | None:
    """What the parser of the command line raises, known by its shape: no import of it here."""
    told: Any = error
    if not hasattr(error, "format_message"):
        if type(error).__name__ == "Abort":
            line = "not confirmed, so nothing was done; where nobody can be asked, give --yes"
            return Complaint(ABORTED, line, 1)
        return None
    context = getattr(error, "ctx", None)
    message = one_line(told.format_message()).rstrip(".")
    if context is None:
        return Complaint("usage", message, USAGE)
    page = context.get_help()
    if told.format_message() != page:
        page = ""
    else:
        message = "no command is named"
    line = f"{message}; see `{context.command_path} --help`"
    return Complaint("usage", line, USAGE, page=page)


def _unforeseen(error: BaseException) -> str:
    """Kind, text and place, which is what a report of it needs first."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = ""
    if trace is not None:
        file = trace.tb_frame.f_code.co_filename
        place = f" at {'/'.join(file.split('/')[-2:])}:{trace.tb_lineno}"
    return f"unforeseen {type(error).__name__}{place}: {one_line(str(error))[:500]}"
