"""How identifiers and records look to people."""

import pytest
from cybervein_runtime.console import Console, record, shortened
from rich.table import Table

PATH = "/mnt/" + "a-folder/" * 12 + "[red]disk"


def test_a_long_identifier_keeps_both_ends_and_a_short_one_everything() -> None:
    assert shortened("cv3NhBZf5uWcCQxTCXTJQCuMgpzpnVVJzW6FbPbwwQWgd5dNaBcz") == "cv3NhBZf5u…dNaBcz"
    assert shortened("short") == "short"


def test_a_record_is_read_at_80_columns_and_no_word_of_it_is_broken(
    capsys: pytest.CaptureFixture[str],
) -> None:
    reason = "the disk is away " * 12
    shown = record(PATH, "ready", "", f"why: {reason}")
    Console().emit({}, lambda: shown)
    assert capsys.readouterr().out == shown + "\n"
    head, state, *why = shown.splitlines()
    assert (head, state) == (PATH, "  ready")
    assert all(len(line) <= 80 for line in why)
    assert " ".join(why).split() == ["why:", *reason.split()]


def test_a_table_loses_no_column_on_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    table = Table("name", *("0123456789" for _ in range(5)), box=None)
    table.add_row("photo", *("9876543210" for _ in range(5)))
    Console().emit({}, lambda: table)
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == ["name", *["0123456789"] * 5]
    assert row.split() == ["photo", *["9876543210"] * 5]
