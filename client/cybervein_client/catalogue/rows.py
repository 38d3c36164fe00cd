"""Rows of the catalogue as frozen values."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cybervein_protocol.messages import SegmentEntry, ShardEntry


class FileState(StrEnum):
    """Where a file stands."""

    UPLOADING = "uploading"
    STORED = "stored"
    REMOVING = "removing"

    @property
    def shown(self) -> str:
        """The word for people: nobody may be uploading any more."""
        return "unfinished" if self is FileState.UPLOADING else self.value

    def next_step(self, name: str) -> str:
        """What its owner can do; empty if nothing is to be done."""
        if self is FileState.UPLOADING:
            return f"run its put again to continue it, or `cybervein rm {name}` to give it up"
        return f"finish that with `cybervein rm {name}`" if self is FileState.REMOVING else ""


class DealState(StrEnum):
    """Where a deal stands. `opening` and `committing` have a signed unit that may be in a block.

    `closed` was by this catalogue's wish, `ended` is what the ledger said.
    """

    OPENING = "opening"
    OPEN = "open"
    COMMITTING = "committing"
    ACTIVE = "active"
    CLOSED = "closed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file: sizes in bytes, times in unix seconds (mtime in ns); `size` None while unknown.

    `keep_epochs`: what each renewal of a kept file adds, 0 for a file that is left to end.
    """

    id: str
    name: str
    source: str
    size: int | None
    mtime_ns: int | None
    file_key: bytes = field(repr=False)
    k: int
    n: int
    epochs: int
    state: FileState
    cid: str | None
    created: int
    keep_epochs: int = 0


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What tells a source file from another one, and from itself after a change.

    Size in bytes, times in ns. The ctime cannot be set by programs, as the mtime can.
    """

    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int


@dataclass(frozen=True, slots=True)
class CatalogueDeal:
    """One deal of a file: segments `first` to `first + segments - 1`; units as signed bytes."""

    file: str
    ordinal: int
    first: int
    segments: int
    cid: str
    open_unit: bytes
    commit_unit: bytes | None
    escrow: int
    state: DealState


@dataclass(frozen=True, slots=True)
class DealEnd:
    """When a deal ends (its `expires` epoch begins) and the KiB it is paid for.

    Both are the ledger's, None until it was asked.
    """

    file: str
    ordinal: int
    cid: str
    state: DealState
    expires: int | None
    kib: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """One segment: `shards` is empty until every shard of it has a receipt."""

    file: str
    number: int
    salt: bytes
    size: int
    chunks: int
    last: bool
    shards: "tuple[ShardEntry, ...]"

    def entry(self) -> "SegmentEntry":
        """The segment as `deal.commit` and `verify` carry it."""
        from cybervein_protocol.messages import SegmentEntry  # noqa: PLC0415 -- `ls` shows none

        return SegmentEntry(
            salt=self.salt, size=self.size, chunks=self.chunks, shards=list(self.shards)
        )
