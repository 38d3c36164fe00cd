"""`cybervein plot | prove | verify` on plain files, without any network."""

import json
from pathlib import Path

import pytest
from blake3 import blake3
from services import run as cybervein

BEACON = "42" * 32


def run(*arguments: str) -> tuple[int, object, str]:
    done = cybervein("--json", *arguments)
    return done.returncode, json.loads(done.stdout or "null"), done.stderr


@pytest.fixture(scope="module")
def plot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plots")
    identity = str(folder / "identity.json")
    code, made, _ = run("plot", "create", str(folder), "--identity", identity, "--preset", "test",
                        "--count", "2", "--threads", "2")  # fmt: skip
    assert code == 0
    assert [each["index"] for each in made] == [0, 1]
    for each in made:
        assert blake3(Path(each["file"]).read_bytes()).hexdigest() == each["gamma"]
    return Path(made[0]["file"])


def test_the_same_identity_and_number_give_the_same_bytes(plot: Path, tmp_path: Path) -> None:
    identity = str(plot.parent / "identity.json")
    run("plot", "create", str(tmp_path), "--identity", identity, "--preset", "test")
    assert (tmp_path / plot.name).read_bytes() == plot.read_bytes()


def test_a_good_plot_is_good(plot: Path) -> None:
    code, shown, _ = run("plot", "check", str(plot))
    assert (code, shown["good"]) == (0, True)


@pytest.mark.parametrize("kind", ["space", "commit"])
def test_a_proof_verifies_and_a_damaged_one_does_not(plot: Path, tmp_path: Path, kind: str) -> None:
    proof = tmp_path / "proof.cbor"
    option = ("--commit",) if kind == "commit" else ()
    code, _, error = run("prove", str(plot), "--beacon", BEACON, "--out", str(proof), *option)
    assert code == 0, error
    code, shown, _ = run("verify", str(proof), "--beacon", BEACON)
    assert (code, shown["kind"], shown["good"]) == (0, kind, True)
    assert run("verify", str(proof), "--beacon", "43" * 32)[0] == 5
    data = bytearray(proof.read_bytes())
    data[len(data) // 2] ^= 1
    proof.write_bytes(bytes(data))
    code, _, error = run("verify", str(proof))
    assert code in {1, 5}
    assert error.startswith("error: ")
    proof.write_bytes(bytes(data[:-100]))
    assert run("verify", str(proof))[0] != 0


@pytest.mark.parametrize("damage", ["flip", "truncate"])
def test_a_damaged_plot_is_named(plot: Path, tmp_path: Path, damage: str) -> None:
    for file in plot.parent.glob(f"{plot.name}*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    broken = tmp_path / plot.name
    data = bytearray(broken.read_bytes())
    data[1000] ^= 1
    broken.write_bytes(bytes(data) if damage == "flip" else bytes(data[:-4096]))
    code, _, error = run("plot", "check", str(broken))
    assert code == 5
    assert str(broken) in error


def test_a_full_disk_ends_in_a_clear_error(tmp_path: Path, mount: object) -> None:
    small = mount("256k")  # type: ignore[operator]
    identity = str(tmp_path / "identity.json")
    code, _, error = run("plot", "create", str(small), "--identity", identity, "--preset", "test")
    assert code == 6
    assert "No space left" in error
    assert list(small.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("plot", "check", "/dev/null/nowhere/0.plot"),
        ("plot", "create", "/dev/null/nowhere", "--identity", "/dev/null/nowhere/i"),
        ("verify", "/dev/null/nowhere/proof"),
        ("disk", "list", "--data", "/dev/null/nowhere"),
        ("mine", "--network", "/dev/null/n", "--data", "/dev/null/d", "--disk", "/dev/null/x"),
    ],
)
def test_what_is_not_there_is_one_line(arguments: tuple[str, ...]) -> None:
    code, _, error = run(*arguments)
    assert code > 0
    assert error.startswith("error: ")
    assert error.count("\n") == 1


def test_a_mistyped_network_file_makes_no_data_directory(tmp_path: Path) -> None:
    network, data = tmp_path / "network.json", tmp_path / "data"
    code, _, error = run(
        "mine", "--network", str(network), "--data", str(data), "--disk", str(data)
    )
    assert code > 0
    assert str(network) in error
    assert not data.exists()
