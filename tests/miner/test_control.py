"""Who rules a miner: its own key from this machine, the control key from anywhere, nobody else."""

import asyncio
import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import pytest
from cybervein_miner.disk.rack import Rack
from cybervein_miner.node.assembly import assemble
from cybervein_miner.node.settings import Settings
from cybervein_miner.record.journal import Journal
from cybervein_protocol.errors import CyberVeinError, ForbiddenError, StorageError
from cybervein_protocol.http_signature import SignableRequest, sign_request
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.duty import Duty
from cybervein_runtime.files import check_secret
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.identity import new_identity, save_identity
from miner_world import Running, World, serving, settings_of
from waiting import until_async

CONTROL, OTHER = KeyPair(b"\x0c" * 32), KeyPair(b"\x0d" * 32)
DRAIN = b'{"v":1,"draining":true}'


def ruled(world: World, folder: Path) -> Settings:
    return settings_of(world, folder, folder / "disk", control=CONTROL.public)


async def ask(  # noqa: PLR0913 -- a request's parts
    miner: Running,
    key: KeyPair,
    method: str = "POST",
    path: str = "/v1/drain",
    body: bytes | None = DRAIN,
    *,
    meant: bytes | None = None,
) -> tuple[int, dict[str, object]]:
    """A signed request that names its miner; (status, answer)."""
    url = f"{miner.url}{path}?miner={address(meant or miner.key)}"
    status, answer = await miner.call(
        method,
        url.removeprefix(miner.url),
        body,
        key=key,
        **signed(key, url, method, body),
    )
    return status, json.loads(answer)


def signed(
    key: KeyPair, url: str, method: str, body: bytes | None, *, at: float = 0.0
) -> dict[str, str]:
    """Headers of a request whose body is signed too, made `at` seconds from now."""
    request = SignableRequest(method, url, {})
    now = int(time.time() + at)
    return sign_request(request, key, now=now, nonce=os.urandom(8).hex(), body=body or b"")


async def test_the_control_key_drains_adds_removes_and_lists(world: World, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    async with serving(world, ruled(world, tmp_path)) as miner:
        status, answer = await ask(miner, CONTROL)
        assert (status, answer["draining"]) == (200, True)
        body = json.dumps({"path": str(tmp_path / "more")}).encode()
        status, disk = await ask(miner, CONTROL, path="/v1/disks", body=body)
        assert (status, disk["state"]) == (201, "ready")
        status, disks = await ask(miner, CONTROL, "GET", "/v1/disks", None)
        assert (status, len(disks)) == (200, 2)
        status, gone = await ask(miner, CONTROL, "DELETE", f"/v1/disks/{disk['id']}", None)
        assert (status, gone["state"]) == (200, "drained")
        wipe = json.dumps({"v": 1, "confirm": disk["id"]}).encode()
        status, _ = await ask(miner, CONTROL, path=f"/v1/disks/{disk['id']}/wipe", body=wipe)
        assert status == 200


@pytest.mark.parametrize("key", [OTHER, KeyPair(b"\x0e" * 32)])
async def test_another_key_has_no_control(world: World, tmp_path: Path, key: KeyPair) -> None:
    async with serving(world, ruled(world, tmp_path)) as miner:
        status, answer = await ask(miner, key)
        assert (status, "may not control this miner" in str(answer["message"])) == (403, True)
        assert not miner.node.basis.drain.wanted


async def test_a_request_for_another_miner_is_refused(world: World, tmp_path: Path) -> None:
    async with serving(world, ruled(world, tmp_path)) as miner:
        status, answer = await ask(miner, CONTROL, meant=OTHER.public)
        assert (status, "send ?miner=" in str(answer["message"])) == (403, True)
        with pytest.raises(ForbiddenError, match="is for nobody"):
            await SignedClient(CONTROL, miner.http).request(
                "POST", f"{miner.url}/v1/drain", body=DRAIN
            )


async def test_without_a_control_key_nobody_else_rules(miner: Running) -> None:
    assert (await ask(miner, CONTROL))[0] == 403
    answer = await miner.owner().request("POST", f"{miner.url}/v1/drain", body=DRAIN)
    assert answer.json()["draining"]


async def test_a_request_counts_once_and_not_after_a_restart(world: World, tmp_path: Path) -> None:
    url = ""
    async with serving(world, ruled(world, tmp_path)) as miner:
        path = f"/v1/drain?miner={address(miner.key)}"
        url = f"{miner.url}{path}"
        headers = signed(CONTROL, url, "POST", DRAIN)
        async with miner.http.post(url, data=DRAIN, headers=headers) as answer:
            assert answer.status == 200
        async with miner.http.post(url, data=DRAIN, headers=headers) as answer:
            assert (answer.status, (await answer.json())["error"]) == (409, "replay")
    async with serving(world, ruled(world, tmp_path)) as miner:
        before = signed(CONTROL, f"{miner.url}{path}", "POST", DRAIN, at=-20)
        async with miner.http.post(f"{miner.url}{path}", data=DRAIN, headers=before) as answer:
            document = await answer.json()
        assert (answer.status, document["error"]) == (410, "expired")
        assert "this process runs since" in document["message"]
        assert (await ask(miner, CONTROL))[0] == 200


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"v":2,"draining":true}', b'{"v":1}', b'{"v":1,"draining":1}', b"\xff"]
)
async def test_a_malformed_drain_is_refused(miner: Running, body: bytes) -> None:
    with pytest.raises(CyberVeinError, match="POST /v1/drain"):
        await miner.owner().request("POST", f"{miner.url}/v1/drain", body=body)
    assert not miner.node.basis.drain.wanted


def test_the_identity_comes_from_a_file_and_owns_its_data(world: World, tmp_path: Path) -> None:
    first, second = tmp_path / "one.json", tmp_path / "two.json"
    save_identity(first, new_identity())
    save_identity(second, new_identity())
    settings = settings_of(world, tmp_path, tmp_path / "disk", identity=first)
    node = assemble(settings, "http://127.0.0.1:1")
    assert not (tmp_path / "data" / "identity.json").exists()
    node.basis.journal.close()
    assemble(settings, "http://127.0.0.1:1").basis.journal.close()
    foreign = settings_of(world, tmp_path, tmp_path / "disk", identity=second)
    with pytest.raises(ForbiddenError, match="identities are never cloned"):
        assemble(foreign, "http://127.0.0.1:1")
    with pytest.raises(ForbiddenError, match="belongs to miner"):
        assemble(settings_of(world, tmp_path, tmp_path / "disk"), "http://127.0.0.1:1")


def test_data_with_keys_of_its_own_takes_no_others(world: World, tmp_path: Path) -> None:
    assemble(
        settings_of(world, tmp_path, tmp_path / "disk"), "http://127.0.0.1:1"
    ).basis.journal.close()
    (tmp_path / "data" / "miner.address").unlink()  # data of an earlier release
    given = tmp_path / "given.json"
    save_identity(given, new_identity())
    with pytest.raises(ForbiddenError, match="belongs to miner"):
        assemble(settings_of(world, tmp_path, tmp_path / "disk", identity=given), "http://x")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user may enter, unlike pytest's own."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def test_a_secret_is_refused_where_others_read_it_and_taken_as_a_mounted_one(
    open_folder: Path,
) -> None:
    file = open_folder / "secret"
    file.write_text("x")
    for mode in (0o644, 0o640, 0o604):
        file.chmod(mode)
        with pytest.raises(StorageError, match="readable by others"):
            check_secret(file)
    file.chmod(0o440)  # as a pod sees a mounted secret: root's file, read through the group
    child = os.fork()
    if child == 0:
        os.setgid(65532)
        os.setuid(65532)
        try:
            check_secret(file)
        except BaseException:  # noqa: BLE001 -- a child says it by its exit code
            os._exit(1)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o440


async def test_probes_name_a_dead_disk_and_stay_true(world: World, tmp_path: Path) -> None:
    settings = settings_of(world, tmp_path, tmp_path / "a", tmp_path / "b")
    async with serving(world, settings) as miner:
        async with miner.http.get(f"{miner.url}/readyz") as answer:
            document = await answer.json()
        assert (answer.status, document["error"]) == (503, "unavailable")
        assert document["reasons"] == ["no super node has answered yet"]
        miner.node.basis.sight.before = 3  # as after a restart: orders are judged by it
        (tmp_path / "b" / "cybervein" / "disk.marker").unlink()
        await asyncio.to_thread(miner.node.basis.rack.look)
        for probe in ("startupz", "readyz"):
            async with miner.http.get(f"{miner.url}/{probe}") as answer:
                document = await answer.json()
            assert (answer.status, document["status"]) == (200, "degraded")
            assert str(tmp_path / "b") in document["reasons"][0]
            assert {disk["state"] for disk in document["disks"]} == {"ready", "missing"}
        (tmp_path / "a" / "cybervein" / "disk.marker").unlink()
        await asyncio.to_thread(miner.node.basis.rack.look)
        async with miner.http.get(f"{miner.url}/readyz") as answer:
            document = await answer.json()
        assert (answer.status, document["message"]) == (503, "no disk can be read")
        async with miner.http.get(f"{miner.url}/startupz") as answer:
            assert answer.status == 200, "it has started: it says what is wrong"
        async with miner.http.get(f"{miner.url}/healthz") as answer:
            assert answer.status == 200, "a restart does not mend disks"
        degraded = miner.node.board.document().degraded
        assert sum("missing" in line for line in degraded) == 2


async def test_a_duty_that_ended_fails_the_liveness_probe(world: World, tmp_path: Path) -> None:
    async def broken() -> None:
        raise RuntimeError("a bug")

    settings = settings_of(world, tmp_path, tmp_path / "disk")
    async with serving(world, settings, Duty("upkeep", broken)) as miner:
        await until_async(lambda: asked(miner), "the probe tells of it")


async def asked(miner: Running) -> bool:
    async with miner.http.get(f"{miner.url}/healthz") as answer:
        document = await answer.json()
    return (answer.status, document["reasons"]) == (503, ["the duty 'upkeep' has ended"])


async def test_the_bandwidth_cap_holds_over_uploads_and_downloads(
    world: World, tmp_path: Path
) -> None:
    from blake3 import blake3  # noqa: PLC0415
    from miner_world import shard_bytes  # noqa: PLC0415

    rate, size = 4 << 20, 2 << 20
    settings = settings_of(world, tmp_path, tmp_path / "disk", bandwidth=rate)
    async with serving(world, settings) as miner:
        began = time.monotonic()
        for seed in range(2):
            data = shard_bytes(size, seed)
            assert (await miner.put(data))[0] == 201
            assert await miner.get(blake3(data).digest()) == (200, data)
        seconds = time.monotonic() - began
        assert 4 * size / rate - 0.75 <= seconds, f"{4 * size} bytes at {rate}/s in {seconds} s"
        assert miner.node.board.document().bandwidth_cap_bytes_per_second == rate


async def test_from_another_machine_the_control_key_rules_and_the_miner_s_own_does_not(
    world: World, tmp_path: Path
) -> None:
    """Any other address of the loopback net stands for another machine: it is not 127.0.0.1."""
    async with serving(world, ruled(world, tmp_path)) as miner:
        url = f"{miner.url}/v1/drain?miner={address(miner.key)}"
        away = aiohttp.TCPConnector(local_addr=("127.0.0.5", 0))
        async with aiohttp.ClientSession(connector=away) as http:
            own = signed(miner.node.basis.identity.keys, url, "POST", DRAIN)
            async with http.post(url, data=DRAIN, headers=own) as answer:
                document = await answer.json()
            assert (answer.status, miner.node.basis.drain.wanted) == (403, False)
            assert "only from this machine, not from 127.0.0.5" in document["message"]
            control = signed(CONTROL, url, "POST", DRAIN)
            async with http.post(url, data=DRAIN, headers=control) as answer:
                assert (answer.status, miner.node.basis.drain.wanted) == (200, True)


@pytest.mark.usefixtures("by_hand")
async def test_a_foreign_path_is_named_and_comes_in_by_itself_once_it_is_right(
    world: World, tmp_path: Path
) -> None:
    for name in ("mine", "theirs"):
        (tmp_path / name).mkdir()
    other = Journal(tmp_path / "other.sqlite")
    Rack(OTHER, other).add(tmp_path / "theirs")
    other.close()
    settings = settings_of(world, tmp_path, tmp_path / "mine", tmp_path / "theirs", tmp_path / "no")
    (tmp_path / "no").rmdir()
    async with serving(world, settings) as miner:
        disks = {disk.path: disk for disk in miner.node.board.document().disks}
        foreign, absent = disks[str(tmp_path / "theirs")], disks[str(tmp_path / "no")]
        assert (foreign.id, foreign.state, absent.state) == ("", "foreign", "missing")
        assert "belongs to miner" in foreign.reason
        assert sum(str(tmp_path) in line for line in miner.node.board.degraded()) == 2
        (tmp_path / "theirs" / "cybervein").rename(tmp_path / "gone")
        (tmp_path / "no").mkdir()
        await asyncio.to_thread(miner.node.upkeep.look)
        states = {d.path: d.state for d in miner.node.board.document().disks}
        assert set(states.values()) == {"ready"}
        assert len(states) == 3


async def test_a_drain_without_a_super_node_says_what_it_waits_for(miner: Running) -> None:
    async with asyncio.timeout(300):
        while miner.node.basis.sight.reachable is None:
            await asyncio.sleep(0.02)
    answer = await miner.owner().request("POST", f"{miner.url}/v1/drain", body=DRAIN)
    assert answer.json()["drain"]["blocked_by"] == "no super node answers"
