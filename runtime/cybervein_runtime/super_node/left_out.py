"""What is said of a super node's rows that make no sense.

Apart from `pages`, as logging takes longer to import than many a command to run, and hardly ever is
anything said.
"""

import structlog

_log = structlog.get_logger()


def tell_left_out(errors: list[Exception]) -> None:
    """One line for all of them."""
    _log.warning("miners are left out", rows=len(errors), error=str(errors[0])[:400])
