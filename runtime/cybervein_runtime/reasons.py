"""Why the system, or a peer, refused: words that a person can act on, never a class's name. Pure.

Libraries are known by the names of their exceptions, as few processes import all of them.
"""

import errno
import os
from typing import Final

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
"""A place that takes nothing more: a full device, and a quota that is used up."""
_NEXT: Final = {
    errno.ENOSPC: "free some space there, and run it again",
    errno.EDQUOT: "the quota is used up: free some space there, and run it again",
    errno.EROFS: "name a place that can be written",
    errno.EACCES: "change its permissions or run as its owner",
    errno.EPERM: "change its permissions or run as its owner",
    errno.ENOENT: "name one that exists",
    errno.ENOTDIR: "a part of this path is a file, not a directory",
    errno.EISDIR: "name a file, not a directory",
    errno.EEXIST: "move it away, or name another",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "raise the system's limit of open files",
    errno.EIO: "the disk or its connection is failing: look at the system's log",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ELOOP: "its links lead in a circle: name the file itself",
    errno.EBADF: "give it a file, a terminal or a pipe",
}
_PEERS: Final = (
    (("Timeout",), "no answer in time"),
    (("Disconnected",), "it closed the connection"),
    (("Payload", "IncompleteRead"), "its answer broke off"),
    (("InvalidURL", "InvalidUrl", "NonHttpUrl"), "that is no URL of http or https"),
    (("ResponseError", "BadStatusLine", "HTTPException"), "it does not speak HTTP"),
)
"""Parts of an exception's name, and what it means; the first that fits is told."""


def system_reason(error: OSError) -> str:
    """What the system calls it; the texts of asyncio name calls of its own instead."""
    if error.errno == errno.EBADF:
        return "it is closed"
    if (error.errno or 0) > 0:
        return os.strerror(error.errno or 0)
    return error.strerror or str(error) or type(error).__name__


def next_step(error: OSError) -> str:
    """What to do about it."""
    return _NEXT.get(error.errno or 0, "look at the disk and the system's log")


def refused_file(what: str, error: OSError) -> str:
    """The line for a file: `what` could not be done, why, and what to do."""
    return f"{what}: {system_reason(error)}; {next_step(error)}"


def peer_reason(error: BaseException) -> str:
    """Why a peer's answer did not come, of any exception of a connection."""
    inner = getattr(error, "os_error", error)
    if type(inner).__module__ == "ssl":
        return _of_tls(inner)
    names = " ".join(kind.__name__ for kind in type(error).__mro__)
    number = getattr(inner, "errno", None) or 0
    if isinstance(inner, OSError) and number and "Timeout" not in names:
        return system_reason(inner)
    found = (words for parts, words in _PEERS if any(part in names for part in parts))
    return next(found, "the connection failed")


def _of_tls(error: BaseException) -> str:
    reason = str(getattr(error, "reason", None) or error)
    if reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"}:
        return "it does not speak TLS; is its URL one of http, not https?"
    return f"TLS: {reason.replace('_', ' ').lower()}"
