"""A mount that never answers, as a dead network share or FUSE daemon leaves it: a real one."""

import ctypes
import os
from pathlib import Path

_MNT_DETACH = 2


class HungMount:
    """FUSE at `path` whose daemon reads no request: whoever looks there waits."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._daemon = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
        options = f"fd={self._daemon},rootmode=40000,user_id=0,group_id=0".encode()
        if self._libc.mount(b"hung", os.fsencode(path), b"fuse", 0, options):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))

    def let_go(self) -> None:
        """The daemon ends, what was below is there again; a second time changes nothing."""
        if self._daemon >= 0:
            os.close(self._daemon)
            self._libc.umount2(os.fsencode(self.path), _MNT_DETACH)
            self._daemon = -1
