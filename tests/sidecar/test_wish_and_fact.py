"""The sidecar shows what the ledger has, and where a miner wants it otherwise."""

from typing import Any

import pytest
from cybervein_miner.sidecar.metric import MINER
from cybervein_miner.sidecar.registry import METRICS

WISH = {"address": "cvA", "network": "n", "version": "1", "url": "u", "payout": "new"}
FACT = {"url": "u", "payout": "old", "group": "g", "owner": ""}


def read(name: str, document: dict[str, Any]) -> dict[tuple[str, ...], float]:
    [spec] = [each for each in METRICS if each.name == name]
    assert spec.source == MINER
    return dict(spec.read(document))


@pytest.mark.parametrize(
    ("ledger", "paid"), [({"ledger": FACT}, "old"), ({"ledger": None}, "new"), ({}, "new")]
)
def test_the_info_names_who_is_really_paid(ledger: dict[str, Any], paid: str) -> None:
    assert read("cybervein_miner_info", {**WISH, **ledger}) == {("cvA", "n", "1", paid): 1.0}


def test_each_field_that_the_ledger_has_otherwise_is_1() -> None:
    document = {**WISH, "group": "g", "owner": "", "ledger": FACT}
    expected = {("url",): 0.0, ("payout",): 1.0, ("group",): 0.0, ("owner",): 0.0}
    assert read("cybervein_ledger_differs", document) == expected
    assert read("cybervein_ledger_differs", {**WISH, "ledger": None}) == {}


@pytest.mark.parametrize(
    ("reach", "value"),
    [
        ({"reach": {"reached": True}}, {(): 1.0}),
        ({"reach": {"reached": False}}, {(): 0.0}),
        ({"reach": {"reached": None}}, {}),
        ({}, {}),
    ],
)
def test_a_miner_that_was_not_tried_yet_is_neither_reached_nor_not(
    reach: dict[str, Any], value: dict[tuple[str, ...], float]
) -> None:
    assert read("cybervein_miner_reachable", {**WISH, **reach}) == value
