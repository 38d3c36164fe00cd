"""Who is paid: the account that was asked for last, until another one is asked for.

A start without `--payout` changes nothing: forgetting an option would pay coins to a hot key. What
was asked for is kept in the data directory. Where nothing is (an earlier release, another machine),
the account that the ledger has stays, and a miner that it does not know is paid at its own.
"""

from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog
from cybervein_protocol.errors import CyberVeinError, MalformedError
from cybervein_protocol.names import PublicKey
from cybervein_protocol.signing import address, parse_address
from cybervein_runtime.files import read_limited, write_atomic

from cybervein_miner.node.settings import Settings

_ADDRESS_BYTES_MAX: Final = 256
_log = structlog.get_logger()


def asked_payout(settings: Settings, own: PublicKey) -> PublicKey | None:
    """The account asked for now or at an earlier start; None if none ever was."""
    asked = own if settings.own_payout else settings.payout
    if asked is None:
        return _told(_kept(settings.payout_file), own)
    with suppress(CyberVeinError):  # a damaged file is mended by asking
        before = _kept(settings.payout_file)
        if before == asked:
            return asked
        if before is not None:
            _log.warning("payout is changed", before=address(before), now=address(asked))
    write_atomic(settings.payout_file, f"{address(asked)}\n".encode(), mode=0o644)
    return asked


def _told(kept: PublicKey | None, own: PublicKey) -> PublicKey | None:
    if kept is not None and kept != own:
        _log.info(
            "payout stays as it was asked for",
            payout=address(kept),
            change="--payout ADDRESS, or --own-payout for this miner's own account",
        )
    return kept


def _kept(file: Path) -> PublicKey | None:
    if not file.exists():
        return None
    text = read_limited(file, _ADDRESS_BYTES_MAX).decode(errors="replace").strip()
    try:
        return parse_address(text)
    except MalformedError as error:
        raise MalformedError(f"{file}: {error}; start once with --payout ADDRESS") from error
