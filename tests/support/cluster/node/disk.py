"""A disk of the node that can die: a filesystem of its own, which a test shuts down."""

import fcntl
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from cluster.node.room import Room
from cluster.tools import system_tool

EXT4_IOC_SHUTDOWN = 0x8004587D  # _IOR('X', 125, __u32), linux/ext4.h
WITHOUT_LOG_FLUSH = 2


@dataclass(frozen=True)
class Disk:
    """An ext4 filesystem in a file of this machine, mounted in the node alone at `folder`."""

    room: Room
    folder: Path

    @property
    def here(self) -> Path:
        """Where this machine finds what is mounted in the node."""
        return Path(f"/proc/{self.room.first_pid}/root{self.folder}")

    def attach(self, size_bytes: int) -> None:
        """Make the filesystem and mount it, open to any pod's user."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder.with_suffix(f".{token_hex(4)}.ext4")
        with file.open("wb") as image:
            image.truncate(size_bytes)
        subprocess.run([system_tool("mkfs.ext4"), "-q", "-m", "0", file], check=True)
        self.room.run("mount", "-o", "loop", file, self.folder)
        self.room.run("chmod", "0777", self.folder)

    def replace(self, size_bytes: int) -> None:
        """Pull it and mount an empty one at the same place; pods that have the old one keep it."""
        self.room.run("umount", "--lazy", self.folder)
        self.attach(size_bytes)

    def fail(self) -> None:
        """From now on everything on it answers with an I/O error, as a dead disk does."""
        handle = os.open(self.here, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, EXT4_IOC_SHUTDOWN, WITHOUT_LOG_FLUSH.to_bytes(4, "little"))
        finally:
            os.close(handle)
