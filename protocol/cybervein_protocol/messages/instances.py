"""A process of a miner names itself to a super node, where another may run under the same key."""

from typing import Annotated, Final

import msgspec

from cybervein_protocol.encoding import Record
from cybervein_protocol.messages.fields import Version

INSTANCE_CHARS_MAX: Final = 32
INSTANCE_NOTICE_BYTES_MAX: Final = 256


class InstanceNotice(Record):
    """Body of `POST /v1/miners/{address}/instance`: who signs it runs, and calls itself so."""

    v: Version
    instance: Annotated[str, msgspec.Meta(min_length=1, max_length=INSTANCE_CHARS_MAX)]
