"""What a unit says: one `Body` for each kind, in the room of its rule (docs/wire.md section 2).

Bounds that a preset sets (plots of a batch, segments of a deal) are checked by the state machine;
the bounds of the fields keep any body small enough to look at. Amounts are veins, sizes bytes.
"""

from typing import Annotated, ClassVar

import msgspec

from cybervein_protocol.encoding import Record
from cybervein_protocol.names import Veins

Url = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Label = Annotated[str, msgspec.Meta(max_length=64)]
VrfProof = Annotated[bytes, msgspec.Meta(min_length=80, max_length=80)]
PositiveAmount = Annotated[Veins, msgspec.Meta(ge=1, le=0x7FFF_FFFF_FFFF_FFFF)]
Positive = Annotated[int, msgspec.Meta(ge=1, le=0x7FFF_FFFF_FFFF_FFFF)]


class Body(Record):
    """Base of all bodies. `kind` is what the unit calls it; it is no field of the encoding."""

    kind: ClassVar[str]
