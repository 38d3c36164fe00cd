"""The stages of `make test` in order, and what each is allowed to cost on two free cores.

A budget is what the stage took when it was set, a little more (ADR 63): growth is seen at once. It
is no limit: `make test` says what went over it and fails nothing. CONTRIBUTING.md has the same
table, held to this one by `tests/build`. `make stage-NAME` is the stage's command.

Standard library only: it is read before any environment exists.
"""

from __future__ import annotations

from dataclasses import dataclass

WARM_SECONDS = 45 * 60
COLD_SECONDS = 57 * 60


@dataclass(frozen=True)
class Stage:
    """Name, budget, and the groups of needs (needs.py) beside `build`."""

    name: str
    budget_seconds: int
    needs: tuple[str, ...] = ()

    @property
    def on_kubernetes(self) -> bool:
        """Whether it runs the programs that scripts/kubernetes/build.py builds."""
        return "kubernetes" in self.needs


STAGES = (
    Stage("lint", 45, ("lint",)),
    Stage("locks", 10),
    Stage("rust", 45, ("linking",)),
    Stage("unit", 520, ("metrics", "disks")),
    Stage("spec", 60),
    Stage("peers", 15, ("linking", "peers")),
    Stage("pages", 45, ("browser",)),
    Stage("e2e", 240),
    Stage("chaos", 180, ("disks",)),
    Stage("kubernetes", 340, ("kubernetes",)),
    Stage("scale", 420, ("kubernetes",)),
    Stage("node", 780, ("kubernetes", "node", "disks")),
)

COLD_SETUP = {"needs": 30, "environment": 90, "programs": 600}
"""Seconds of the set-up where nothing is there yet; a second or two where everything is."""


def chosen(names: list[str]) -> tuple[Stage, ...]:
    """The named stages in their own order, all of them if none is named. Raises ValueError."""
    known = {stage.name: stage for stage in STAGES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"no such stage: {' '.join(unknown)}; of: {' '.join(known)}")
    return tuple(stage for stage in STAGES if not names or stage.name in names)


def needs(stages: tuple[Stage, ...]) -> tuple[str, ...]:
    """The groups of needs of these stages, each once, `build` first."""
    return tuple(dict.fromkeys(("build", *(group for s in stages for group in s.needs))))
