"""Counters since start, by name and label: the source of `/metrics` totals."""

from collections import Counter


class DutyTally:
    """Monotone counts; `add` on the event loop or under the GIL, read at each scrape."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, label: str = "", amount: int = 1) -> None:
        """Count something."""
        self._counts[(name, label)] += amount

    def of(self, name: str) -> dict[str, int]:
        """Counts of a name by label."""
        return {label: count for (found, label), count in self._counts.items() if found == name}
