"""One miner at a time in a data directory, of one network: the second changes nothing there."""

from pathlib import Path

import pytest
from cybervein_miner.node.assembly import assemble
from cybervein_protocol.encoding import cid_text, encode
from cybervein_protocol.errors import ForbiddenError
from cybervein_protocol.ledger.mining.bodies import PlotBatch, PlotEntry
from cybervein_protocol.ledger.units.genesis import root_units
from cybervein_protocol.ledger.units.unit import make_unit
from cybervein_protocol.names import Veins
from cybervein_runtime.belonging import PIN
from miner_world import World, new_world, settings_of
from services import miner, sidecar
from waiting import until


def test_a_second_miner_is_refused_and_touches_neither_run_file_nor_plot_in_the_making(
    world: World, tmp_path: Path
) -> None:
    first = miner(tmp_path / "m", world.file, "--plots", "0").start()
    second = miner(tmp_path / "m", world.file, "--plots", "0")
    partial = tmp_path / "m" / "disk" / "cybervein" / "plots" / "00000001.plot.partial"
    partial.write_bytes(b"half")
    announced = first.run_file.read_bytes()
    second.launch()
    first.run_file.write_bytes(announced)  # `launch` removes it to see it come
    until(lambda: not second.alive, "the second to end")
    told = f"another miner is running on this data (process {first.pid}, since"
    assert told in " ".join(second.tail().split())
    assert (first.run_file.read_bytes(), partial.read_bytes()) == (announced, b"half")
    assert first.status()["v"] == 1
    first.kill()
    second.start()
    assert not partial.exists()


def test_a_second_sidecar_on_one_run_file_is_refused(tmp_path: Path) -> None:
    nobody = "http://127.0.0.1:1"
    first = sidecar(tmp_path / "sidecar.json", nobody, nobody).start()
    second = sidecar(tmp_path / "sidecar.json", nobody, nobody)
    announced = first.run_file.read_bytes()
    second.launch()
    first.run_file.write_bytes(announced)
    until(lambda: not second.alive, "the second to end")
    assert f"another sidecar is running on this data (process {first.pid}" in " ".join(
        second.tail().split()
    )
    assert first.run_file.read_bytes() == announced


def test_another_network_is_refused_over_the_same_journal(world: World, tmp_path: Path) -> None:
    settings = settings_of(world, tmp_path, tmp_path / "disk")
    assemble(settings, "http://127.0.0.1:1").basis.journal.close()
    (tmp_path / "other").mkdir()
    other = new_world(tmp_path / "other")
    names = f"{cid_text(world.network.network)}.*{cid_text(other.network.network)}"
    with pytest.raises(ForbiddenError, match=names):
        assemble(settings_of(other, tmp_path, tmp_path / "disk"), "http://127.0.0.1:1")


def test_a_journal_of_an_earlier_release_tells_its_network_by_its_batches(
    world: World, tmp_path: Path
) -> None:
    settings = settings_of(world, tmp_path, tmp_path / "disk")
    basis = assemble(settings, "http://127.0.0.1:1").basis
    body = PlotBatch(plots=[PlotEntry(index=0, kappa=b"k" * 32, gamma=b"g" * 32)], bond=Veins(0))
    unit = make_unit(
        world.network.network, body, parents=root_units(world.network.genesis),
        key=basis.identity.keys, nonce=0, fee=Veins(0),
    )  # fmt: skip
    row = (b"b" * 32, encode(unit), "sent", 0, 0)
    basis.journal.write_now(lambda db: db.execute("INSERT INTO batch VALUES (?,?,?,?,?)", row))
    basis.journal.close()
    (settings.data / PIN).unlink()
    (tmp_path / "other").mkdir()
    other = new_world(tmp_path / "other")
    with pytest.raises(ForbiddenError, match=cid_text(world.network.network)):
        assemble(settings_of(other, tmp_path, tmp_path / "disk"), "http://127.0.0.1:1")
    assemble(settings, "http://127.0.0.1:1").basis.journal.close()
