"""What is asked of a claim, and what is said of it: a refusal never stops, and nothing shrinks."""

from typing import Any

import msgspec
import pytest
from cybervein_operator.judgement.claims import ClaimSeen, claim_trouble, to_ask
from cybervein_operator.judgement.miner import Trouble, worst
from cybervein_operator.observed.facts import FAILED, GROWS, WAITS_FOR_POD, ClaimFacts

BOUND = ClaimFacts("Bound", "fast", "cv1", "", requested="2Gi", holds="2Gi", volume="pvc-1")


def claim(wish: str, *, seen: dict[str, Any] | None = None, **facts: str) -> ClaimSeen:
    return ClaimSeen(
        name="home-0-a",
        pod="home-0-0",
        wish=wish,
        facts=msgspec.structs.replace(BOUND, **facts),
        **(seen or {}),
    )


FIXED = {"expandable": False}
DENIED = {"refusal": "not today"}
PENDING = {"phase": "Pending", "holds": "", "volume": ""}
CASES = {
    "as it is": (claim("2Gi"), "2Gi", ""),
    "the same in another unit": (claim("2048Mi"), "2048Mi", ""),
    "a larger volume than it asks for": (claim("2Gi", holds="9Gi"), "2Gi", ""),
    "growth of which nobody knows": (claim("3Gi"), "3Gi", "ClaimCannotGrow"),
    "growth on a class that cannot": (claim("3Gi", seen=FIXED), "2Gi", "ClaimCannotGrow"),
    "growth that was refused": (claim("3Gi", seen=DENIED), "2Gi", "ClaimCannotGrow"),
    "growth that the volume has already": (claim("3Gi", holds="4Gi"), "2Gi", ""),
    "growth before it is bound": (claim("3Gi", **PENDING), "2Gi", "ClaimGrows"),
    "growth under way": (claim("4Gi", requested="4Gi"), "4Gi", "ClaimGrows"),
    "growth that waits for its pod": (
        claim("4Gi", requested="4Gi", growth=WAITS_FOR_POD),
        "4Gi",
        "ClaimGrows",
    ),
    "growth that failed": (claim("4Gi", requested="4Gi", growth=FAILED), "4Gi", "ClaimCannotGrow"),
    "back from one that failed": (claim("2Gi", requested="4Gi", growth=FAILED), "4Gi", ""),
    "back above what it has": (claim("3Gi", requested="4Gi", growth=GROWS), "3Gi", "ClaimGrows"),
    "less than it has": (claim("1Gi"), "2Gi", "ClaimLarger"),
    "less than it has, refused": (claim("1Gi", seen=DENIED), "2Gi", "ClaimLarger"),
    "less before it is bound": (claim("1Gi", **PENDING), "2Gi", "ClaimLarger"),
    "growth of one that goes": (claim("3Gi", seen={"deleting": True}), "2Gi", "ClaimTerminating"),
}


@pytest.mark.parametrize(("seen", "asked", "reason"), CASES.values(), ids=CASES)
def test_what_is_asked_and_said(seen: ClaimSeen, asked: str, reason: str) -> None:
    trouble = claim_trouble(seen)
    assert to_ask(seen) == asked
    assert (trouble.reason if trouble else "") == reason
    assert trouble is None or (trouble.spares and not trouble.blocks)


def test_a_refusal_names_what_it_has_what_was_asked_and_the_way_back() -> None:
    for seen, why in ((FIXED, "storage class fast has no allowVolumeExpansion"), (DENIED, "not")):
        said = claim_trouble(claim("3Gi", seen=seen))
        assert said is not None
        assert said.message.startswith(f"claim home-0-a has 2Gi, the spec asks for 3Gi: {why}")
        assert "set the size back to 2Gi" in said.message


def test_a_claim_that_goes_names_its_volume_and_holds_the_pod() -> None:
    said = claim_trouble(claim("2Gi", seen={"deleting": True}))
    assert said is not None
    assert "kubectl patch pv pvc-1" in said.message
    assert "Retain" in said.message
    assert said.holds
    empty = claim_trouble(claim("2Gi", seen={"deleting": True}, **PENDING))
    assert empty is not None
    assert not empty.holds


def test_of_several_the_worst_is_told_with_all_of_its_kind() -> None:
    grows = Trouble("ClaimGrows", "it grows", blocks=False, spares=True, passes=True)
    larger = Trouble("ClaimLarger", "too large", blocks=False, spares=True, holds=True)
    refused = Trouble("Refused", "no Service", blocks=False, spares=True)
    lost = Trouble("IdentityLost", "gone")
    assert worst([]) is None
    assert worst([None, grows]) == grows
    both = worst([grows, larger, refused])
    assert both is not None
    assert (both.reason, both.message) == ("ClaimLarger", "too large; no Service")
    last = worst([larger, lost])
    assert last is not None
    assert (last.reason, last.message, last.holds) == ("IdentityLost", "gone", True)
