"""The timeline of one epoch: beacon known, proof deadline, end (docs/wire.md section 7).

An epoch begins when `epoch.close` of its predecessor is executed, not at an hour of the wall
clock. So while the super node is down no epoch passes: nobody is charged for proofs that could not
be delivered. After a restart the part of the epoch that was interrupted begins again: the proof
window where `space.result` was not issued yet, else the rest after the deadline. Proofs accepted
before the crash are on disk and need not be sent again.
"""

from dataclasses import dataclass

from cybervein_protocol.presets import Preset


@dataclass(frozen=True, slots=True)
class Timeline:
    """Moments of an epoch, in monotonic seconds."""

    epoch: int
    began: float
    deadline: float
    ends: float

    def open_for_proofs(self, now: float) -> bool:
        """Whether a space proof that arrives now is in time."""
        return now < self.deadline


def begin(preset: Preset, epoch: int, now: float) -> Timeline:
    """The timeline of an epoch whose beacon became known now."""
    return Timeline(
        epoch, now, now + preset.proof_deadline_seconds, now + float(preset.epoch_seconds)
    )


def resume(preset: Preset, epoch: int, now: float, *, results_issued: bool) -> Timeline:
    """The timeline of an epoch that a restart interrupted (see the module's words)."""
    if not results_issued:
        return begin(preset, epoch, now)
    began = now - preset.proof_deadline_seconds
    return begin(preset, epoch, began)
