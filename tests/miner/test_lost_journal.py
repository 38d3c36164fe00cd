"""A lost, damaged or old journal: ledger and disks fill it again, and nothing is lost."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cybervein_runtime.identity import load_or_create_identity
from services import Service, get_json, miner, super_node
from waiting import until


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Service]:
    made = super_node(tmp_path / "sn", 3)
    yield made
    made.kill()


@pytest.fixture
def worker(node: Service, tmp_path: Path) -> Iterator[Service]:
    """A miner whose three plots count."""
    node.start()
    made = miner(tmp_path / "m", tmp_path / "sn" / "network.json", "--plots", "3")
    made.start()
    until(lambda: counting(made) == 3, "plots to count")
    yield made
    made.kill()


def counting(worker: Service) -> int:
    return int(worker.status()["plots_by_state"]["active"])


def on_ledger(node: Service, worker: Service) -> Any:
    return get_json(f"{node.url}/v1/miners/{worker.status()['address']}")


def void_units(node: Service) -> int:
    blocks = get_json(f"{node.url}/v1/blocks?limit=200")["blocks"]
    return sum(len(block["voids"]) for block in blocks)


def data_of(tmp_path: Path) -> Path:
    return tmp_path / "m" / "data"


def remove_journal(data: Path) -> None:
    for file in data.glob("miner.sqlite*"):
        file.unlink()


def proves_again(worker: Service) -> None:
    before = worker.status()["proofs"]["accepted"]
    until(lambda: worker.status()["proofs"]["accepted"] > before, "a proof")


def test_plots_of_a_lost_journal_count_again_in_their_old_batch_without_a_unit(
    node: Service, worker: Service, tmp_path: Path
) -> None:
    batches = on_ledger(node, worker)["batches"]
    worker.kill()
    forgotten = "what running orders had used is not known"
    assert forgotten not in worker.log.read_text()
    remove_journal(data_of(tmp_path))
    worker.start()
    until(lambda: counting(worker) == 3, "the same plots to count again")
    proves_again(worker)
    assert worker.log.read_text().count(forgotten) == 1
    assert on_ledger(node, worker)["batches"] == batches
    assert void_units(node) == 0
    assert worker.log.read_text().count("plots are taken over from it") == 1


def test_a_plot_that_is_on_no_disk_is_made_or_retired_and_three_count_in_the_end(
    node: Service, worker: Service, tmp_path: Path
) -> None:
    worker.kill()
    remove_journal(data_of(tmp_path))
    plots = sorted((tmp_path / "m" / "disk" / "cybervein" / "plots").glob("*.plot*"))
    for file in plots:
        if file.name.startswith("00000000"):
            file.unlink()
    worker.start()
    until(lambda: on_ledger(node, worker)["plots_active"] == counting(worker) == 3, "three plots")
    until(lambda: on_ledger(node, worker)["plots"] == 3, "the ledger to have no more")
    proves_again(worker)
    assert void_units(node) == 0
    until(lambda: worker.status()["problem"] == "", "no problem is left")


def test_a_journal_of_before_the_registration_registers_nothing_twice(
    node: Service, tmp_path: Path
) -> None:
    worker = miner(tmp_path / "m", tmp_path / "sn" / "network.json", "--plots", "3")
    worker.start()  # its super node is away
    until(lambda: worker.status()["plots"] == 3, "three plots")
    worker.stop()
    old = tmp_path / "old.sqlite"
    shutil.copy(data_of(tmp_path) / "miner.sqlite", old)
    node.start()
    worker.start()
    until(lambda: counting(worker) == 3, "plots to count")
    worker.kill()
    remove_journal(data_of(tmp_path))
    shutil.copy(old, data_of(tmp_path) / "miner.sqlite")
    worker.start()
    until(lambda: counting(worker) == 3, "the same plots to count again")
    proves_again(worker)
    assert void_units(node) == 0
    assert len(on_ledger(node, worker)["batches"]) == 1
    worker.stop()


@pytest.mark.parametrize("damage", ["no database", "a page of it"])
def test_a_damaged_journal_is_one_line_with_the_remedy_and_is_kept_aside(
    node: Service, worker: Service, tmp_path: Path, damage: str
) -> None:
    worker.stop()
    data = data_of(tmp_path)
    journal = data / "miner.sqlite"
    whole = journal.read_bytes()
    at = 0 if damage == "no database" else 4096
    broken = whole[:at] + b"\xff" * 4096 + whole[at + 4096 :]
    journal.write_bytes(broken)
    worker.launch()
    until(lambda: not worker.alive, "the refusal")
    told = " ".join(worker.tail().split())
    assert "it is damaged" in told
    assert "start once with --rebuild-journal" in told
    assert "Traceback" not in worker.log.read_text()
    assert journal.read_bytes() == broken
    worker.start("--rebuild-journal")
    until(lambda: counting(worker) == 3, "the same plots to count again")
    assert (data / "miner.sqlite.damaged-1").read_bytes() == broken
    assert void_units(node) == 0


def test_a_miner_moves_to_another_machine_with_its_disk_and_identity_alone(
    node: Service, worker: Service, tmp_path: Path
) -> None:
    batches = on_ledger(node, worker)["batches"]
    worker.stop()
    moved = tmp_path / "elsewhere"
    (moved / "data").mkdir(parents=True)
    shutil.move(tmp_path / "m" / "disk", moved / "disk")
    shutil.copy2(data_of(tmp_path) / "identity.json", moved / "data")
    other = miner(moved, tmp_path / "sn" / "network.json", "--plots", "3")
    other.start()
    until(lambda: counting(other) == 3, "the same plots to count")
    proves_again(other)
    row = on_ledger(node, other)
    assert (row["url"], row["batches"]) == (other.url, batches)
    until(lambda: other.status()["problem"] == "", "no problem is left")
    other.kill()


def test_a_miner_of_kubernetes_whose_journals_claim_is_lost_heals(
    node: Service, tmp_path: Path
) -> None:
    """The keys are a mounted Secret and the data directory is empty: a new claim's."""
    node.start()
    identity, data = tmp_path / "secret" / "identity.json", data_of(tmp_path)
    load_or_create_identity(identity)
    network = tmp_path / "sn" / "network.json"
    worker = miner(tmp_path / "m", network, "--plots", "3", "--identity", str(identity))
    worker.start()
    try:
        until(lambda: counting(worker) == 3, "plots to count")
        before = on_ledger(node, worker)["batches"]
        worker.stop()
        shutil.rmtree(data)
        worker.start()
        until(lambda: counting(worker) == 3, "plots to count again")
        proves_again(worker)
        status = worker.status()
        assert (status["plots"], status["problem"], status["degraded"]) == (3, "", [])
        assert on_ledger(node, worker)["batches"] == before
        assert void_units(node) == 0
    finally:
        worker.kill()


def test_one_identity_that_runs_twice_is_told_to_both(
    node: Service, worker: Service, tmp_path: Path
) -> None:
    (tmp_path / "twin" / "data").mkdir(parents=True)
    shutil.copy2(data_of(tmp_path) / "identity.json", tmp_path / "twin" / "data")
    twin = miner(tmp_path / "twin", tmp_path / "sn" / "network.json", "--plots", "0")
    twin.start()
    for each, other in ((worker, twin), (twin, worker)):
        until(
            lambda each=each, other=other: (
                other.url in str(each.status()["problem"])
                and "another process mines under this identity" in str(each.status()["problem"])
            ),
            "the other to be noticed",
        )
    assert on_ledger(node, worker)["plots"] == 3
    twin.kill()
