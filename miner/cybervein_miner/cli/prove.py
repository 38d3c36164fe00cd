"""`cybervein prove` and `cybervein verify`: proofs of space as plain files, without any network.

A proof file is the canonical encoding of a `ProofFile`: it carries the claim it proves, so that
`verify` needs nothing else. What it cannot know is whether that plot is registered.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from blake3 import blake3
from cybervein_protocol.encoding import Bytes32, Record, decode, encode
from cybervein_protocol.errors import CyberVeinError, MalformedError, ProofError
from cybervein_protocol.presets import preset as named_preset
from cybervein_protocol.space import (
    PlotClaim,
    decode_answer,
    decode_commit_proof,
    draw_commit_challenges,
    encode_answer,
    encode_commit_proof,
    prove_commit,
    prove_space,
    verify_commit,
    verify_space_answer,
)
from cybervein_runtime.files import read_limited, write_atomic
from cybervein_runtime.usage import given

from cybervein_miner.cli.context import console_of
from cybervein_miner.cli.plot import read_metadata
from cybervein_miner.record.tree_file import read_outboard

_BEACON = re.compile(r"[0-9a-fA-F]{64}")
_BATCH = blake3(b"cybervein prove").digest()
_ROWS = named_preset("main").commit_rows_drawn
_FILE_BYTES_MAX = 32 << 20
BeaconHex = Annotated[str, typer.Option(help="64 hex digits that nobody could know before.")]


class ProofFile(Record):
    """A proof with its claim; `kind` says whether space or the commitment is proved."""

    v: Literal[1]
    kind: Literal["space", "commit"]
    beacon: Bytes32
    public_key: Bytes32
    claim: PlotClaim
    proof: bytes


def prove(
    context: typer.Context,
    plot: Annotated[Path, typer.Argument(help="Plot file; its metadata lies beside it.")],
    beacon: BeaconHex,
    out: Annotated[Path, typer.Option(help="Where the proof goes.")],
    commit: Annotated[  # noqa: FBT002 -- a flag
        bool, typer.Option(help="Prove by replay that it was made honestly.")
    ] = False,
) -> None:
    """Prove that a plot file is there (one row), or that it is honestly made (--commit)."""
    drawn, meta = _beacon(beacon), read_metadata(plot)
    kind: Literal["space", "commit"] = "commit" if commit else "space"
    if commit:
        rows = _rows(meta.claim, meta.public_key, drawn)
        proof = encode_commit_proof(prove_commit(meta.public_key, meta.claim, rows))
    else:
        proof = _space(plot, drawn, meta.plot_id, meta.b)
    file = ProofFile(
        v=1, kind=kind, beacon=drawn, public_key=meta.public_key, claim=meta.claim, proof=proof
    )
    data = encode(file)
    write_atomic(out, data, mode=0o644)
    console_of(context).emit(_result(file) | {"file": str(out), "bytes": len(data)})


def verify(
    context: typer.Context,
    proof: Annotated[Path, typer.Argument(help="File that `cybervein prove` wrote.")],
    beacon: Annotated[str | None, typer.Option(help="The beacon it must answer.")] = None,
) -> None:
    """Check a proof file; exit code 5 if it proves nothing."""
    wanted = None if beacon is None else _beacon(beacon)
    file = _proof_file(proof)
    if wanted not in {None, file.beacon}:
        raise ProofError(f"{proof} answers beacon {file.beacon.hex()}, not {beacon}")
    console_of(context).emit(_result(file) | {"file": str(proof), "good": True})


def _proof_file(path: Path) -> ProofFile:
    data = read_limited(path, _FILE_BYTES_MAX)
    try:
        return decode(data, ProofFile, "its bytes", _FILE_BYTES_MAX)
    except MalformedError as error:
        raise MalformedError(
            f"{path} is no proof ({error}); name a file that `cybervein prove` wrote"
        ) from error


def _result(file: ProofFile) -> dict[str, Any]:
    """What a verified proof shows. Raises ProofError."""
    claim, public_key = file.claim, file.public_key
    plot_id = claim.plot_id(public_key)
    shown = {"kind": file.kind, "plot_id": plot_id.hex(), "beacon": file.beacon.hex()}
    if file.kind == "space":
        answer = decode_answer(file.proof)
        x = verify_space_answer(file.beacon, plot_id, claim.gamma, claim.b, answer)
        return shown | {"quality": x}
    rows = _rows(claim, public_key, file.beacon)
    opened = decode_commit_proof(file.proof, claim.shape, _ROWS)
    verify_commit(public_key, claim, rows, opened)
    return shown | {"rows": list(rows)}


def _rows(claim: PlotClaim, public_key: bytes, beacon: bytes) -> tuple[int, ...]:
    """The rows that a beacon draws of one plot alone, as many as `main` draws."""
    [(_, rows)] = draw_commit_challenges(
        beacon, _BATCH, [claim.plot_id(public_key)], max_plots=1, q=_ROWS, n=claim.shape.rows
    )
    return rows


def _space(plot: Path, beacon: bytes, plot_id: bytes, b: int) -> bytes:
    handle = os.open(plot, os.O_RDONLY)
    try:
        answer = prove_space(
            beacon, plot_id, b, lambda at, n: os.pread(handle, n, at), read_outboard(plot)
        )
    except CyberVeinError as error:
        raise ProofError(f"{plot} cannot be proved: {error}; run cybervein plot check") from error
    finally:
        os.close(handle)
    return encode_answer(answer)


def _beacon(text: str) -> bytes:
    if not _BEACON.fullmatch(text):
        with given("--beacon"):
            raise MalformedError(f"{text[:80]!r}: expected 64 hex digits")
    return bytes.fromhex(text)
