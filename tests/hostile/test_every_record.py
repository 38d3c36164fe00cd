"""Every Record that exists survives its encoding, in both codes, and nothing else decodes to it.

Records are discovered and their values drawn from their annotations, so a new one is tested as soon
as it is written.
"""

from contextlib import suppress

import pytest
from codes import mode
from cybervein_protocol.encoding import Record, decode, encode, from_map, to_map
from cybervein_protocol.errors import CyberVeinError
from discovery import records_of_ours
from hypothesis import given, settings
from hypothesis import strategies as st
from record_strategies import NODES, records

KINDS = records_of_ours()
MAX = 1 << 24
few = settings(max_examples=25, deadline=None)


def test_records_were_found() -> None:
    assert len(KINDS) > len(list(MAIN_KINDS))
    assert {kind.__name__ for kind in KINDS.values()} >= MAIN_KINDS


MAIN_KINDS = {"Unit", "Block", "Genesis", "Order", "SpaceProof", "Marker", "FileNode", "Preset"}


@pytest.mark.parametrize("name", sorted(KINDS))
@few
@given(data=st.data())
def test_record_comes_back_equal_in_both_codes(name: str, data: st.DataObject) -> None:
    record: Record = data.draw(records(KINDS[name]))
    with mode("off"):
        encoded = encode(record)
        assert decode(encoded, KINDS[name], name, MAX) == record
    with mode("require"):
        assert encode(record) == encoded
        assert decode(encoded, KINDS[name], name, MAX) == record


@pytest.mark.parametrize("name", sorted(KINDS))
@few
@given(data=st.data())
def test_damaged_record_is_refused_or_another(name: str, data: st.DataObject) -> None:
    encoded = bytearray(encode(data.draw(records(KINDS[name]))))
    at = data.draw(st.integers(0, len(encoded) - 1))
    if data.draw(st.booleans()):
        encoded[at] ^= data.draw(st.integers(1, 255))
    else:
        del encoded[at]
    with suppress(CyberVeinError):
        assert encode(decode(bytes(encoded), KINDS[name], name, MAX)) == bytes(encoded)


@pytest.mark.parametrize("name", sorted(KINDS))
@few
@given(node=NODES, data=st.data())
def test_any_node_in_any_field_is_refused_or_kept(
    name: str, node: object, data: st.DataObject
) -> None:
    fields = to_map(data.draw(records(KINDS[name])))
    fields[data.draw(st.sampled_from([*sorted(fields), "more"]))] = node
    with suppress(CyberVeinError):
        assert to_map(from_map(fields, KINDS[name], name)) == fields
