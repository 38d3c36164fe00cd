"""No encoder, parser or state transition goes without a Hypothesis test.

Public functions that read bytes, text or files, or that write what they read, are discovered by
introspection; what changes state is listed below. Each must be reached by a property, see
`hypothesis_coverage`. Records are discovered too, and each is drawn and damaged in
tests/hostile/test_every_record.py.
"""

import re

import pytest
from discovery import public_functions
from hypothesis_coverage import everything_exercised

READS = re.compile(r"(parse|decode|load|read|encode|verify)(_|$)|\w+_(from|of)_(header|bytes)$")

INSIDE = {
    "cybervein_protocol.tree.slices.verify_slice": "cybervein_protocol.tree.verify_slice",
    "cybervein_protocol.coding.segment.encode": "cybervein_protocol.coding.encode_segment",
    "cybervein_protocol.coding.segment.decode": "cybervein_protocol.coding.decode_stripes",
    "cybervein_protocol.coding.reed_solomon.encode": "cybervein_protocol.coding.rs_encode",
    "cybervein_protocol.coding.reed_solomon.decode": "cybervein_protocol.coding.rs_decode",
}
"""The specification behind a public function: its properties run with native code off, too."""

NO_READERS = {
    "cybervein_supernode.cli.verify": "a command; calls verify_export and verify_data",
    "cybervein_supernode.engine.replaying.verify_data": "replays rows of our own database",
}

READERS = {
    name: value for name, value in public_functions().items() if READS.match(name.split(".")[-1])
}


@pytest.fixture(scope="module")
def exercised() -> set[int]:
    return everything_exercised()


def test_exemptions_are_of_functions_that_exist() -> None:
    assert READERS.keys() >= {*INSIDE, *NO_READERS}
    assert set(INSIDE.values()) <= public_functions().keys()


@pytest.mark.parametrize("name", sorted(READERS.keys() - NO_READERS.keys()))
def test_reader_has_a_property(name: str, exercised: set[int]) -> None:
    reader = public_functions()[INSIDE.get(name, name)]
    assert id(reader) in exercised, f"no property names {name}: write one in tests/hostile"
