"""Who may do what in the test cluster: tokens, certificates, ServiceAccounts, kubeconfigs."""

import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


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


def write_client_authority(path: Path) -> None:
    """The key that signs client certificates; its own certificate lies beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test-clients")])
    made = _certificate(name, name, key.public_key(), key, ca=True)
    path.write_bytes(_pem(key))
    path.with_suffix(".crt").write_bytes(made)


def client_certificate(authority: Path, user: User) -> tuple[bytes, bytes]:
    """Certificate and key, PEM, that the API server takes for a user."""
    signer = serialization.load_pem_private_key(authority.read_bytes(), None)
    assert isinstance(signer, ec.EllipticCurvePrivateKey)
    issuer = x509.load_pem_x509_certificate(authority.with_suffix(".crt").read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, user.name)]
    parts += [x509.NameAttribute(NameOID.ORGANIZATION_NAME, user.group)] if user.group else []
    made = _certificate(x509.Name(parts), issuer.subject, key.public_key(), signer, ca=False)
    return made, _pem(key)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
) -> bytes:
    now = datetime.now(UTC)
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    made = made if ca else made.add_extension(usage, critical=False)
    return made.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
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
