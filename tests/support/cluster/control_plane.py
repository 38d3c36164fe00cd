"""etcd, API server, controller manager and scheduler: real programs, one folder, free ports."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

from ports import free_ports, listens
from process import Process
from waiting import until

from cluster.audit import POLICY, AuditLog
from cluster.credentials import (
    ADMIN,
    CONTROLLER_MANAGER,
    SCHEDULER,
    USERS,
    User,
    client_certificate,
    write_client_authority,
    write_kubeconfig,
    write_service_account_key,
    write_tokens,
)
from cluster.rest import Endpoint
from cluster.tools import tool

ISSUER = "https://kubernetes.default.svc.cluster.local"


@dataclass(frozen=True)
class Settings:
    """What differs between clusters.

    `address` is where the API server listens, on a free port unless `port` names one; with
    `reachable` it also announces that address, which must then not be loopback, to pods as the
    Service `kubernetes`.
    """

    address: str = "127.0.0.1"
    port: int | None = None
    reachable: bool = False
    users: tuple[User, ...] = USERS
    service_range: str = "10.96.0.0/16"
    kube_api_qps: int = 500  # of the controller manager; its own default of 20 hides our speed
    api_server_flags: tuple[str, ...] = ()
    controller_flags: tuple[str, ...] = ()


@dataclass
class ControlPlane:
    """The running control plane. Stop, kill, pause or restart its parts through their `Process`."""

    directory: Path
    settings: Settings
    port: int
    etcd: Process
    api_server: Process
    controller_manager: Process
    scheduler: Process
    audit: AuditLog = field(init=False)

    def __post_init__(self) -> None:
        self.audit = AuditLog(self.directory / "audit.log")

    @property
    def url(self) -> str:
        """Where the API server listens."""
        return f"https://{self.settings.address}:{self.port}"

    @property
    def authority(self) -> Path:
        """The certificate, self-signed, that the API server shows."""
        return self.directory / "certificates" / "apiserver.crt"

    def endpoint(self, user: User) -> Endpoint:
        """Where a user of the settings asks."""
        authority = self.authority.read_text()
        return Endpoint(self.settings.address, self.port, authority, user.token, user.name)

    def kubeconfig(self, user: User) -> Path:
        """The kubeconfig of a user of the settings."""
        path = self.directory / f"{user.name.replace(':', '-')}.kubeconfig"
        return write_kubeconfig(path, server=self.url, authority=self.authority, token=user.token)

    def certificate(self, user: User) -> tuple[bytes, bytes]:
        """A client certificate of a user and its key, PEM."""
        return client_certificate(self.directory / "clients.key", user)

    def start(self) -> None:
        """Start what does not run, in order, until the API server is ready."""
        self.etcd.start()
        self.start_api_server()
        for user, process in (
            (CONTROLLER_MANAGER, self.controller_manager),
            (SCHEDULER, self.scheduler),
        ):
            self.kubeconfig(user)
            process.start()

    def start_api_server(self) -> None:
        """Start the API server (again) and wait until it is ready."""
        self.api_server.start()
        until(self._answers, "the API server is ready", diagnose=self.api_server.tail)

    @contextmanager
    def api_server_away(self) -> Iterator[None]:
        """Kill the API server as a crash does; it is back, ready, afterwards."""
        self.api_server.kill()
        try:
            yield
        finally:
            self.start_api_server()

    def stop(self) -> None:
        """Stop all, users of the API first, and see that the ports are free."""
        parts = (self.scheduler, self.controller_manager, self.api_server, self.etcd)
        for process in parts:
            process.stop()
        address = self.settings.address
        until(lambda: not listens(self.port, address), f"port {self.port} of {address} is free")

    def _answers(self) -> bool:
        if not self.api_server.alive:
            raise RuntimeError(f"the API server ended on its own\n{self.api_server.tail()}")
        if not self.authority.exists():
            return False
        address = self.settings.address
        try:
            trust = ssl.create_default_context(cafile=str(self.authority))
        except ssl.SSLError:  # the file is half written
            return False
        connection = HTTPSConnection(address, self.port, context=trust, timeout=5)
        try:
            connection.request("GET", "/readyz", headers={"Authorization": f"Bearer {ADMIN.token}"})
            return connection.getresponse().status == HTTPStatus.OK
        except (HTTPException, OSError):
            return False
        finally:
            connection.close()


def prepare(directory: Path, settings: Settings) -> ControlPlane:
    """A control plane whose files lie in `directory`, not yet started."""
    directory.mkdir(parents=True, exist_ok=True)
    write_tokens(directory / "tokens.csv", settings.users)
    write_service_account_key(directory / "service-account.key")
    write_client_authority(directory / "clients.key")
    (directory / "audit-policy.json").write_text(json.dumps(POLICY))
    client_port, peer_port = free_ports(2)
    port = settings.port or free_ports(1, settings.address)[0]
    return ControlPlane(
        directory=directory,
        settings=settings,
        port=port,
        etcd=Process("etcd", _etcd(client_port, peer_port), directory),
        api_server=Process("api-server", _api_server(settings, port, client_port), directory),
        controller_manager=Process("controller-manager", _controllers(settings), directory),
        scheduler=Process("scheduler", _scheduler(), directory),
    )


def _etcd(client_port: int, peer_port: int) -> list[str | Path]:
    client, peer = (f"http://127.0.0.1:{port}" for port in (client_port, peer_port))
    return [
        tool("etcd"),
        "--data-dir=etcd",
        "--name=test",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=test={peer}",
        "--unsafe-no-fsync",  # a test's data need not outlive the machine
        "--quota-backend-bytes=4294967296",
        "--log-level=warn",
    ]


def _api_server(settings: Settings, port: int, etcd_port: int) -> list[str | Path]:
    return [
        tool("kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{etcd_port}",
        f"--bind-address={settings.address}",
        f"--advertise-address={settings.address}",
        f"--secure-port={port}",
        "--cert-dir=certificates",
        "--token-auth-file=tokens.csv",
        "--client-ca-file=clients.crt",
        "--anonymous-auth=false",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--service-account-key-file=service-account.key",
        "--service-account-signing-key-file=service-account.key",
        f"--service-account-issuer={ISSUER}",
        f"--service-cluster-ip-range={settings.service_range}",
        "--allow-privileged=true",
        "--kubelet-preferred-address-types=InternalIP",
        "--audit-policy-file=audit-policy.json",
        "--audit-log-path=audit.log",
        "--audit-log-mode=blocking",
        "--shutdown-delay-duration=0s",
        "--endpoint-reconciler-type=" + ("lease" if settings.reachable else "none"),
        *settings.api_server_flags,
    ]


def _controllers(settings: Settings) -> list[str | Path]:
    return [
        tool("kube-controller-manager"),
        "--kubeconfig=system-kube-controller-manager.kubeconfig",
        "--leader-elect=false",
        "--secure-port=0",
        "--use-service-account-credentials=true",
        "--service-account-private-key-file=service-account.key",
        "--root-ca-file=certificates/apiserver.crt",  # pods trust it, and wait for it to start
        "--horizontal-pod-autoscaler-sync-period=1s",  # its own 15 s are before its first look, too
        f"--kube-api-qps={settings.kube_api_qps}",
        f"--kube-api-burst={settings.kube_api_qps * 2}",
        *settings.controller_flags,
    ]


def _scheduler() -> list[str | Path]:
    return [
        tool("kube-scheduler"),
        "--kubeconfig=system-kube-scheduler.kubeconfig",
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=500",
        "--kube-api-burst=1000",
    ]
