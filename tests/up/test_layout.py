"""The data directory of `up`: one owner at a time, addresses that stay."""

from pathlib import Path

import pytest
from cybervein_protocol.errors import ConflictError
from cybervein_up.layout import Layout


def test_a_second_up_on_the_same_directory_is_refused_with_the_way_out(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "net")
    with (
        layout.lock(),
        pytest.raises(ConflictError, match=r"another `cybervein up` is running.*stop it or choose"),
        Layout(tmp_path / "net").lock(),
    ):
        pass
    with layout.lock():
        pass


def test_ports_are_remembered_and_a_damaged_file_is_as_none(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    assert layout.ports() == {}
    layout.save_ports({"supernode": 8000, "miner-1": 8001})
    assert layout.ports() == {"supernode": 8000, "miner-1": 8001}
    for damaged in ("", "[]", '{"supernode": "x"}', "\x00"):
        (tmp_path / "ports.json").write_text(damaged)
        assert layout.ports() == {}
