"""The stages of `make test` in order, and what each is allowed to cost on two free cores.

A budget is no limit: `make test` says what went over it and fails nothing. CONTRIBUTING.md has the
same table, held to this one by `tests/build`. `make stage-NAME` is the stage's command. What stages
take today, and why that is more, is in ADR 63.

Standard library only: it is read before any environment exists.
"""

from __future__ import annotations

from dataclasses import dataclass

WARM_SECONDS = 30 * 60
COLD_SECONDS = 42 * 60


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
    Stage("lint", 60, ("lint",)),
    Stage("locks", 10),
    Stage("rust", 60, ("linking",)),
    Stage("unit", 300, ("metrics", "disks")),
    Stage("spec", 60),
    Stage("peers", 15, ("linking", "peers")),
    Stage("pages", 40, ("browser",)),
    Stage("e2e", 110),
    Stage("chaos", 240, ("disks",)),
    Stage("kubernetes", 300, ("kubernetes",)),
    Stage("scale", 240, ("kubernetes",)),
    Stage("node", 360, ("kubernetes", "node", "disks")),
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
