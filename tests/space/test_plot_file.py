"""Plot files on real disks: whole or not there, announced, cancellable, byte for byte the same."""

import resource
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import cybervein_native
import pytest
from blake3 import blake3
from cybervein_protocol.space import Plot
from cybervein_protocol.tree import outboard

KEY = bytes(range(32))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def create(path: Path, b: int = 6, k: int = 3, **more: Any) -> tuple[bytes, bytes, bytes]:
    made: tuple[bytes, bytes, bytes] = cybervein_native.plot_create(path, KEY, 5, b, k, **more)
    return made


def test_the_file_is_the_specified_rows_and_nothing_else(tmp_path: Path, plot: Plot) -> None:
    kappa, gamma, tree = create(tmp_path / "5.plot")
    assert (tmp_path / "5.plot").read_bytes() == plot.rows
    assert (kappa, gamma, tree) == (plot.kappa, plot.gamma, outboard(plot.rows))
    assert names(tmp_path) == ["5.plot"]


def test_progress_counts_every_row_of_every_layer(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    create(tmp_path / "5.plot", b=15, k=3, progress=lambda *at: seen.append(at))
    assert seen[-1] == (3 << 15, 3 << 15)
    assert seen == sorted(seen)
    assert len(seen) == 6


def test_a_cancelled_plot_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(cybervein_native.PlotCancelled):
        create(tmp_path / "5.plot", cancel=lambda: True)
    assert names(tmp_path) == []


def test_what_progress_raises_stops_the_plot_and_comes_out(tmp_path: Path) -> None:
    def progress(_done: int, _total: int) -> None:
        raise KeyboardInterrupt("enough")

    with pytest.raises(KeyboardInterrupt, match="enough"):
        create(tmp_path / "5.plot", progress=progress)
    assert names(tmp_path) == []


def test_a_failed_successor_leaves_the_older_plot(tmp_path: Path) -> None:
    path = tmp_path / "5.plot"
    path.write_bytes(b"older")
    with pytest.raises(cybervein_native.PlotCancelled):
        create(path, cancel=lambda: True)
    assert path.read_bytes() == b"older"
    create(path)
    assert path.stat().st_size == 512 << 6


def test_a_left_over_of_a_killed_plotter_is_overwritten(tmp_path: Path, plot: Plot) -> None:
    (tmp_path / "5.plot.partial").write_bytes(b"x" * 100_000)
    create(tmp_path / "5.plot")
    assert (tmp_path / "5.plot").read_bytes() == plot.rows
    assert names(tmp_path) == ["5.plot"]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone/5\.plot\.partial: creating the file failed"):
        create(tmp_path / "gone" / "5.plot")


def test_a_disk_without_room_is_refused_before_any_work(tmp_path: Path) -> None:
    """A file size limit stands in for the full disk: the same call fails, at the same moment."""
    code = (
        "import sys, cybervein_native, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "calls = []\n"
        "try: cybervein_native.plot_create(sys.argv[1], bytes(32), 0, 12, 1,"
        " progress=lambda *at: calls.append(at))\n"
        "except OSError as error: print(error.filename, len(calls), error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "0.plot"],
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20)),
    )
    assert "0.plot.partial 0 " in done.stdout
    assert "reserving space for the plot failed" in done.stdout
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ((3, 1), "b = 3, expected 4 to 32"),
        ((33, 1), "b = 33, expected 4 to 32"),
        ((4, 0), "k = 0, expected 1 to 64"),
    ],
)
def test_impossible_shapes_are_refused(tmp_path: Path, values: tuple[int, int], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        create(tmp_path / "5.plot", *values)


def test_an_unknown_kernel_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\"abacus\": not on this machine; it has .*portable"):
        create(tmp_path / "5.plot", kernel="abacus")


def test_a_key_of_the_wrong_size_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="public key: 31 bytes, expected 32"):
        cybervein_native.plot_create(tmp_path / "5.plot", KEY[:31], 5, 6, 3)


def test_several_plots_are_made_side_by_side(tmp_path: Path) -> None:
    """The GIL is released: every plotter waits in its callback until both are at work."""
    meeting = threading.Barrier(2, timeout=60)
    met: set[int] = set()

    def make(index: int) -> None:
        def progress(_done: int, _total: int) -> None:
            if index not in met:
                meeting.wait()
                met.add(index)

        cybervein_native.plot_create(tmp_path / f"{index}", KEY, index, 10, 2, progress=progress)

    threads = [threading.Thread(target=make, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert met == {0, 1}
    assert (tmp_path / "0").read_bytes() != (tmp_path / "1").read_bytes()


def test_memory_stays_within_what_is_announced(tmp_path: Path) -> None:
    code = (
        "import re, sys, cybervein_native\n"
        "status = lambda: open('/proc/self/status').read()\n"
        "peak = lambda: 1024 * int(re.search(r'VmHWM:\\s+(\\d+)', status())[1])\n"
        "before = peak()\n"
        "cybervein_native.plot_create(sys.argv[1], bytes(32), 0, 17, 1)\n"
        "print(peak() - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path / "0"], capture_output=True, text=True, check=True
    )
    announced = cybervein_native.plot_memory_bytes(17)
    assert 512 << 17 < int(done.stdout) <= announced
    assert announced < 1.15 * (512 << 17)


def test_a_killed_plotter_leaves_no_file_under_the_final_name(tmp_path: Path) -> None:
    code = (
        "import os, sys, signal, cybervein_native\n"
        "def kill(done, total): os.kill(os.getpid(), signal.SIGKILL)\n"
        "cybervein_native.plot_create(sys.argv[1], bytes(32), 0, 8, 1, progress=kill)"
    )
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "0"], check=False)
    assert done.returncode == -9
    assert names(tmp_path) == ["0.partial"]
    _, gamma, _ = cybervein_native.plot_create(tmp_path / "0", bytes(32), 0, 8, 1)
    assert blake3((tmp_path / "0").read_bytes()).digest() == gamma
    assert names(tmp_path) == ["0"]
