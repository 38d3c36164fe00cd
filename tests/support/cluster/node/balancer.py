"""Plays the load balancer that a cloud has: each Service of that type gets an address of its own.

The addresses are routed to the node (`Wire.balanced`), where kube-proxy serves every address that a
Service's status names.
"""

import ipaddress
import threading
from dataclasses import dataclass, field

from cluster.control_plane import ControlPlane
from cluster.credentials import BALANCER
from cluster.node.network import Wire
from cluster.rest import LOST, Object, Rest

EVERY_SECONDS = 0.3
SERVICES = "/api/v1/services"


@dataclass
class Balancer:
    """Off until `start`: Services of type LoadBalancer wait for their address."""

    wire: Wire
    plane: ControlPlane
    _end: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Give addresses from now on."""
        self._end.clear()
        self._thread = threading.Thread(target=self._serve, name="balancer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Give none any more; those that are given stay."""
        self._end.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _serve(self) -> None:
        while not self._end.wait(EVERY_SECONDS):
            try:
                with Rest(self.plane.endpoint(BALANCER)) as rest:
                    while not self._end.wait(EVERY_SECONDS):
                        self._give(rest, rest.call("GET", SERVICES)["items"])
            except LOST:  # an API server that goes away comes back
                continue

    def _give(self, rest: Rest, services: list[Object]) -> None:
        given = {each for service in services for each in addresses(service)}
        free = (
            str(each)
            for each in ipaddress.ip_network(self.wire.balanced).hosts()
            if str(each) not in given
        )
        for service in services:
            if service["spec"]["type"] == "LoadBalancer" and not addresses(service):
                about = service["metadata"]
                status = {"loadBalancer": {"ingress": [{"ip": next(free)}]}}
                path = f"/api/v1/namespaces/{about['namespace']}/services/{about['name']}/status"
                # A conflict is another writer's: the next round sees what it wrote.
                rest.call("PUT", path, service | {"status": service["status"] | status})


def addresses(service: Object) -> list[str]:
    """The addresses that a Service was given."""
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    return [str(each["ip"]) for each in ingress]
