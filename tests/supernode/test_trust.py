"""A private authority in `network.json`: trusted for the super node and nobody else; renewals."""

import asyncio
import datetime as dt
import ipaddress
import json
import ssl
import subprocess
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from cybervein_protocol.errors import MalformedError, UnavailableError
from cybervein_runtime import serving
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.network_file import load_network, parse_network
from cybervein_runtime.tls import Tls
from cybervein_runtime.trust import Trust
from ports import free_ports
from services import Service, run
from structlog.testing import capture_logs
from super_lab import RealSuperNode
from waiting import DEADLINE_SECONDS, until

LOOPBACK = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])


class Authority:
    """A private CA, and certificates of it for 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a private authority")])
        self.certificate = self._sign(
            self.name, self.key.public_key(), x509.BasicConstraints(ca=True, path_length=0)
        )
        self.pem = folder / "ca.pem"
        self.pem.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, tls: Tls | None = None) -> Tls:
        """A fresh certificate and key, over those of `tls` if given."""
        tls = tls or Tls(self.folder / "cert.pem", self.folder / "key.pem")
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "super node")])
        certificate = self._sign(name, key.public_key(), LOOPBACK)
        form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        tls.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, none))
        tls.key.chmod(0o600)
        tls.cert.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return tls

    def _sign(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, more: x509.ExtensionType
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        number = x509.random_serial_number()
        return (
            x509.CertificateBuilder(self.name, name, key, number)
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(more, critical=isinstance(more, x509.BasicConstraints))
            .sign(self.key, hashes.SHA256())
        )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def init(data: Path, url: str, *options: str) -> subprocess.CompletedProcess[str]:
    told = ("supernode", "init", "--data", data, "--preset", "test", "--url", url)
    return run("--json", *told, *options)


async def test_members_trust_the_network_s_authority_for_its_super_node_alone(
    tmp_path: Path, authority: Authority
) -> None:
    (port,), tls = free_ports(1), authority.issue()
    url = f"https://127.0.0.1:{port}"
    done = init(tmp_path / "node", url, "--ca", str(authority.pem))
    assert done.returncode == 0, done.stderr
    file = load_network(tmp_path / "node" / "network.json")
    assert file.ca == authority.pem.read_text()
    process = RealSuperNode(tmp_path / "node")
    process.start("--port", str(port), "--tls-cert", str(tls.cert), "--tls-key", str(tls.key))
    try:
        async with SignedClient(trust=file.trust) as member:
            answer = await member.request("GET", f"{url}/v1/network.json")
            assert parse_network(answer.body, "served").ca == file.ca
        for trust in (Trust(), Trust(file.ca, [f"https://127.0.0.1:{port + 1}"])):
            async with SignedClient(trust=trust) as stranger:
                with pytest.raises(UnavailableError, match="certificate is not trusted"):
                    await stranger.get_json(f"{url}/healthz")
        await asyncio.to_thread(members_join, tmp_path, process)
    finally:
        process.stop()


def members_join(folder: Path, node: RealSuperNode) -> None:
    """A real miner, its sidecar and a client, each with nothing but `network.json`."""
    network = str(folder / "node" / "network.json")
    (folder / "disk").mkdir()
    with ExitStack() as running:
        miner = Service(
            folder / "m" / "run.json",
            *("mine", "--network", network, "--data", folder / "m"),
            *("--disk", folder / "disk", "--plots", "0"),
        ).start()
        running.callback(ended, miner)
        until(lambda: miner.status()["registered"], "the miner is registered", diagnose=miner.tail)
        beside = Service(
            folder / "side.json",
            *("sidecar", "--miner", miner.url, "--network", network),
            *("--run-file", folder / "side.json"),
        ).start()
        running.callback(ended, beside)
        with urllib.request.urlopen(f"{beside.url}/metrics", timeout=DEADLINE_SECONDS) as answer:  # noqa: S310
            assert b'cybervein_up{source="supernode"} 1.0' in answer.read()
    home = ("--home", str(folder / "home"))
    node.cli(*home, "wallet", "new", "--network", network)
    assert node.cli(*home, "miners")


def ended(service: Service) -> None:
    assert service.stop() == 0, service.tail()


def test_an_authority_that_is_none_is_refused(tmp_path: Path, authority: Authority) -> None:
    done = init(tmp_path / "node", "https://node.example", "--ca", str(__file__))
    assert (done.returncode != 0, "no PEM certificate" in done.stderr) == (True, True)
    assert not (tmp_path / "node" / "network.json").exists()
    assert init(tmp_path / "node", "https://node.example").returncode == 0
    path = tmp_path / "node" / "network.json"
    damaged = json.loads(path.read_text()) | {"ca": authority.pem.read_text()[:200]}
    with pytest.raises(MalformedError, match="no PEM certificate"):
        parse_network(json.dumps(damaged).encode(), "damaged")


def test_init_if_absent_founds_once_and_says_what_differs(tmp_path: Path) -> None:
    data, url = tmp_path / "node", "http://127.0.0.1:7700"
    first = json.loads(init(data, url, "--if-absent").stdout)
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    again = json.loads(init(data, url, "--if-absent").stdout)
    assert (first["founded"], again["founded"]) == (True, False)
    assert again["network"] == first["network"]
    other = init(data, "http://127.0.0.1:7701", "--if-absent")
    assert (other.returncode != 0, "at http://127.0.0.1:7700" in other.stderr) == (True, True)
    longer = init(data, url, "--if-absent", "--epoch-seconds", "9")
    assert (longer.returncode != 0, "These cannot be changed" in longer.stderr) == (True, True)
    assert init(data, url).returncode != 0, "without --if-absent it is refused as ever"
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before


async def test_a_renewed_certificate_is_served_without_a_restart_and_a_damaged_one_is_not(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "RENEWAL_SECONDS", 0.02)
    tls = authority.issue()
    sock = serving.bind("127.0.0.1", 0)
    port, run_file = sock.getsockname()[1], tmp_path / "run.json"

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        del scope, receive, send

    task = asyncio.create_task(serving.serve(app, sock, run_file, tls=tls))
    try:
        async with asyncio.timeout(300):
            while not run_file.exists():
                await asyncio.sleep(0.01)
            first = await served(port)
            authority.issue(tls)
            while (second := await served(port)) == first:
                await asyncio.sleep(0.01)
            with capture_logs() as logs:
                tls.cert.write_text("damaged")
                while "renewed certificate is not used" not in [log["event"] for log in logs]:
                    await asyncio.sleep(0.01)
            assert await served(port) == second
            authority.issue(tls)
            while await served(port) == second:
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def served(port: int) -> bytes:
    """The certificate that a new connection gets."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    found: bytes = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    return found
