"""What an I/O error says about its disk: the table of `cybervein_miner.disk.trouble`."""

import errno
from pathlib import Path

import pytest
from cybervein_miner.disk.trouble import IO_ERRORS_MAX, Diagnosis, judge, takes_a_write
from cybervein_protocol.api.disk_state import DiskState


@pytest.mark.parametrize(
    ("code", "before", "writes", "expected"),
    [
        (errno.ENOSPC, 0, False, Diagnosis(0, None)),
        (errno.EDQUOT, 2, False, Diagnosis(2, None)),
        (errno.EROFS, 1, False, Diagnosis(1, DiskState.READ_ONLY)),
        (errno.EIO, 0, True, Diagnosis(1, None)),
        (errno.EIO, 0, False, Diagnosis(1, DiskState.QUARANTINED)),
        (errno.EIO, IO_ERRORS_MAX - 1, True, Diagnosis(IO_ERRORS_MAX, DiskState.QUARANTINED)),
        (errno.ENODEV, 0, True, Diagnosis(1, DiskState.QUARANTINED)),
    ],
)
def test_an_error_costs_the_disk_what_it_says_of_it(
    code: int, before: int, *, writes: bool, expected: Diagnosis
) -> None:
    assert judge(OSError(code, "x"), before, lambda: writes) == expected


def test_a_disk_that_takes_a_write_keeps_nothing_of_it(tmp_path: Path) -> None:
    assert takes_a_write(tmp_path / "probe", b"key")
    assert not takes_a_write(tmp_path / "gone" / "probe", b"key")
    assert list(tmp_path.iterdir()) == []
