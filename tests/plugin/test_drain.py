"""Draining miners, changing and wiping disks: what a person asks for is what the operator reads."""

import pytest
from farm import Plugin, disk_says
from waiting import DEADLINE_SECONDS, until

pytestmark = pytest.mark.kubernetes


def drain_of(farm: Plugin) -> list[str]:
    pool = farm.api.get("minerpool", "pool")
    assert pool is not None
    return list(pool["spec"].get("drain", []))


def test_drain_asks_the_pool_and_returns_when_the_miner_is_stopped(farm: Plugin) -> None:
    run = farm.start("drain", "pool-1")
    until(lambda: drain_of(farm) == ["pool-1"], "the pool's spec says so")
    assert run.stderr is not None
    assert "5 shards left" in run.stderr.readline()
    disk_says(farm.api, 1, phase="Drained", shards=0)
    farm.api.delete("statefulset", "pool-1")
    out, err = run.communicate(timeout=DEADLINE_SECONDS)
    assert run.returncode == 0, err
    assert "pool-1: drained and stopped; its volumes and identity stay" in out


def test_draining_one_miner_keeps_the_drain_of_another(farm: Plugin) -> None:
    farm("drain", "pool-0", "--no-wait")
    farm("drain", "pool-1", "--no-wait")
    assert drain_of(farm) == ["pool-0", "pool-1"]
    farm("drain", "pool-0", "--cancel")
    assert drain_of(farm) == ["pool-1"]


def test_a_node_is_drained_by_the_miners_that_were_seen_on_it(farm: Plugin) -> None:
    disk_says(farm.api, 1, phase="InUse", node="node-b")
    farm("drain", "--node", "node-b", "--no-wait")
    assert drain_of(farm) == ["pool-1"]


def test_time_runs_out_with_the_way_on_and_the_drain_stays_asked_for(farm: Plugin) -> None:
    text = farm("drain", "pool-0", "--timeout", "1", code=4)
    assert "1 of 1 miners still drain" in text
    assert "--cancel" in text
    assert drain_of(farm) == ["pool-0"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("pool-9x",), 2, "no miner's name"),
        ((), 2, "name miners (POOL-N) or --node NODE"),
        (("none-0",), 1, '"none" not found'),
        (("--node", "nowhere"), 1, "no miner runs on node nowhere"),
    ],
)
def test_wrong_names_are_refused_in_one_line(
    farm: Plugin, arguments: tuple[str, ...], code: int, message: str
) -> None:
    text = farm("drain", *arguments, "--no-wait", code=code)
    assert message in text
    assert text.count("\n") == 1


def test_a_disk_is_emptied_then_pulled_then_the_new_one_is_taken(farm: Plugin) -> None:
    run = farm.start("disk", "replace", "pool-0-disk1")
    until(lambda: disk_spec(farm)["drain"] is True, "the disk is asked to drain")
    disk_says(farm.api, 0, phase="Draining", shards=2)
    disk_says(farm.api, 0, phase="Drained", shards=0, diskId="disk-0")
    out, err = run.communicate(timeout=DEADLINE_SECONDS)
    assert run.returncode == 0, err
    told = " ".join(out.split())
    assert "pool-0-disk1 is empty and may be pulled: disk disk-0" in told
    assert "claim pool-0-disk1 on node-a" in told

    run = farm.start("disk", "replace", "pool-0-disk1", "--new")
    until(lambda: disk_spec(farm)["drain"] is False, "the disk is taken into use")
    disk_says(farm.api, 0, phase="InUse", diskId="disk-new")
    out, err = run.communicate(timeout=DEADLINE_SECONDS)
    assert run.returncode == 0, err
    assert "pool-0-disk1 is in use: disk disk-new" in out


def disk_spec(farm: Plugin) -> dict[str, object]:
    disk = farm.api.get("minerdisk", "pool-0-disk1")
    assert disk is not None
    return {"drain": None, "wipe": None} | disk["spec"]


def test_a_wipe_needs_the_id_of_the_disk(farm: Plugin) -> None:
    text = farm("wipe", "pool-0-disk1", code=1)
    assert "--confirm disk-0" in text
    text = farm("wipe", "pool-0-disk1", "--confirm", "disk-1", code=1)
    assert "is disk disk-0, not disk-1; nothing was deleted" in text
    assert disk_spec(farm)["wipe"] is None


def test_a_wipe_of_a_disk_in_use_is_refused(farm: Plugin) -> None:
    text = farm("wipe", "pool-0-disk1", "--confirm", "disk-0", code=1)
    assert "InUse, not Drained" in text
    assert disk_spec(farm)["wipe"] is None


def test_a_drained_disk_is_wiped(farm: Plugin) -> None:
    farm.api.patch("minerdisk", "pool-0-disk1", {"spec": {"drain": True}})
    disk_says(farm.api, 0, phase="Drained", shards=0, diskId="disk-0")
    run = farm.start("wipe", "pool-0-disk1", "--confirm", "disk-0")
    until(lambda: disk_spec(farm)["wipe"] == "disk-0", "the wipe is asked for")
    disk_says(farm.api, 0, phase="Wiped")
    out, err = run.communicate(timeout=DEADLINE_SECONDS)
    assert run.returncode == 0, err
    assert "pool-0-disk1 is wiped" in out
