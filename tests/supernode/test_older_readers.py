"""Clients and miners of 0.2.0 go on working at a super node of today."""

from typing import Literal

import msgspec
import pytest
from cybervein_protocol.api.document import Document
from cybervein_protocol.ledger.state.rows import DealRow
from cybervein_supernode.api.deal_views import deal_document

State = Literal["open", "active", "ended"]


class DealOfOldReaders(Document):
    """What a miner looks at before it lets shards go, and a put before it continues."""

    state: State
    health: Literal["good", "degraded"]


def deal_row(state: State, *, lost: int) -> DealRow:
    numbers = dict.fromkeys(DealRow.__struct_fields__, 1)
    return msgspec.convert(numbers | {"owner": bytes(32), "state": state, "lost": lost}, DealRow)


@pytest.mark.parametrize(
    ("state", "lost", "health", "standing"),
    [
        ("open", 0, "good", "none"),
        ("active", 0, "good", "good"),
        ("active", 1, "degraded", "degraded"),
        ("ended", 1, "good", "none"),
    ],
)
def test_a_deal_in_any_state_is_read_by_0_2_0(
    state: State, lost: int, health: str, standing: str
) -> None:
    document = deal_document(bytes(32), deal_row(state, lost=lost), 1)
    read = msgspec.json.decode(msgspec.json.encode(document), type=DealOfOldReaders)
    assert (read.state, read.health, document.standing) == (state, health, standing)
