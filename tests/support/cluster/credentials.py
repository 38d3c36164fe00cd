"""Who may do what in the test cluster: static tokens, the key of ServiceAccounts, kubeconfigs."""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@dataclass(frozen=True)
class User:
    """A user of the token file. RBAC's own roles bind the names and groups below."""

    name: str
    group: str = ""
    token: str = field(default_factory=lambda: secrets.token_hex(16))


ADMIN = User("test-admin", "system:masters")
CONTROLLER_MANAGER = User("system:kube-controller-manager")
SCHEDULER = User("system:kube-scheduler")
KWOK = User("test-kwok", "system:masters")
PROVISIONER = User("test-provisioner", "system:masters")
PROXY = User("system:kube-proxy")
POLICIES = User("test-policies", "system:masters")
BALANCER = User("test-balancer", "system:masters")
USERS = (ADMIN, CONTROLLER_MANAGER, SCHEDULER, KWOK, PROVISIONER, PROXY, POLICIES, BALANCER)


def kubelet_user(node: str) -> User:
    """The user that the Node authorizer takes for the kubelet of `node`."""
    return User(f"system:node:{node}", "system:nodes")


def write_tokens(path: Path, users: tuple[User, ...]) -> None:
    """The API server's `--token-auth-file`."""
    lines = [f'{user.token},"{user.name}","{user.name}","{user.group}"\n' for user in users]
    path.write_text("".join(lines))
    path.chmod(0o600)


def write_service_account_key(path: Path) -> None:
    """The RSA key that signs and checks ServiceAccount tokens."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )


def write_kubeconfig(path: Path, *, server: str, authority: str | Path, token: str) -> Path:
    """A kubeconfig of one user; `authority` is a file's path, or base64 of its PEM. Mode 0600."""
    kind = "certificate-authority" + ("" if isinstance(authority, Path) else "-data")
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": server, kind: str(authority)}}],
        "users": [{"name": "test", "user": {"token": token}}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "current-context": "test",
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(document))
    return path
