"""How long disks may be waited for: a proof that is whole too late counts as none."""

from typing import Final

from cybervein_protocol.api.super_node.network import NetworkDocument
from cybervein_protocol.presets import Preset

_READ_SHARE: Final = 0.8  # of the time to the deadline: the rest is for signing and sending
_READ_SECONDS_MIN: Final = 1.0


def reading_seconds(preset: Preset, view: NetworkDocument, since: float) -> float:
    """How long disks may be waited for, `since` seconds after the view was heard.

    An epoch whose deadline has passed already gets the least: the super node will say so.
    """
    deadline = view.epoch_ends - preset.epoch_seconds + preset.proof_deadline_seconds
    left = deadline - view.now - since
    return max(_READ_SECONDS_MIN, left * _READ_SHARE)
