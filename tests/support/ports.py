"""Free TCP ports of an address."""

import random
import socket
from contextlib import ExitStack

# Below the ports that the kernel gives to outgoing connections, so that none of those can take the
# place of a server that is away for a moment, and below the NodePorts.
CANDIDATES = range(20_000, 30_000)


def free_ports(count: int, address: str = "127.0.0.1") -> list[int]:
    """Ports that nothing listens on; all differ. Taken by the caller's programs soon after."""
    ports: list[int] = []
    with ExitStack() as held:
        for port in random.sample(CANDIDATES, len(CANDIDATES)):
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
    return ports


def listens(port: int, address: str = "127.0.0.1") -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0
