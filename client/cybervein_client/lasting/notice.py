"""The notice of files that have ended: said when one more has, and once a day; not at each command.

What was told of is remembered in the catalogue, by file and end: one that is stored again and ends
again is news. Days are the network's.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import msgspec
from cybervein_protocol.errors import StorageError

from cybervein_client.catalogue import Catalogue
from cybervein_client.lasting.life import FileLife

_TOLD: Final = "told of ended files"
_DAY_SECONDS: Final = 86_400


class _Told(msgspec.Struct):
    """Which ends were told of last, `at` of the network's clock."""

    ends: list[str]
    at: float


def is_news(catalogue: Catalogue, expired: Sequence[FileLife]) -> bool:
    """Whether one of these ends was not told of yet, or not since a day."""
    if not expired:
        return False
    remembered = catalogue.fact(_TOLD)
    if remembered is None:
        return True
    told = msgspec.json.decode(remembered, type=_Told)
    passed = abs(expired[0].time.now - told.at)
    return passed >= _DAY_SECONDS or not set(_ends(expired)) <= set(told.ends)


def remember_told(catalogue: Catalogue, expired: Sequence[FileLife]) -> None:
    """They were told of now; a full disk is no reason to fail."""
    if not is_news(catalogue, expired):
        return
    told = _Told(_ends(expired), expired[0].time.now)
    with suppress(StorageError):
        catalogue.save_fact(_TOLD, msgspec.json.encode(told))


def _ends(expired: Sequence[FileLife]) -> list[str]:
    return sorted(f"{life.file.id} {life.expires}" for life in expired)
