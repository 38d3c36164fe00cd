"""What will end, and what the wallet will not be able to pay: known long before it happens."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cybervein_protocol.ledger.accounts.fees import storage_fee
from cybervein_protocol.names import Veins
from cybervein_protocol.presets import Preset

from cybervein_client.lasting.life import FileLife
from cybervein_client.ledger.fees import small_fees
from cybervein_client.lifetimes import Life, warn_epochs


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The first kept file whose next renewal the wallet cannot pay, and what is missing."""

    life: FileLife
    missing: Veins


@dataclass(frozen=True, slots=True)
class Outlook:
    """Files that have expired, those that end soon, and what the wallet cannot pay.

    A kept file counts as ending soon only when its renewal is late: nobody runs `keep`.
    """

    expired: list[FileLife] = field(default_factory=list)
    expiring: list[FileLife] = field(default_factory=list)
    shortfall: Shortfall | None = None

    def __bool__(self) -> bool:
        return bool(self.expired or self.expiring or self.shortfall)


def outlook(lives: Sequence[FileLife], balance: Veins | None, preset: Preset) -> Outlook:
    """What to warn of; `balance` is None where no file is kept, or nobody knows it."""
    return Outlook(
        expired=[life for life in lives if life.life is Life.EXPIRED],
        expiring=[life for life in lives if _ends_soon(life)],
        shortfall=None if balance is None else first_shortfall(lives, balance, preset),
    )


def first_shortfall(lives: Sequence[FileLife], balance: Veins, preset: Preset) -> Shortfall | None:
    """The next renewal of every kept file, in the order they come, against the balance."""
    due = sorted(
        (life.expires, life.file.name, life)
        for life in lives
        if _kept(life) and life.life is not Life.EXPIRED and life.expires is not None
    )
    left = balance
    for _, _, life in due:
        left = Veins(left - next_price(life, preset))
        if left < 0:
            return Shortfall(life, Veins(-left))
    return None


def next_price(life: FileLife, preset: Preset) -> Veins:
    """What the next renewal of a kept file takes, its fees included."""
    escrow = storage_fee(life.kib, life.file.keep_epochs, preset)
    return Veins(escrow + small_fees(len(life.deals), preset))


def due_in_epochs(life: FileLife) -> int:
    """Epochs until a kept file is renewed: as soon as it would be called expiring."""
    warn = warn_epochs(life.file.keep_epochs, life.time.epoch_seconds)
    return max(0, (life.expires or 0) - life.time.epoch - warn)


def _ends_soon(life: FileLife) -> bool:
    if not _kept(life) or life.expires is None:
        return life.life is Life.EXPIRING
    late = warn_epochs(life.file.keep_epochs, life.time.epoch_seconds) // 2
    return life.life is Life.EXPIRING and life.expires - life.time.epoch <= late


def _kept(life: FileLife) -> bool:
    return life.file.keep_epochs > 0
