"""How the operator logs in: the pod's ServiceAccount, or the context of a kubeconfig.

Tokens of ServiceAccounts are renewed in their file by the kubelet, so the file is read again and
again rather than once.
"""

import base64
import os
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kopf
import yaml
from cybervein_protocol.errors import MalformedError

_POD = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_TOKEN_SECONDS = 60.0


@dataclass(slots=True)
class Login:
    """Where the API server is, whom it is trusted by, and who we are."""

    server: str
    namespace: str
    authority: str
    token_file: Path | None = None
    fixed_token: str = field(default="", repr=False)
    certificate: str = ""
    private_key: str = field(default="", repr=False)
    _read: tuple[float, str] = field(default=(0.0, ""), repr=False)

    def token(self) -> str:
        """The bearer token, at most a minute old; empty for client certificates."""
        if self.token_file is None:
            return self.fixed_token
        at, token = self._read
        if not token or time.monotonic() - at > _TOKEN_SECONDS:
            token = self.token_file.read_text().strip()
            self._read = (time.monotonic(), token)
        return token

    def context(self) -> ssl.SSLContext | None:
        """TLS for the API server; None for plain HTTP."""
        if not self.server.startswith("https"):
            return None
        context = ssl.create_default_context(cadata=self.authority or None)
        if self.certificate:
            _load_chain(context, self.certificate, self.private_key)
        return context

    def for_kopf(self) -> kopf.ConnectionInfo:
        """The same login for kopf, which asks again when a token is refused."""
        return kopf.ConnectionInfo(
            server=self.server,
            ca_data=base64.b64encode(self.authority.encode()).decode() if self.authority else None,
            token=self.token() or None,
            certificate_data=_encoded(self.certificate),
            private_key_data=_encoded(self.private_key),
            default_namespace=self.namespace,
        )


def find_login(kubeconfig: Path | None) -> Login:
    """The kubeconfig's current context where one is named (or in KUBECONFIG), else the pod's."""
    named = kubeconfig or (Path(os.environ["KUBECONFIG"]) if "KUBECONFIG" in os.environ else None)
    if named is not None:
        return from_kubeconfig(named)
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{each}") for each in ("HOST", "PORT"))
    if not host or not (_POD / "token").exists():
        raise MalformedError(
            "operator run: neither a pod's ServiceAccount nor a kubeconfig was found; "
            "give --kubeconfig FILE"
        )
    address = f"[{host}]" if ":" in host else host
    return Login(
        f"https://{address}:{port or 443}",
        (_POD / "namespace").read_text().strip(),
        (_POD / "ca.crt").read_text(),
        token_file=_POD / "token",
    )


def from_kubeconfig(path: Path) -> Login:
    """The current context of a kubeconfig. Raises MalformedError."""
    try:
        document = yaml.safe_load(path.read_text())
        context = _named(document["contexts"], document["current-context"])["context"]
        cluster = _named(document["clusters"], context["cluster"])["cluster"]
        user = _named(document["users"], context["user"])["user"]
        return Login(
            cluster["server"].rstrip("/"),
            context.get("namespace", "default"),
            _text(cluster, "certificate-authority", path),
            token_file=path.parent / user["tokenFile"] if "tokenFile" in user else None,
            fixed_token=user.get("token", ""),
            certificate=_text(user, "client-certificate", path),
            private_key=_text(user, "client-key", path),
        )
    except (OSError, yaml.YAMLError, KeyError, StopIteration, TypeError, ValueError) as error:
        raise MalformedError(
            f"{path} is not a kubeconfig with a current context ({type(error).__name__}: {error})"
        ) from error


def _named(items: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(item for item in items if item["name"] == name)


def _text(where: dict[str, Any], key: str, path: Path) -> str:
    """A PEM of a kubeconfig: inline in base64, or the name of a file beside it."""
    if f"{key}-data" in where:
        return base64.b64decode(where[f"{key}-data"]).decode()
    return (path.parent / where[key]).read_text() if key in where else ""


def _encoded(text: str) -> str | None:
    return base64.b64encode(text.encode()).decode() if text else None


def _load_chain(context: ssl.SSLContext, certificate: str, private_key: str) -> None:
    """Python loads client certificates from files only: in memory, through /dev/shm-less memfds."""
    descriptors = [os.memfd_create("login") for _ in range(2)]
    try:
        for descriptor, text in zip(descriptors, (certificate, private_key), strict=True):
            os.write(descriptor, text.encode())
        context.load_cert_chain(*(f"/proc/self/fd/{each}" for each in descriptors))
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
