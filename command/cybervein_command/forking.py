"""Many commands from one start of the interpreter: imports modules, then forks for each command.

Run as `python -m cybervein_command.forking FD MODULE…`, FD being a socket to who starts commands.
A message that names arguments, with three files, is answered with the pid of a new child, or the
negative errno if there can be none now; one that names a child that has ended, with its exit code,
which only a parent can know. The end of the channel ends this process, and the kernel then sends
its children SIGTERM.
"""

import ctypes
import errno
import importlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Mapping
from typing import Any, Final

from setproctitle import setproctitle

from cybervein_command.app import main

MESSAGE_BYTES_MAX: Final = 1 << 17
_FILES: Final = 3
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None)


def serve(channel: socket.socket, modules: list[str]) -> None:
    """Fork for every request. Returns in the children alone, as what they were asked to be."""
    setproctitle("cybervein, which forks for commands")  # finds its room before any change of it
    for name in modules:
        importlib.import_module(name)
    if threading.active_count() > 1:  # a fork would be without them, and with their locks
        raise RuntimeError(f"an import started threads: {threading.enumerate()}")
    while True:
        message, files, *_ = socket.recv_fds(channel, MESSAGE_BYTES_MAX, _FILES)
        if not message:
            sys.exit()
        request = json.loads(message)
        if "ended" in request:
            _, status = os.waitpid(request["ended"], 0)
            answer = os.waitstatus_to_exitcode(status)
        elif (answer := _fork(request, files)) == 0:
            return
        channel.send(str(answer).encode())


def _fork(request: Mapping[str, Any], files: list[int]) -> int:
    """The child's pid, once it leads its session; 0 in the child, a negative errno without one."""
    parent, pipe = os.getpid(), tuple[int, ...]()
    try:
        pipe = os.pipe() if len(files) == _FILES else ()  # the kernel drops what finds no room
        pid = os.fork() if pipe else -errno.EMFILE
    except OSError as error:  # no descriptors or no processes are left: the others are well
        pid = -(error.errno or errno.EAGAIN)
    if pid == 0:
        _become(request, files, parent)  # closes the pipe, with all that is not its own
        return 0
    if pid > 0:
        os.close(pipe[1])
        os.read(pipe[0], 1)
        pipe = pipe[:1]
    for file in (*pipe, *files):
        os.close(file)
    return pid


def _become(request: Mapping[str, Any], files: list[int], parent: int) -> None:
    """Session, directory, environment, files and name of the command that this process will be."""
    os.setsid()
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the kernel was told
        os._exit(1)
    os.chdir(request["directory"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.closerange(len(files), os.sysconf("SC_OPEN_MAX"))
    sys.argv = ["cybervein", *request["arguments"]]
    setproctitle(" ".join(sys.argv).encode(errors="replace").decode())  # a name may be any bytes


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
    __package__ = ""  # usage then names argv[0], not this module
    main()
