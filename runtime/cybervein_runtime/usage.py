"""A wrong value on the command line is wrong usage (exit code 2), whoever finds it.

The parser tells numbers and files; what the protocol reads (a code, a duration, an address) is told
in the same words and with the same exit code.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import typer
from cybervein_protocol.errors import LimitError, MalformedError, UnknownError


@contextmanager
def given(*options: str) -> Iterator[None]:
    """Around reading what was given for `options`: whatever is refused names them.

    What depends on a file, a machine or a network stays outside: the line is not at fault for it.
    """
    try:
        yield
    except (LimitError, MalformedError, UnknownError) as error:
        raise typer.BadParameter(str(error), param_hint=list(options) or None) from error
