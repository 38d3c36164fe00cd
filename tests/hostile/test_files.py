"""Files that anybody may have written or a failing disk changed: read, or refused by name."""

import io
import json
import shutil
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3
from cybervein_client.home import Home
from cybervein_client.wallet import restore_backup
from cybervein_miner.cli.plot import read_metadata
from cybervein_miner.cli.prove import ProofFile
from cybervein_miner.cli.prove import verify as verify_proof
from cybervein_miner.disk.marker import Marker, create_marker, marker_path, read_marker
from cybervein_miner.plot.inventory import metadata_path
from cybervein_miner.record.tree_file import file_slice, file_tree, outboard_path, read_outboard
from cybervein_protocol.cid import node_cid
from cybervein_protocol.encoding import encode
from cybervein_protocol.errors import CyberVeinError, MalformedError, UnknownError
from cybervein_protocol.ledger.units.genesis import Genesis
from cybervein_protocol.signing import KeyPair
from cybervein_protocol.space.metadata import PlotMetadata
from cybervein_protocol.tree import verify_slice
from cybervein_runtime.console import Console
from cybervein_runtime.files import read_limited, write_atomic
from cybervein_runtime.identity import (
    identity_json,
    load_identity,
    load_or_create_identity,
    new_identity,
    parse_identity,
    save_identity,
)
from cybervein_runtime.network_file import load_network, parse_network, to_json
from cybervein_supernode.backup.manifest import (
    Manifest,
    SnapshotFile,
    decode_manifest,
    encode_manifest,
)
from cybervein_supernode.chain.export import read_sections, varint
from cybervein_supernode.verify.evidence import EvidenceStore
from cybervein_supernode.verify.replaying import verify_export
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from record_strategies import records

KEY = KeyPair(b"\4" * 32)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=70),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
JUNK = (
    st.binary(max_size=200)
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.integers(1, 3000).map(lambda depth: b"[" * depth)
)
in_place = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
"""The folder stays from one example to the next: what is tested is written anew by each."""


def write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    write_atomic(path, data)
    return path


def swapped(document: dict[str, Any], data: st.DataObject) -> bytes:
    """A JSON document with one field, at any depth, replaced."""
    place: Any = document
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        inner = place[key][0] if isinstance(place[key], list) else place[key]
        if not isinstance(inner, dict) or data.draw(st.booleans()):
            break
        place = inner
    place[key] = data.draw(JSON)
    return json.dumps(document).encode()


@in_place
@given(content=st.binary(max_size=40), limit=st.integers(0, 40))
def test_a_file_is_read_whole_or_refused(tmp_path: Path, content: bytes, limit: int) -> None:
    file = write(tmp_path / "file", content)
    if len(content) <= limit:
        assert read_limited(file, limit) == content
    else:
        with pytest.raises(CyberVeinError, match="larger than"):
            read_limited(file, limit)


@in_place
@given(junk=JUNK)
def test_no_file_breaks_the_identity_and_none_is_replaced(tmp_path: Path, junk: bytes) -> None:
    file = write(tmp_path / "identity.json", junk)
    for load in (load_identity, load_or_create_identity):
        with pytest.raises(MalformedError, match=r"identity\.json"):
            load(file)
    assert file.read_bytes() == junk


@in_place
@given(data=st.data())
def test_an_identity_comes_back_or_is_refused(tmp_path: Path, data: st.DataObject) -> None:
    identity, file = new_identity(), tmp_path / "identity.json"
    file.unlink(missing_ok=True)
    save_identity(file, identity)
    for load in (load_identity, load_or_create_identity):
        found = load(file)
        assert found.keys.public == identity.keys.public
        assert (found.vrf_seed, found.seal_seed) == (identity.vrf_seed, identity.seal_seed)
    assert parse_identity(identity_json(identity), "secret").vrf_seed == identity.vrf_seed
    with suppress(CyberVeinError):
        parse_identity(swapped(json.loads(file.read_bytes()), data), "secret")


@in_place
@given(junk=JUNK)
def test_no_file_breaks_the_network_reader(tmp_path: Path, junk: bytes) -> None:
    with pytest.raises(CyberVeinError):
        load_network(write(tmp_path / "network.json", junk))


@in_place
@given(genesis=records(Genesis), url=st.sampled_from(["http://a", "https://b"]), data=st.data())
def test_a_network_file_comes_back_and_only_as_it_was_pinned(
    genesis: Genesis, url: str, data: st.DataObject
) -> None:
    nodes = tuple((url, node.key) for node in genesis.super_nodes)
    made = to_json(genesis, nodes)  # type: ignore[arg-type]
    with suppress(CyberVeinError):
        assert parse_network(made, "file").genesis == genesis
    with suppress(CyberVeinError):
        assert parse_network(swapped(json.loads(made), data), "file").genesis == genesis


def damaged(content: bytes, data: st.DataObject) -> bytes:
    """Another content: one byte changed, dropped or doubled, or cut short."""
    at = data.draw(st.integers(0, len(content) - 1))
    byte = bytes((content[at] ^ data.draw(st.integers(1, 255)),))
    ends = [content[:at], content[:at] + content[at + 1 :] + b"\0", content[:at] + byte + content]
    return data.draw(st.sampled_from([*ends, content[:at] + byte + content[at + 1 :]]))


@in_place
@given(data=st.data(), made=records(Marker))
def test_a_marker_is_its_miners_or_refused(
    tmp_path: Path, data: st.DataObject, made: Marker
) -> None:
    create_marker(tmp_path, KEY, 1)
    good = marker_path(tmp_path).read_bytes()
    assert read_marker(tmp_path, KEY.public).miner == KEY.public
    junk = st.just(encode(made)) | JUNK | st.just(damaged(good, data))
    write(marker_path(tmp_path), data.draw(junk))
    with pytest.raises(CyberVeinError, match=r"marker"):
        read_marker(tmp_path, KEY.public)


@in_place
@given(junk=JUNK | records(PlotMetadata).map(encode))
def test_unsigned_plot_metadata_is_refused(tmp_path: Path, junk: bytes) -> None:
    write(metadata_path(tmp_path / "1.plot"), junk)
    with pytest.raises(CyberVeinError):
        read_metadata(tmp_path / "1.plot")


class Context:
    """What a command needs of Typer's context."""

    obj = Console(as_json=True)


@in_place
@given(junk=JUNK | records(ProofFile).map(encode))
def test_a_made_up_proof_file_proves_nothing(tmp_path: Path, junk: bytes) -> None:
    file = write(tmp_path / "proof", junk)
    with pytest.raises(CyberVeinError):
        verify_proof(Context(), file)  # type: ignore[arg-type]


@in_place
@given(
    size=st.integers(0, 70_000),
    outboard=st.none() | st.binary(max_size=300),
    start=st.integers(0, 80_000),
    length=st.integers(0, 5_000),
)
def test_a_bad_outboard_never_proves_a_wrong_range(
    tmp_path: Path, size: int, outboard: bytes | None, start: int, length: int
) -> None:
    content = (bytes(range(251)) * (size // 251 + 1))[:size]
    file = write(tmp_path / "shard", content)
    root, good = file_tree(file)
    write(outboard_path(file), good if outboard is None else outboard)
    with suppress(CyberVeinError):
        made = file_slice(file, read_outboard(file), start, length)
        assert verify_slice(root, made, start, length) == content[start : start + length]


NODES = st.lists(st.binary(min_size=1, max_size=60), max_size=4)


def section(data: bytes) -> bytes:
    body = bytes(node_cid(data)) + data
    return varint(len(body)) + body


@given(NODES, st.data())
def test_sections_of_an_export_come_back_and_damage_is_seen(
    nodes: list[bytes], data: st.DataObject
) -> None:
    header = encode({"version": 1, "roots": []})
    whole = varint(len(header)) + header + b"".join(map(section, nodes))
    assert list(read_sections(io.BytesIO(whole))) == nodes
    broken = damaged(whole, data)
    with suppress(CyberVeinError):
        found = list(read_sections(io.BytesIO(broken)))
        assert all(bytes(node_cid(node)) in broken for node in found)


@given(st.integers(1, 2**35 - 1))
def test_a_varint_is_read_as_it_was_written(value: int) -> None:
    with pytest.raises(CyberVeinError, match=f"{value} bytes"):
        list(read_sections(io.BytesIO(varint(value))))


@in_place
@given(junk=JUNK, nodes=NODES)
def test_no_file_breaks_the_check_of_an_export(
    tmp_path: Path, junk: bytes, nodes: list[bytes]
) -> None:
    header = encode({"version": 1, "roots": []})
    for content in (junk, varint(len(header)) + header + b"".join(map(section, nodes))):
        with pytest.raises(CyberVeinError):
            verify_export(write(tmp_path / "chain.car", content), None)


@in_place
@given(
    kept=st.lists(st.tuples(st.integers(0, 9), st.binary(max_size=40)), max_size=5),
    rotten=st.integers(0, 4),
    data=st.data(),
)
def test_evidence_is_what_its_hash_says_until_its_epoch_is_over(
    tmp_path: Path, kept: list[tuple[int, bytes]], rotten: int, data: st.DataObject
) -> None:
    shutil.rmtree(tmp_path / "evidence", ignore_errors=True)
    store = EvidenceStore(tmp_path / "evidence", keep_epochs=3)
    digests = [store.keep(epoch, content) for epoch, content in kept]
    assert [store.read(digest) for digest in digests] == [content for _, content in kept]
    for file in sorted(tmp_path.glob("evidence/*/*"))[rotten : rotten + 1]:
        file.write_bytes(damaged(file.read_bytes() or b"x", data))
    for digest in digests:
        with suppress(UnknownError):
            assert blake3(store.read(digest)).digest() == digest
    store.prune(9)
    for epoch, content in kept:
        newest = max(each for each, other in kept if other == content)
        if newest < 6:
            with pytest.raises(UnknownError):
                store.read(blake3(content).digest())
        assert epoch <= 9


@in_place
@given(
    head=st.binary(max_size=12)
    | st.builds(struct.Struct("<IQ").pack, st.integers(0, 3), st.integers(0, 40_000)),
    rest=st.binary(max_size=120),
)
def test_no_file_breaks_the_restore_and_nothing_is_restored(
    tmp_path: Path, head: bytes, rest: bytes
) -> None:
    home = Home(tmp_path / "home")
    file = write(tmp_path / "backup", b"CVBACKUP\x01" + head + rest)
    with pytest.raises(CyberVeinError):
        restore_backup(home, file, "a long passphrase")
    assert not home.identity_path.exists()


HEX32 = st.binary(min_size=32, max_size=32).map(bytes.hex)
COUNTS = st.integers(0, (1 << 63) - 1)
MANIFESTS = st.builds(
    Manifest,
    v=st.just(1),
    network=st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=1, max_size=128),
    name=st.from_regex(r"\A[0-9]{8}T[0-9]{6}Z-[0-9]{1,20}\Z"),
    taken=st.floats(0, 1e11),
    height=COUNTS,
    epoch=COUNTS,
    app_hash=HEX32,
    files=st.lists(
        st.builds(
            SnapshotFile,
            name=st.from_regex(r"\A[a-z]{1,20}\.(sqlite|json)\Z"),
            size=COUNTS,
            blake3=HEX32,
        ),
        min_size=1,
        max_size=3,
    ),
)


@given(manifest=MANIFESTS, data=st.data(), junk=JUNK)
def test_the_manifest_of_a_snapshot_comes_back_or_is_refused(
    manifest: Manifest, data: st.DataObject, junk: bytes
) -> None:
    written = encode_manifest(manifest)
    assert decode_manifest(written, "manifest") == manifest
    for changed in (swapped(json.loads(written), data), junk):
        with suppress(CyberVeinError):
            found = decode_manifest(changed, "manifest")
            names = (found.network, found.name, *(each.name for each in found.files))
            assert not [name for name in names if "/" in name or name == ".."]
