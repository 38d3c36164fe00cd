"""A miner's disks, and what is asked of them."""

from typing import Annotated, Literal

import msgspec

from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.api.document import Count, Document


class RemainingWork(Document):
    """What still keeps a leaving disk; zeros for one that stays."""

    plots: Count
    shards: Count
    bytes: Count


class DiskDocument(Document):
    """One disk; `late` says how it keeps the miner waiting, and is "" while it answers in time.

    `no_room` is `full`, `no inodes` or `quota` where nothing more is taken for that reason. Trash
    is deleted shards that wait; it goes at once where space is short, but for what is stuck: it
    could not be removed. Files that could not be read, when all else could, are set aside.
    """

    id: str
    path: str
    state: DiskState
    reason: str
    leaving: bool
    placeable: bool
    io_errors: Count
    capacity_bytes: Count
    free_bytes: Count
    floor_bytes: Count
    available_bytes: Count
    plots: Count
    plot_bytes: Count
    shards: Count
    shard_bytes: Count
    shards_bad: Count
    remaining: RemainingWork
    late: str = ""
    no_room: str = ""
    trash: Count = 0
    trash_bytes: Count = 0
    files_set_aside: Count = 0
    trash_stuck: Count = 0
    trash_stuck_bytes: Count = 0


class RemovedDocument(DiskDocument, kw_only=True):
    """Answer to `DELETE /v1/disks/{id}`: the disk, and whether nothing keeps it."""

    gone: bool


class WipedDocument(Document):
    """Answer to a wipe."""

    v: Literal[1]
    id: str
    path: str
    files: Count
    bytes: Count


class DiskBody(Document, forbid_unknown_fields=True, omit_defaults=True):
    """Body of `POST /v1/disks`: an absolute path.

    `as_new` has an empty one claimed although plots of this miner are on no disk that is here.
    """

    path: Annotated[str, msgspec.Meta(max_length=4096, pattern="^/[^\\x00]*$")]
    as_new: bool = False


class WipeBody(Document, forbid_unknown_fields=True):
    """Body of `POST /v1/disks/{id}/wipe`; `confirm` is the disk's id once more."""

    v: Literal[1]
    confirm: Annotated[str, msgspec.Meta(max_length=64)]
