"""Each route that is not public documents exactly the refusals that it can send: each is provoked.

405 and 500 are left out, which every route of every server has (`runtime/openapi`).
"""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from cybervein_miner.record.journal import Journal
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import StorageError
from cybervein_protocol.http_signature import ORDER_HEADER, SignableRequest, sign_request
from cybervein_protocol.messages import AuditRequest, Verb
from cybervein_protocol.messages.audits import AUDIT_REQUEST_BYTES_MAX, AuditItem
from cybervein_protocol.messages.orders import order_header
from cybervein_protocol.signing import KeyPair
from cybervein_runtime import http_server
from http_contract import Contract, contract_of
from miner_world import Running, World, serving, settings_of, shard_bytes

STRANGER = KeyPair(b"s" * 32)
NOWHERE = "0" * 64
SHARD, PLOT = "/v1/shards/{root}", "/v1/plots/{gamma}"
DISK, WIPE = "/v1/disks/{disk_id}", "/v1/disks/{disk_id}/wipe"
PLACE = "?segment=3&index=1"
DRAINING = b'{"v":1,"draining":true}'
AT_THE_DOOR = {401, 403, 409, 410, 503}
REFUSALS = {
    ("GET", "/v1/disks"): AT_THE_DOOR | {400},
    ("POST", "/v1/drain"): AT_THE_DOOR | {400, 413, 507},
    ("POST", "/v1/disks"): AT_THE_DOOR | {400, 413, 507},
    ("DELETE", DISK): AT_THE_DOOR | {400, 404, 507},
    ("POST", WIPE): AT_THE_DOOR | {400, 404, 413, 507},
    ("POST", "/v1/audit"): AT_THE_DOOR | {400, 404, 413, 507},
    ("GET", PLOT): AT_THE_DOOR | {400, 404, 413, 507},
    ("PUT", SHARD): AT_THE_DOOR | {400, 413, 422, 507},
    ("GET", SHARD): AT_THE_DOOR | {400, 404, 413, 422, 507},
    ("DELETE", SHARD): AT_THE_DOOR | {400, 404, 413, 507},
}  # fmt: skip
PATHS = {SHARD: f"/v1/shards/{NOWHERE}", PLOT: f"/v1/plots/{NOWHERE}?offset=0&length=0",
         DISK: "/v1/disks/none",         WIPE: "/v1/disks/none/wipe"}  # fmt: skip


@dataclass
class Asking:
    """Requests to a miner, each answer held against its OpenAPI document."""

    miner: Running
    contract: Contract

    def signed(
        self, method: str, path: str, key: KeyPair, body: bytes | None, **changes: Any
    ) -> dict[str, str]:
        """Headers; `order` is the header's text, `ago` when it was signed, in seconds."""
        order: str | None = changes.get("order")
        headers = {} if order is None else {ORDER_HEADER: order}
        request = SignableRequest(method, self.miner.url + path, headers)
        now = int(time.time()) - int(changes.get("ago", 0))
        nonce = f"{method}{time.monotonic_ns()}"
        return sign_request(request, key, now=now, nonce=nonce, body=body)

    async def ask(
        self, method: str, path: str, key: KeyPair, body: bytes | None = b"", **changes: Any
    ) -> int:
        """One signed request; shards' bytes are not covered by the signature."""
        bare = path.startswith(("/v1/shards", "/v1/plots"))
        headers = self.signed(method, path, key, None if bare else body, **changes)
        return (await self.contract.ask(method, path, body, headers)).status

    async def ordered(
        self, verb: Verb, root: bytes, query: str = "", body: bytes | None = b"", **order: Any
    ) -> int:
        """A request of the bearer under a valid order."""
        text = order_header(self.miner.world.order(self.miner.key, verb, root, **order))
        kind, method = ("plots", "GET") if verb == "READ" else ("shards", verb)
        path = f"/v1/{kind}/{root.hex()}{query}"
        return await self.ask(method, path, self.miner.world.bearer, body, order=text)

    @property
    def own(self) -> KeyPair:
        return self.miner.node.basis.identity.keys


@pytest.fixture
async def asking(world: World, tmp_path: Path) -> AsyncIterator[Asking]:
    settings = settings_of(world, tmp_path, tmp_path / "a", tmp_path / "b")
    async with serving(world, settings) as miner:
        yield Asking(miner, await contract_of(miner.url, miner.http))


@contextmanager
def full_journal(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The disk of the miner's journal is full while the block runs."""

    def submit(*_: object, **__: object) -> None:
        raise StorageError("the miner's journal cannot be written: no space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "_submit", submit)
        yield


async def test_each_route_documents_exactly_what_it_can_refuse(
    asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method, route in REFUSALS:
        await _at_the_door(asking, monkeypatch, method, PATHS.get(route, route))
    await _malformed(asking)
    await _control(asking, monkeypatch)
    await _shards(asking, monkeypatch)
    await _audits(asking)
    await _drain(asking, monkeypatch)
    seen = {
        (method, route): {each for each in asking.contract.seen[method, route] if each >= 400}
        for method, route in REFUSALS
    }
    documented = {
        (method, route): {
            int(each) for each in asking.contract.paths[route][method.lower()]["responses"]
        }
        - {200, 201, 204, 405, 500}
        for method, route in REFUSALS
    }
    assert seen == REFUSALS
    assert documented == REFUSALS


async def test_no_other_route_is_signed(asking: Asking) -> None:
    public = {"/v1/status", "/startupz", "/readyz", "/healthz"}
    assert {path for _, path in asking.contract.operations} - public == {p for _, p in REFUSALS}


async def _at_the_door(
    asking: Asking, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    """Unsigned, by a stranger, late, twice, and one of too many."""
    assert (await asking.contract.ask(method, path)).status == 401
    assert await asking.ask(method, path, STRANGER) == 403
    assert await asking.ask(method, path, asking.own, ago=3600) == 410
    twice = asking.signed(method, path, STRANGER, b"")
    assert (await asking.contract.ask(method, path, b"", twice)).status == 403
    assert (await asking.contract.ask(method, path, b"", twice)).status == 409
    with monkeypatch.context() as patch:
        patch.setattr(http_server, "_NONCES_MAX", 0)
        assert await asking.ask(method, path, asking.own) == 503


async def _malformed(asking: Asking) -> None:
    for method, path, body in (
        ("POST", "/v1/drain", b"{}"), ("POST", "/v1/disks", b'{"path":""}'),
        ("DELETE", "/v1/disks/none?force=perhaps", b""), ("POST", PATHS[WIPE], b"[]"),
        ("GET", "/v1/disks?twice=1&twice=2", b""),
        ("GET", "/v1/plots/short", b""), ("PUT", "/v1/shards/short", b""),
        ("GET", "/v1/shards/short", b""), ("DELETE", "/v1/shards/short", b""),
    ):  # fmt: skip
        assert await asking.ask(method, path, asking.own, body) == 400, path
    assert await asking.ask("POST", "/v1/audit", asking.miner.world.super_key, b"x") == 400


async def _control(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    own, disks = asking.own, asking.miner.node.basis.rack.disks
    big, nothing = b" " * 9000, b'{"path":"/dev/null/nowhere"}'
    for path in ("/v1/drain", "/v1/disks", "/v1/disks/none/wipe"):
        assert await asking.ask("POST", path, own, big) == 413
    assert await asking.ask("POST", "/v1/disks", own, nothing) == 507
    assert await asking.ask("DELETE", "/v1/disks/none", own) == 404
    assert await asking.ask("POST", "/v1/disks/none/wipe", own, b'{"v":1,"confirm":"none"}') == 404
    spare = disks[1].id
    confirm = f'{{"v":1,"confirm":"{spare}"}}'.encode()
    assert await asking.ask("DELETE", f"/v1/disks/{spare}", own) == 200
    with full_journal(monkeypatch):
        assert await asking.ask("DELETE", f"/v1/disks/{disks[0].id}", own) == 507
        assert await asking.ask("POST", f"/v1/disks/{spare}/wipe", own, confirm) == 507
    again = f'{{"path":"{disks[0].path}"}}'.encode()
    assert await asking.ask("POST", "/v1/disks", own, again) == 201


async def _shards(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    data = shard_bytes(300_000)
    root, absent = blake3(data).digest(), b"\7" * 32
    assert await asking.ordered("PUT", root, PLACE, data, max_bytes=1000) == 413
    assert await asking.ordered("PUT", root, PLACE, data[:-1] + b"!") == 422
    assert await asking.ordered("PUT", root, PLACE, data) == 201
    assert await asking.ordered("GET", absent) == 404
    assert await asking.ordered("DELETE", absent) == 404
    assert await asking.ordered("READ", absent, "?offset=0&length=1024") == 404
    for method, path in (("GET", SHARD), ("DELETE", SHARD), ("GET", PLOT)):
        bearer = asking.miner.world.bearer
        assert await asking.ask(method, PATHS[path], bearer, order="A" * 3000) == 413
    with full_journal(monkeypatch):
        assert await asking.ordered("GET", root) == 507
        assert await asking.ordered("DELETE", root) == 507
        assert await asking.ordered("READ", absent, "?offset=0&length=1024") == 507
    file = _file(asking.miner, root)
    file.with_name(f"{file.name}.obao").write_bytes(b"damaged")
    file.write_bytes(b"?" + data[1:])
    assert await asking.ordered("GET", root, "?offset=0&length=1024") == 422


async def _audits(asking: Asking) -> None:
    ask, key = asking.ask, asking.miner.world.super_key
    assert await ask("POST", "/v1/audit", key, b"x" * (AUDIT_REQUEST_BYTES_MAX + 1)) == 413
    data = shard_bytes(5000, 1)
    root = blake3(data).digest()
    assert await asking.ordered("PUT", root, PLACE, data) == 201
    body = encode(
        AuditRequest(v=1, epoch=1, holding=bytes(32), items=[AuditItem(root=root, chunk=0)])
    )
    assert await ask("POST", "/v1/audit", key, body) == 200
    file = _file(asking.miner, root)
    file.unlink()
    file.mkdir()
    assert await ask("POST", "/v1/audit", key, body) == 507
    file.rmdir()
    assert await asking.ordered("PUT", root, PLACE, data) == 201
    disk = asking.miner.node.basis.rack.disks[0].id
    assert await ask("DELETE", f"/v1/disks/{disk}?force=true", asking.own) == 200
    assert await ask("POST", "/v1/audit", key, body) == 404


async def _drain(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    with full_journal(monkeypatch):
        assert await asking.ask("POST", "/v1/drain", asking.own, DRAINING) == 507
    assert await asking.ask("POST", "/v1/drain", asking.own, DRAINING) == 200
    assert await asking.ordered("PUT", b"\5" * 32, PLACE, b"x") == 507


def _file(miner: Running, root: bytes) -> Path:
    found = (
        disk.folder("shards") / root.hex()[:2] / root.hex() for disk in miner.node.basis.rack.disks
    )
    [file] = [each for each in found if each.exists()]
    return file
