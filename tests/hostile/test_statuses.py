"""A miner's status is believed whole or not at all, and what is wrong with it is said by name."""

from typing import Any

import msgspec
import pytest
from cybervein_miner.sidecar.metric import HOST, MINER, SUPER_NODE
from cybervein_miner.sidecar.sources import Sources
from cybervein_operator.miners.client import MinerClient
from cybervein_operator.miners.report import Report
from cybervein_protocol.api.disk_state import DiskState
from cybervein_protocol.api.miner.disks import DiskDocument
from cybervein_protocol.api.miner.status import STATUS_BYTES_MAX, StatusDocument
from cybervein_protocol.errors import CyberVeinError, LimitError, MalformedError
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.trust import Trust
from documents import made
from small_server import answering

DISK = msgspec.to_builtins(made(DiskDocument, id="d1", path="/disks/a", state="ready"))
GOOD: dict[str, Any] = msgspec.to_builtins(made(StatusDocument, address="cv1", disks=[DISK]))
BAD = [
    b"", b"[1, 2", b"null", b"[]", b"\xff\xfe", b"{}", b"[" * 200_000,
    GOOD | {"v": 2}, GOOD | {"address": 7}, GOOD | {"disks": {}}, GOOD | {"disks": [None]},
    GOOD | {"disks": [DISK | {"state": "excellent"}]},
    GOOD | {"disks": [DISK | {"shards": -1}]},
    GOOD | {"disks": [DISK | {"capacity_bytes": 1 << 64}]},
    GOOD | {"free_bytes": 10**400}, GOOD | {"counters": {"uploads": "many"}},
    GOOD | {"drain": None}, {name: value for name, value in GOOD.items() if name != "draining"},
]  # fmt: skip


async def asked(url: str) -> Report:
    client = MinerClient(url, KeyPair(b"k" * 32))
    try:
        return await client.status("farm", "pool-0")
    finally:
        await client.close()


@pytest.mark.parametrize("answer", BAD, ids=lambda each: str(each)[:40])
async def test_the_operator_names_the_miner_whose_status_is_none(answer: Any) -> None:
    with answering(lambda _: answer) as (url, _), pytest.raises(MalformedError) as raised:
        await asked(url)
    assert f"{url}/v1/status: expected StatusDocument" in str(raised.value)


async def test_a_status_that_is_too_long_is_not_read_to_its_end() -> None:
    long = GOOD | {"problem": "x" * STATUS_BYTES_MAX}
    with answering(lambda _: long) as (url, _), pytest.raises(LimitError, match="more than"):
        await asked(url)


async def test_a_miner_of_0_1_0_and_one_of_a_later_version_are_read() -> None:
    drain = {name: value for name, value in GOOD["drain"].items() if name != "promised"}
    earlier, later = GOOD | {"drain": drain}, GOOD | {"weather": "fine"}
    answers = [earlier, later]
    with answering(lambda n: answers[n - 1]) as (url, _):
        for _ in answers:
            report = await asked(url)
            disk = report.disk("a")
            assert disk is not None
            assert disk.state is DiskState.READY


@pytest.mark.parametrize("answer", BAD, ids=lambda each: str(each)[:40])
async def test_a_sidecar_of_a_miner_that_lies_still_tells_of_the_others(answer: Any) -> None:
    with answering(lambda _: answer) as (url, _):
        sources = Sources(lambda: url, "http://127.0.0.1:9", Trust())
        try:
            answers = await sources.ask()
            with pytest.raises(CyberVeinError):
                await sources.miner()
        finally:
            await sources.close()
    assert answers[MINER].document is None
    assert answers[SUPER_NODE].document is None
    assert answers[HOST].document is not None
