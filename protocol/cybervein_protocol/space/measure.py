"""Measuring space: the ledger counts plots by their answers and believes no pledge.

Every plot has a uniform quality in [0, 2^64) each epoch, and a miner sends its m smallest. The m-th
smallest of N uniform values tells N: a KMV sketch (Bar-Yossef et al., RANDOM 2002; Beyer et al.,
SIGMOD 2007). The estimate (m-1) 2^64 / (x_m + 1) is unbiased, its relative standard deviation is
about 1/sqrt(m-2). A miner that withholds answers lowers it; one that lacks plots cannot raise it.
"""

from collections.abc import Sequence

from cybervein_protocol.errors import LimitError, MalformedError
from cybervein_protocol.space.challenges import QUALITY_LIMIT


def estimate_plots(xs_sorted: Sequence[int], m: int, registered: int) -> int:
    """N̂, the plots that one epoch's answers show, from the qualities in ascending order.

    It is the number sent if m or fewer plots are registered or fewer than m are sent, else
    floor((m-1) 2^64 / (x_m + 1)). It is not capped: `measured_space` caps after averaging, as
    capping each epoch would bias the mean downwards.
    """
    sent = len(xs_sorted)
    _check_answers(xs_sorted, m, registered)
    if registered <= m or sent < m:
        return sent
    return (m - 1) * QUALITY_LIMIT // (xs_sorted[m - 1] + 1)


def _check_answers(xs_sorted: Sequence[int], m: int, registered: int) -> None:
    """Raise unless there are at most min(m, registered) qualities, ascending, in range."""
    most = min(m, registered)
    if len(xs_sorted) > most:
        raise LimitError(f"space estimate: {len(xs_sorted)} answers, at most {most} count")
    if list(xs_sorted) != sorted(xs_sorted):
        raise MalformedError("space estimate: qualities are not ascending; sort them")
    if xs_sorted and not 0 <= xs_sorted[0] <= xs_sorted[-1] < QUALITY_LIMIT:
        raise MalformedError("space estimate: a quality is not in [0, 2^64)")


def measured_space(history: Sequence[int], window: int, registered: int, plot_bytes: int) -> int:
    """N_i in bytes: the mean of N̂ over the last `window` epochs, capped by what is registered.

    `history` has one N̂ per epoch, oldest first, 0 for a missed one. A miner younger than the window
    counts the epochs before its first as 0, so a lucky first estimate is worth one epoch's share.
    Integer rule: floor(sum * plot_bytes / window), so nothing below a byte is lost.
    """
    if window < 1:
        raise LimitError(f"measured space: window of {window} epochs, expected at least 1")
    mean = sum(history[-window:]) * plot_bytes // window
    return min(mean, registered * plot_bytes)
