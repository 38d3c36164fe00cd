"""A miner's parts in a process whose every write is refused with EDQUOT, by the kernel itself.

A filter of system calls (seccomp) stands where a filesystem with a quota would: Python, SQLite and
native code meet it in the same way. It cannot be taken off again, so this is a process of its own:
`python over_quota.py FOLDER` prints what each part said, as JSON. Only standard output takes bytes.
"""

import ctypes
import errno
import json
import platform
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from blake3 import blake3
from cybervein_miner.plot.inventory import plot_path
from cybervein_miner.plot.making import make_plot_file
from cybervein_miner.plot.policy import Wish
from cybervein_miner.shard.store import ShardStore
from cybervein_protocol.errors import CyberVeinError
from cybervein_runtime.files import write_atomic
from cybervein_runtime.logs import configure_logs
from cybervein_runtime.streams import mend_streams
from plot_farm import SHAPE, Farm
from structlog import get_logger

_NUMBERS = {
    "x86_64": {"write": 1, "pwrite64": 18, "writev": 20, "fallocate": 285, "seccomp": 317},
    "aarch64": {"write": 64, "pwrite64": 68, "writev": 66, "fallocate": 47, "seccomp": 277},
}
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_NO_NEW_PRIVILEGES, _FILTER, _ALL_THREADS = 38, 1, 1


def _program(numbers: dict[str, int], code: int) -> bytes:
    """BPF: these calls return `code`, but for those on file 1."""
    refused = [numbers[name] for name in ("write", "pwrite64", "writev", "fallocate")]
    steps = [(_LOAD, 0, 0, 0)]
    for at, number in enumerate(refused):
        steps.append((_EQUAL, len(refused) - at, 0, number))
    steps += [
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, 16),  # the first argument, its lower half
        (_EQUAL, 0, 1, sys.stdout.fileno()),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE | code),
    ]
    return b"".join(struct.pack("HBBI", *step) for step in steps)


def refuse_writes(code: int) -> None:
    """From now on, in all threads."""
    numbers, libc = _NUMBERS[platform.machine()], ctypes.CDLL(None, use_errno=True)
    program = ctypes.create_string_buffer(_program(numbers, code))
    steps = (len(program) - 1) // 8
    given = ctypes.create_string_buffer(struct.pack("HxxxxxxP", steps, ctypes.addressof(program)))
    assert libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    done = libc.syscall(numbers["seccomp"], _FILTER, _ALL_THREADS, given)
    assert done == 0, ctypes.get_errno()


def said(work: Callable[[], object]) -> str:
    """What a part raises."""
    try:
        work()
    except CyberVeinError as error:
        return str(error)
    return "nothing"


def main(folder: Path) -> None:
    """Every part that writes."""
    mend_streams()
    configure_logs("miner", as_json=True)
    disks = [folder / name for name in ("a", "b")]
    for each in disks:
        each.mkdir()
    farm = Farm(folder, *disks, wish=Wish(plots=0))
    store = ShardStore(farm.rack, farm.journal, lambda: 1)
    shard_disk, plot_disk = (farm.rack.at(each) for each in disks)
    assert shard_disk is not None
    assert plot_disk is not None
    data = bytes(50_000)
    refuse_writes(errno.EDQUOT)

    def upload() -> None:
        with store.receive(blake3(data).digest(), len(data)) as incoming:
            incoming.write(data)

    def plot() -> None:
        with plot_disk.guard("make plot 0", None):
            make_plot_file(plot_path(plot_disk, 0), farm.identity.keys, 0, SHAPE)

    words = {
        "shard": said(upload),
        "plot": said(plot),
        "journal": said(lambda: farm.inventory.reserve_numbers(7)),
        "file": said(lambda: write_atomic(folder / "run.json", b"{}")),
        "log": said(lambda: get_logger().warning("nobody reads this")),
    }
    states = {
        disk.path.name: [disk.no_room, disk.state, disk.io_errors, disk.placeable]
        for disk in farm.rack.disks
    }
    left = [str(f) for d in disks for f in d.rglob("*") if f.is_file() and f.suffix != ".marker"]
    print(json.dumps({"words": words, "states": states, "left": left}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
