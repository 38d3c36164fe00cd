"""A miner asks to be relieved of some shards, for instance because one of its disks goes."""

from typing import Annotated, Final

import msgspec

from cybervein_protocol.encoding import Bytes32, Record
from cybervein_protocol.messages.fields import Version

RELEASE_SHARDS_MAX: Final = 1024
RELEASE_REQUEST_BYTES_MAX: Final = 64 * 1024


class ReleaseRequest(Record):
    """Body of `POST /v1/miners/{address}/release`: these roots instead of any named before."""

    v: Version
    shards: Annotated[list[Bytes32], msgspec.Meta(max_length=RELEASE_SHARDS_MAX)]
