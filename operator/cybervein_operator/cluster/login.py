"""How the operator and its commands log in: one credential source, which `kubernetes.aio` loads.

Its loader knows what kubectl knows: tokens and token files, client certificates, `exec` plugins,
OIDC, the ServiceAccount of a pod (ADR 58). That package and kopf are imported where they are used:
each takes more than a second of a core, and every command of `cybervein` loads their neighbours.
"""

from __future__ import annotations

import os
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp
from cybervein_protocol.errors import MalformedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import kopf
    from kubernetes.aio.client import ApiClient, Configuration

    from cybervein_operator.cluster.kubeconfig import Renewal

POD: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_HOME: Final = Path("~/.kube/config")
_KEY: Final = "BearerToken"
"""The loader's name for the header `Authorization`, whatever scheme is in it."""


class Login:
    """Where the API server is, whom it is trusted by, and who we are."""

    def __init__(
        self, found: Configuration, namespace: str, renewal: Renewal | None = None
    ) -> None:
        self._found, self.namespace, self._renewal = found, namespace, renewal
        self.server: str = found.host
        self._context = _context(found) if self.server.startswith("https") else None
        self._certificate = found.cert_file
        self._acts_as: list[tuple[str, str]] = (found.client_session_kwargs or {}).get(
            "headers", []
        )
        if renewal is not None:
            found.refresh_api_key_hook = self._renew

    async def headers(self) -> dict[str, str]:
        """`Authorization` as it is now; empty for those who show a certificate."""
        value = await self._found.get_api_key_with_prefix(_KEY)
        return {"Authorization": value} if value else {}

    def session(self, user_agent: str) -> aiohttp.ClientSession:
        """Connections to the API server, as many as are asked for; `headers` go with each call."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._context or True),
            headers=[("User-Agent", user_agent), *self._acts_as],
            proxy=self._found.proxy,
        )

    def client(self, user_agent: str) -> ApiClient:
        """The package's own client, which reads again what was told to come again later."""
        from kubernetes.aio.client import ApiClient  # noqa: PLC0415 -- see the module

        self._found.client_go_retries = True
        client = ApiClient(self._found)
        client.user_agent = user_agent
        client.rest_client.ssl_context = self._context or True
        return client

    async def for_kopf(self) -> kopf.ConnectionInfo:
        """The same login for kopf, which asks when it starts, and again when it was refused."""
        import kopf  # noqa: PLC0415 -- see the module

        if self._renewal is not None:
            self._renewal.hasten()
        scheme, _, token = (await self.headers()).get("Authorization", "").partition(" ")
        found = self._found
        return kopf.ConnectionInfo(
            server=self.server,
            ca_path=found.ssl_ca_cert,
            insecure=not found.verify_ssl,
            scheme=scheme or None,
            token=token or None,
            certificate_path=found.cert_file,
            private_key_path=found.key_file,
            default_namespace=self.namespace,
            proxy_url=found.proxy,
        )

    async def _renew(self, found: Configuration) -> None:
        """Called before each request. Connections show the certificate that a plugin gave last."""
        if self._renewal is not None:
            await self._renewal(found)
        if self._context is not None and self._found.cert_file != self._certificate:
            self._context.load_cert_chain(self._found.cert_file, self._found.key_file)
            self._certificate = self._found.cert_file


def _context(found: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=found.ssl_ca_cert)
    if found.cert_file:
        context.load_cert_chain(found.cert_file, found.key_file)
    if not found.verify_ssl:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def find_login(
    kubeconfig: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    pod: Path = POD,
) -> Login:
    """The named kubeconfig or KUBECONFIG's; else the pod's ServiceAccount; else ~/.kube/config.

    Raises MalformedError.
    """
    named = str(kubeconfig) if kubeconfig else environ.get("KUBECONFIG", "")
    if not named and _in_pod(pod, environ):
        return _from_pod(pod, environ)
    return await _of_person(named or _home())


async def find_person(
    kubeconfig: Path | None = None,
    context: str = "",
    *,
    environ: Mapping[str, str] = os.environ,
    pod: Path = POD,
) -> Login:
    """As kubectl: the named kubeconfig, KUBECONFIG's or ~/.kube/config; else the ServiceAccount.

    Raises MalformedError.
    """
    paths = str(kubeconfig) if kubeconfig else environ.get("KUBECONFIG", "") or _home()
    if not paths and not context and _in_pod(pod, environ):
        return _from_pod(pod, environ)
    return await _of_person(paths, context)


def _in_pod(pod: Path, environ: Mapping[str, str]) -> bool:
    return bool(environ.get("KUBERNETES_SERVICE_HOST")) and (pod / "token").exists()


def _home() -> str:
    """The kubeconfig in the home directory, or "" where there is none."""
    path = _HOME.expanduser()
    return str(path) if path.exists() else ""


async def _of_person(paths: str, context: str = "") -> Login:
    if paths:
        return await from_kubeconfig(paths, context)
    raise MalformedError(
        "no cluster to log in to: neither a pod's ServiceAccount nor a kubeconfig was found; give "
        "--kubeconfig FILE, or name one in KUBECONFIG"
    )


def _from_pod(pod: Path, environ: Mapping[str, str]) -> Login:
    """The kubelet renews the token in its file; the loader reads it again each minute."""
    from kubernetes.aio.client import Configuration  # noqa: PLC0415 -- see the module
    from kubernetes.aio.config import ConfigException  # noqa: PLC0415
    from kubernetes.aio.config.incluster_config import InClusterConfigLoader  # noqa: PLC0415

    found = Configuration()
    loader = InClusterConfigLoader(str(pod / "token"), str(pod / "ca.crt"), environ=environ)
    try:
        loader.load_and_set(found)
        return Login(found, (pod / "namespace").read_text().strip())
    except (ConfigException, OSError) as error:
        raise MalformedError(f"the ServiceAccount in {pod} cannot be used: {error}") from error


async def from_kubeconfig(paths: str, context: str = "") -> Login:
    """A context of a kubeconfig, or of several joined by ":". Raises MalformedError."""
    from kubernetes.aio.client import Configuration  # noqa: PLC0415 -- see the module

    from cybervein_operator.cluster import kubeconfig  # noqa: PLC0415

    _expect_one(paths)
    found = Configuration()
    try:
        loader = kubeconfig.Kubeconfig(paths, context)
        await loader.load_and_set(found)
        found.client_session_kwargs = {"headers": loader.acts_as}
        return Login(found, loader.namespace, kubeconfig.Renewal(loader))
    except kubeconfig.UNUSABLE as error:
        raise MalformedError(
            f"{paths} is not a kubeconfig with a context that can be used "
            f"({kubeconfig.wrong(error)}); name another"
        ) from error


def _expect_one(paths: str) -> None:
    if not any(Path(path).expanduser().exists() for path in paths.split(os.pathsep)):
        raise MalformedError(f"{paths} is not a kubeconfig: it does not exist; name one that does")
