"""How a put stores: by what name, for how long, under which code."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from cybervein_protocol.errors import LimitError, MalformedError
from cybervein_protocol.placement import Code
from cybervein_protocol.presets import Preset
from cybervein_runtime.durations import duration_text

from cybervein_client.upload.offer import Offer
from cybervein_client.upload.resuming import Note

NAME_CHARS_MAX: Final = 255


class Ended(Enum):
    """How many of the deals of a file of that name have ended already."""

    NONE = 0
    SOME = 1
    ALL = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOptions:
    """How to store: the name in the catalogue, for how long, the code (None: by live domains).

    `epochs` is None for what a put was begun with, or else the network's default. A file that
    has `ended` is stored again. `offered` is told the price before anything is paid; `epoch` is the
    network's when the put begins.
    """

    name: str
    epoch: int
    epochs: int | None = None
    code: Code | None = None
    note: Note = lambda _: None
    keep: bool = False
    ended: Ended = Ended.NONE
    offered: Callable[[Offer], None] = lambda _: None

    def check(self, preset: Preset) -> None:
        """Raise for what the ledger would void after a fee, and for names as `check_name` does."""
        most = preset.deal_epochs_max
        if self.epochs is not None and self.epochs > most:
            lasting = duration_text(most * preset.epoch_seconds)
            raise LimitError(
                f"{self.epochs} epochs are too long: at most {most} in this network, {lasting}; "
                "nothing was paid"
            )
        check_name(self.name)


def check_name(name: str) -> None:
    """Raise MalformedError for what nobody could type or read."""
    if not 1 <= len(name) <= NAME_CHARS_MAX or not name.isprintable():
        raise MalformedError(
            f"name {name[:80]!r}: expected 1 to {NAME_CHARS_MAX} printable characters"
        )
