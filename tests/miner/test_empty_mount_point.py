"""An empty place is not claimed while plots that count are on no disk here, unless one says so.

Lost are the journal and the mount: what is left looks like a new miner with a new disk.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cybervein_miner.disk.marker import marker_path
from cybervein_miner.disk.rack import Rack
from cybervein_miner.record.journal import Journal
from cybervein_protocol.errors import ConflictError, StorageError
from cybervein_protocol.signing import KeyPair
from miner_world import World, settings_of
from services import Service, get_json, miner, run, super_node
from waiting import until

KEY = KeyPair(b"\x01" * 32)
NOT_HERE = "3 plots of this miner that count are on no disk here"
UNDECIDED = "is not claimed before the ledger has said"


def rack(journal: Path, plots: int | None = 0) -> Rack:
    made = Rack(KEY, Journal(journal), floor=0)
    made.unaccounted.plots = plots
    return made


@pytest.mark.parametrize(("plots", "said"), [(None, UNDECIDED), (3, NOT_HERE)])
def test_a_bare_mount_point_keeps_no_marker_until_its_disk_is_back(
    tmp_path: Path, plots: int | None, said: str
) -> None:
    place, away = tmp_path / "hdd", tmp_path / "unplugged"
    place.mkdir()
    first = rack(tmp_path / "lost.sqlite")
    first.open([place])
    [known] = first.disks
    place.rename(away)
    place.mkdir()
    again = rack(tmp_path / "new.sqlite", plots)
    assert said in again.open([place])[0]
    assert again.try_refused() == []
    assert again.disks == []
    assert list(place.iterdir()) == [], "nothing was written under the mount point"
    place.rmdir()
    away.rename(place)
    assert [disk.id for disk in again.try_refused()] == [known.id]
    assert again.refused == {}


def test_it_is_claimed_once_every_plot_is_accounted_for_or_a_person_says_that_it_is_new(
    tmp_path: Path,
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    mine, asked = rack(tmp_path / "miner.sqlite", None), []
    mine.unaccounted.then = lambda: asked.append(mine.try_refused())
    mine.open([tmp_path / "a"])
    mine.unaccounted.learn(2)
    with pytest.raises(ConflictError, match=f"disk add {tmp_path / 'b'} --as-new"):
        mine.add(tmp_path / "b")
    assert mine.add(tmp_path / "b", as_new=True).readable
    assert asked == []
    mine.unaccounted.learn(0)
    assert {disk.path.name for disk in mine.disks} == {"a", "b"}
    assert marker_path(tmp_path / "a").exists()


def test_keys_that_are_made_at_the_start_wait_for_nobody_and_later_ones_do(
    world: World, tmp_path: Path
) -> None:
    """The super node of this world never answers."""
    disk = tmp_path / "m" / "disk"
    worker = miner(tmp_path / "m", world.file, "--plots", "0").start()
    assert [each["state"] for each in worker.status()["disks"]] == ["ready"]
    worker.stop()
    remove_journal(tmp_path)
    disk.rename(tmp_path / "unplugged")
    disk.mkdir()
    worker.start()
    [told] = worker.status()["disks"]
    assert (told["state"], told["path"]) == ("missing", str(disk))
    assert UNDECIDED in told["reason"]
    assert worker.stop() == 0
    assert list(disk.iterdir()) == []
    assert settings_of(world, tmp_path / "m").identity_file.exists()


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Service]:
    made = super_node(tmp_path / "sn", 3)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def worker(node: Service, tmp_path: Path) -> Iterator[Service]:
    """A miner whose three plots count; its journal is lost and its disk is not mounted."""
    made = miner(tmp_path / "m", tmp_path / "sn" / "network.json", "--plots", "3")
    made.start()
    until(lambda: counting(made) == 3, "plots to count")
    made.kill()
    remove_journal(tmp_path)
    disk = tmp_path / "m" / "disk"
    disk.rename(tmp_path / "unplugged")
    disk.mkdir()
    made.start()
    until(lambda: NOT_HERE in made.status()["disks"][0]["reason"], "the empty place to be told")
    assert node.alive
    yield made
    made.kill()


def remove_journal(folder: Path) -> None:
    for file in (folder / "m" / "data").glob("miner.sqlite*"):
        file.unlink()


def counting(worker: Service) -> int:
    return int(worker.status()["plots_by_state"]["active"])


def on_ledger(node: Service, worker: Service) -> Any:
    return get_json(f"{node.url}/v1/miners/{worker.status()['address']}")


def test_the_plots_of_the_real_disk_outlive_its_absence_without_a_journal(
    node: Service, worker: Service, tmp_path: Path
) -> None:
    disk, before = tmp_path / "m" / "disk", on_ledger(node, worker)
    epoch = before["epoch"] if "epoch" in before else get_json(f"{node.url}/v1/network")["epoch"]
    until(lambda: get_json(f"{node.url}/v1/network")["epoch"] > epoch + 3, "patience to end")
    assert on_ledger(node, worker)["batches"] == before["batches"]
    assert list(disk.iterdir()) == []
    disk.rmdir()
    (tmp_path / "unplugged").rename(disk)
    until(lambda: counting(worker) == 3, "the same plots to count again")
    assert on_ledger(node, worker)["batches"] == before["batches"]
    assert worker.log.read_text().count(NOT_HERE) == 1, "one event"


def test_a_disk_that_is_lost_for_good_is_given_up_by_a_persons_word(
    node: Service, worker: Service, tmp_path: Path
) -> None:
    disk, data = tmp_path / "m" / "disk", tmp_path / "m" / "data"
    refused = run("disk", "add", disk, "--data", data)
    assert refused.returncode != 0
    assert NOT_HERE in " ".join(refused.stderr.split())
    added = run("disk", "add", disk, "--as-new", "--data", data)
    assert added.returncode == 0, added.stderr
    until(
        lambda: on_ledger(node, worker)["plots"] == counting(worker) == 3, "three others to count"
    )
    until(lambda: worker.status()["problem"] == "", "no problem is left")


def test_a_new_disk_where_a_lost_one_belongs_is_refused_with_the_way_to_give_that_up(
    tmp_path: Path,
) -> None:
    place, mine = tmp_path / "hdd", rack(tmp_path / "miner.sqlite")
    place.mkdir()
    mine.open([place])
    [lost] = mine.disks
    place.rename(tmp_path / "broken")
    place.mkdir()
    with pytest.raises(StorageError, match=f"give it up with `cybervein disk remove {lost.id}"):
        mine.add(place, as_new=True)
    assert list(place.iterdir()) == []
    mine.forget(lost)
    assert mine.add(place, as_new=True).placeable


def test_a_disk_is_added_while_no_super_node_answers_where_the_journal_is_whole(
    tmp_path: Path,
) -> None:
    made = super_node(tmp_path / "sn", 3)
    worker = miner(tmp_path / "m", tmp_path / "sn" / "network.json", "--plots", "0")
    (tmp_path / "new").mkdir()
    try:
        made.start()
        worker.start()
        until(lambda: worker.status()["registered"], "it is registered")
        worker.stop()
        made.stop()
        worker.start()
        added = run("disk", "add", tmp_path / "new", "--data", tmp_path / "m" / "data")
        assert added.returncode == 0, added.stderr
        assert len(worker.status()["disks"]) == 2
    finally:
        worker.kill()
        made.kill()
