"""Money: exact between veins and coins, and nothing that could mean another amount is taken."""

import pytest
from cybervein_protocol.amounts import VEINS_MAX, coins, parse_coins
from cybervein_protocol.errors import CyberVeinError, LimitError, MalformedError
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("veins", "text"),
    [
        (0, "0"),
        (1, "0.000000001"),
        (10**9, "1"),
        (1_500_000_000, "1.5"),
        (1_234_567 * 10**9 + 10, "1,234,567.00000001"),
    ],
)
def test_an_amount_is_exact_in_coins(veins: int, text: str) -> None:
    assert coins(veins, 9) == text


@given(st.integers(1, VEINS_MAX), st.integers(1, 18))
def test_what_is_shown_can_be_typed_and_is_the_same_amount(veins: int, decimals: int) -> None:
    assert parse_coins(coins(veins, decimals).replace(",", ""), decimals) == veins


@given(st.text(max_size=24))
def test_any_text_is_an_amount_above_nothing_or_one_refusal(text: str) -> None:
    try:
        assert 0 < parse_coins(text, 9) <= VEINS_MAX
    except CyberVeinError as error:
        assert str(error).startswith("amount ")  # noqa: PT017 -- either outcome is right


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "nan", "inf", "1e3", "1,5", "1,500", "1_0", "1.", ".5", " 1", "1 ", "1.0.0"],
)
def test_what_is_no_plain_decimal_number_is_refused(text: str) -> None:
    with pytest.raises(MalformedError, match="expected coins such as"):
        parse_coins(text, 9)


def test_a_part_of_the_smallest_unit_nothing_and_too_much_are_refused() -> None:
    assert parse_coins("0.000000001", 9) == 1
    with pytest.raises(MalformedError, match="10 decimal places, a coin has 9"):
        parse_coins("0.0000000001", 9)
    with pytest.raises(MalformedError, match="more than 0"):
        parse_coins("0.000", 9)
    assert parse_coins("9223372036.854775807", 9) == VEINS_MAX
    with pytest.raises(LimitError, match=r"at most 9,223,372,036\.854775807 coins"):
        parse_coins("9223372036.854775808", 9)


def test_a_loss_has_its_sign() -> None:
    assert coins(-1_500_000_000, 9) == "-1.5"
