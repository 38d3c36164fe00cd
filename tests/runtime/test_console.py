"""How amounts and identifiers look to people."""

import pytest
from cybervein_runtime.console import coins, shortened


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


def test_a_long_identifier_keeps_both_ends_and_a_short_one_everything() -> None:
    assert shortened("cv3NhBZf5uWcCQxTCXTJQCuMgpzpnVVJzW6FbPbwwQWgd5dNaBcz") == "cv3NhBZf5u…dNaBcz"
    assert shortened("short") == "short"
