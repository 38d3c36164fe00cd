"""Free TCP ports of an address."""

import os
import random
import socket
from contextlib import ExitStack

# Below the ports that the kernel gives to outgoing connections, so that none of those can take the
# place of a server that is away for a moment, and below the NodePorts.
CANDIDATES = range(20_000, 30_000)
_given: set[int] = set()


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """Ports that nothing listens on; all differ. Taken by the caller's programs soon after.

    Nobody else is given them: another worker of pytest has others, and this one gives none twice
    while there are more, as a program that is away for a moment comes back to its own.
    """
    ports: list[int] = []
    with ExitStack() as held:
        for port in _untried(count):
            if len(ports) == count:
                break
            probe = held.enter_context(socket.socket())
            try:
                probe.bind((address, port))
            except OSError:
                continue
            ports.append(port)
    if len(ports) < count:
        raise RuntimeError(f"{address} has only {len(ports)} free ports in {CANDIDATES}")
    _given.update(ports)
    return ports


def _untried(count: int) -> list[int]:
    """This worker's part of the candidates, in any order."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    mine = [*CANDIDATES][worker::workers]
    if len(mine) - len(_given) < 2 * count:
        _given.clear()
    left = sorted(set(mine) - _given)
    return random.sample(left, len(left))


def listens(port: int, address: str = "127.0.0.1") -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0
