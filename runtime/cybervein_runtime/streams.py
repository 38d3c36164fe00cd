"""Standard streams that a command can rely on, whatever whoever started it has done to them.

A closed descriptor would be given to the next file that is opened, and Python's own object is None
then. Output that cannot be written is an error with a name; where nobody reads it any more the
command ends as `SIGPIPE` would end it; what standard error does not take is not told.
"""

import io
import os
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final, TextIO

from cybervein_protocol.errors import StorageError

from cybervein_runtime.reasons import system_reason

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_INPUT, _OUTPUT, _ERRORS = range(3)
_CLOSED: Final = {_INPUT: os.O_WRONLY, _OUTPUT: os.O_RDONLY, _ERRORS: os.O_WRONLY}
"""How /dev/null takes the place of a closed one: use of input and output then is an error."""


class OutputLostError(StorageError):
    """Standard output is closed, or its device or file takes nothing more."""


class ReaderGoneError(Exception):
    """Nobody reads standard output any more: no fault, and nothing to tell."""


class _Input(io.FileIO):
    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        """Read, or raise StorageError."""
        try:
            return super().readinto(buffer)
        except OSError as error:
            raise StorageError(
                f"standard input cannot be read ({system_reason(error)}); give it a file or a pipe"
            ) from error


class _Output(io.FileIO):
    used = False

    def write(self, data: "ReadableBuffer", /) -> int:
        """Write, or raise OutputLostError or ReaderGoneError."""
        try:
            done = super().write(data)
        except BrokenPipeError as error:
            raise ReaderGoneError from error
        except OSError as error:
            raise OutputLostError(
                f"standard output cannot be written ({system_reason(error)}): what is there is not "
                "whole; send it elsewhere and run it again"
            ) from error
        self.used = True
        return done


class _Errors(io.FileIO):
    def write(self, data: "ReadableBuffer", /) -> int:
        """Write if that can be done."""
        try:
            return super().write(data)
        except OSError:
            return memoryview(data).nbytes


def mend_streams() -> None:
    """Make the three streams usable; those that a test has put in their place stay."""
    for number, mode in _CLOSED.items():
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                _fill(number, mode)
    if sys.stdin is None:
        sys.stdin = _text(io.BufferedReader(_Input(_INPUT, "r", closefd=False)), sys.stdin)
    if sys.stdout is None or sys.stdout is sys.__stdout__:
        output = io.BufferedWriter(_Output(_OUTPUT, "w", closefd=False))
        sys.stdout = _text(output, sys.stdout, line_buffering=output.isatty())
    if sys.stderr is None or sys.stderr is sys.__stderr__:
        errors = io.BufferedWriter(_Errors(_ERRORS, "w", closefd=False))
        sys.stderr = _text(errors, sys.stderr, line_buffering=True)


def output_used() -> bool:
    """Whether this process has written something to standard output."""
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    return isinstance(raw, _Output) and raw.used


def finish_output() -> None:
    """Write what is buffered. Raises OutputLostError, ReaderGoneError."""
    sys.stdout.flush()


def abandon_output() -> None:
    """Let what is buffered go nowhere: the interpreter's own last flush then has no complaint."""
    with suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)


def _fill(number: int, mode: int) -> None:
    opened = os.open(os.devnull, mode)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)


def _text(
    buffer: "IO[bytes]",
    before: TextIO | None,
    *,
    line_buffering: bool = False,
) -> TextIO:
    """The text stream, in the encoding of the one before; a name of any bytes can be written."""
    encoding = "utf-8" if before is None else before.encoding
    return io.TextIOWrapper(
        buffer, encoding, errors="backslashreplace", line_buffering=line_buffering
    )
