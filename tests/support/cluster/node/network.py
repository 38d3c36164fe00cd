"""The wire between this machine and the node, and the ranges of addresses that nobody uses yet."""

import ipaddress
import os
import subprocess
from dataclasses import dataclass
from secrets import token_hex

import psutil
from waiting import until

from cluster.tools import system_tool

NODES = ipaddress.IPv4Network("10.250.0.0/16")
PODS = ipaddress.IPv4Network("10.251.0.0/16")
BALANCED = ipaddress.IPv4Network("10.252.0.0/16")


def ip(*arguments: str) -> None:
    """Run `ip` here; raises CalledProcessError with its message."""
    subprocess.run([system_tool("ip"), *arguments], check=True)


@dataclass(frozen=True)
class Wire:
    """A pair of interfaces: `outer` here, `inner` in the node; a /24 for both, one for pods.

    A third is for the load balancer: its addresses lead to the node.
    """

    outer: str
    inner: str
    number: int

    @property
    def outer_address(self) -> str:
        """This machine, as the node sees it."""
        return str(_part(NODES, self.number)[1])

    @property
    def inner_address(self) -> str:
        """The node."""
        return str(_part(NODES, self.number)[2])

    @property
    def pods(self) -> str:
        """The range of the node's pods."""
        return str(_part(PODS, self.number))

    @property
    def balanced(self) -> str:
        """The range of the load balancer's addresses."""
        return str(_part(BALANCED, self.number))

    def lay(self) -> None:
        """Make the pair; both ends are here until `hand_over`."""
        ip("link", "add", self.outer, "type", "veth", "peer", "name", self.inner)
        ip("addr", "add", f"{self.outer_address}/24", "dev", self.outer)
        ip("link", "set", self.outer, "up")

    def hand_over(self, pid: int) -> None:
        """Move the inner end to a process's network namespace; route the other ranges there."""
        ip("link", "set", self.inner, "netns", str(pid))
        for there in (self.pods, self.balanced):
            ip("route", "replace", there, "via", self.inner_address, "dev", self.outer)

    def inside(self) -> str:
        """Shell commands that set up the inner end, for the node to run."""
        return (
            f"ip addr add {self.inner_address}/24 dev {self.inner}; "
            f"ip link set {self.inner} up; ip link set lo up; "
            f"ip route add default via {self.outer_address}; "
            "echo 1 > /proc/sys/net/ipv4/ip_forward; "
            "echo 1 > /proc/sys/net/bridge/bridge-nf-call-iptables"
        )

    def remove(self) -> None:
        """Take the pair away, if it did not go with the node's namespace just before."""
        command = [system_tool("ip"), "link", "del", self.outer]
        subprocess.run(command, check=False, capture_output=True)
        until(lambda: self.outer not in psutil.net_if_addrs(), f"{self.outer} is gone")


def free_wire() -> Wire:
    """A wire whose range no interface of this machine is in."""
    taken = {
        ipaddress.ip_address(each.address)
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family.name == "AF_INET"
    }
    for number in range(256):
        if not any(address in _part(NODES, number) for address in taken):
            name = f"{os.getpid()}-{token_hex(1)}"  # at most 15 characters with the prefix
            return Wire(f"cvo{name}", f"cvi{name}", number)
    raise RuntimeError(f"every /24 of {NODES} is taken; remove interfaces named cvo* (ip link del)")


def _part(whole: ipaddress.IPv4Network, number: int) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(f"{whole.network_address + 256 * number}/24")
