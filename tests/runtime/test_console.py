"""How identifiers look to people."""

from cybervein_runtime.console import shortened


def test_a_long_identifier_keeps_both_ends_and_a_short_one_everything() -> None:
    assert shortened("cv3NhBZf5uWcCQxTCXTJQCuMgpzpnVVJzW6FbPbwwQWgd5dNaBcz") == "cv3NhBZf5u…dNaBcz"
    assert shortened("short") == "short"
