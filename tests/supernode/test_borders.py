"""Borders: TLS off loopback, miners' addresses, what a fresh key may do without paying."""

import contextlib
import datetime as dt
import ipaddress
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import MalformedError, RateError, StorageError, UnavailableError
from cybervein_protocol.ledger.mining.bodies import MinerRegister, MinerUpdate
from cybervein_protocol.ledger.units.unit import make_paid_unit, make_unit
from cybervein_protocol.presets import MAIN, TEST
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.addresses import check_peer_url, check_published_url, is_public
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.tls import Tls, require_tls
from cybervein_supernode.api import free_units
from cybervein_supernode.api.free_units import FreeUnits, parse_networks
from cybervein_supernode.peers.miner_client import MinerPeer, Peer
from cybervein_supernode.peers.public_only import public_session
from hypothesis import given
from hypothesis import strategies as st
from super_lab import Lab, RealSuperNode

KEY = KeyPair(b"k" * 32)
_ASK = """
import asyncio, sys
from cybervein_runtime.http_client import SignedClient
async def ask():
    async with SignedClient() as client:
        print(await client.get_json(sys.argv[1]))
asyncio.run(ask())
"""


def certificate(folder: Path) -> Tls:
    """A self-signed one for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "super node")])
    now = dt.datetime.now(dt.UTC)
    where = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    cert = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(where, critical=False)
        .sign(key, hashes.SHA256())
    )
    tls = Tls(folder / "cert.pem", folder / "key.pem")
    tls.cert.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    none = serialization.NoEncryption()
    tls.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, none))
    tls.key.chmod(0o600)
    return tls


def ask(url: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _ASK, url]
    environment = {**os.environ, **environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_tls_is_served_and_trusted_by_ssl_cert_file_only(tmp_path: Path) -> None:
    tls = certificate(tmp_path)
    process = RealSuperNode(tmp_path / "node")
    process.found(epoch_seconds=3600)
    process.start("--tls-cert", str(tls.cert), "--tls-key", str(tls.key))
    try:
        assert process.url.startswith("https://127.0.0.1:")
        trusted = ask(process.url + "/healthz", SSL_CERT_FILE=str(tls.cert))
        assert "ok" in trusted.stdout, trusted.stderr
        stranger = ask(process.url + "/healthz")
        assert "UnavailableError" in stranger.stderr
        assert "certificate is not trusted" in stranger.stderr
    finally:
        process.stop()


def test_plain_http_off_loopback_is_refused_and_a_bad_key_too(tmp_path: Path) -> None:
    tls = certificate(tmp_path)
    for host in ("0.0.0.0", "::", "192.0.2.1", ""):  # noqa: S104 -- what is refused
        with pytest.raises(MalformedError, match="--tls-cert"):
            require_tls(host, None, behind_proxy=False)
        require_tls(host, None, behind_proxy=True)
        require_tls(host, tls, behind_proxy=False)
    require_tls("127.0.0.1", None, behind_proxy=False)
    tls.check()
    with pytest.raises(MalformedError, match="PEM"):
        Tls(tls.key, tls.key).check()
    tls.key.chmod(0o644)
    with pytest.raises(StorageError, match="readable by others"):
        tls.check()
    with pytest.raises(MalformedError, match="https"):
        check_published_url("http://node.example")
    check_published_url("https://node.example")
    check_published_url("http://127.0.0.1:7700")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0",
        "fc00::1", "fec0::1", "ff0e::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "not an address",
    ],
)  # fmt: skip
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "::ffff:8.8.8.8"])
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://a.example", "http://u:p@a.example", "http://", "http://a:b"],
)
def test_a_url_that_is_not_plain_http_is_refused(url: str) -> None:
    with pytest.raises(MalformedError):
        check_peer_url(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_no_miner_on_main_sends_the_super_node_home(
    process: RealSuperNode, host: str
) -> None:
    """By number and by name: the judge sees what the name resolved to."""
    port = process.url.rsplit(":", 1)[1]
    async with public_session() as session:
        client = MinerPeer(process.network, KEY, SignedClient(KEY, session))
        with pytest.raises(UnavailableError, match="no public address"):
            await client.status(Peer(KEY.public, f"http://{host}:{port}"))


async def test_the_preset_decides_whom_a_super_node_contacts(tmp_path: Path) -> None:
    for preset, inside in ((MAIN, False), (TEST, True)):
        (tmp_path / preset.name).mkdir()
        lab = Lab(tmp_path / preset.name, preset)
        lab.begin()
        assert (lab.node.session is None) is inside
        await lab.end()


def unit(process: RealSuperNode, kind: str, *, paid: bool = False) -> bytes:
    body: MinerRegister | MinerUpdate = MinerUpdate(payout=KEY.public, url="https://m.example")
    if kind == "miner.register":
        body = MinerRegister(
            vrf=b"v" * 32, payout=KEY.public, url="https://m.example", group="", owner=""
        )
    parents = [process.network, process.network]
    if paid:
        return encode(
            make_paid_unit(process.network, body, parents=parents, key=KEY, nonce=0, preset=TEST)
        )
    return encode(make_unit(process.network, body, parents=parents, key=KEY, nonce=0, fee=0))


def test_fresh_keys_get_no_fresh_quota(process: RealSuperNode) -> None:
    now = [0.0]
    limit = FreeUnits(TEST, exempt_loopback=True, monotonic=lambda: now[0])
    register, update = unit(process, "miner.register"), unit(process, "miner.update")
    for _ in range(int(free_units.REGISTRATIONS_BURST)):
        limit.check("2001:db8::1", register)
    with pytest.raises(RateError, match="try again in 60 s"):
        limit.check("2001:db8::2", register)  # the same /64
    limit.check("192.0.2.1", register)
    now[0] += free_units.REGISTRATION_SECONDS
    limit.check("2001:db8::3", register)
    for _ in range(int(free_units.FREE_UNITS_BURST)):
        limit.check("192.0.2.2", update)
        limit.check("127.0.0.1", register)  # many miners on one machine
    with pytest.raises(RateError, match="pay the fee"):
        limit.check("192.0.2.2", update)
    limit.check("192.0.2.2", unit(process, "miner.update", paid=True))
    own = parse_networks(["192.0.2.0/24", "2001:db8::/64"])
    cluster = FreeUnits(TEST, exempt_loopback=False, exempt=own, monotonic=lambda: now[0])
    for _ in range(2 * int(free_units.REGISTRATIONS_BURST)):
        cluster.check("192.0.2.77", register)
        cluster.check("2001:db8::9", register)
    with pytest.raises(MalformedError, match=r"for instance 10\.42"):
        parse_networks(["192.0.2.0/33"])
    behind = FreeUnits(TEST, exempt_loopback=False, monotonic=lambda: now[0])
    for _ in range(int(free_units.REGISTRATIONS_BURST)):
        behind.check("127.0.0.1", register)
    with pytest.raises(RateError):
        behind.check("127.0.0.1", register)


@given(st.ip_addresses(), st.integers(0, 32), st.text(max_size=40))
def test_networks_in_cidr_are_read_and_any_other_text_is_refused(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, bits: int, noise: str
) -> None:
    network = ipaddress.ip_network((address, bits), strict=False)
    assert parse_networks([str(network)]) == (network,)
    assert address in parse_networks([str(network)])[0]
    with contextlib.suppress(MalformedError):
        assert str(parse_networks([noise])[0])
