"""What a snapshot is: a document that is written last, so that what has one is whole.

| name in the vault                      | what                                                    |
|----------------------------------------|---------------------------------------------------------|
| NETWORK/snapshots/NAME/manifest.json   | this document; without it the snapshot was not finished |
| NETWORK/snapshots/NAME/ledger.sqlite   | the chain as one block left it                          |
| NETWORK/snapshots/NAME/notebook.sqlite | what the super node noted, at about that time           |
| NETWORK/snapshots/NAME/network.json    | the genesis and how to join                             |
| NETWORK/evidence/EPOCH/BLAKE3          | evidence, once for all snapshots                        |

NETWORK is the network's CID, NAME the UTC time and the height: names sort by time. There is no key
in it: everything here is public but the notebook, which names shards that miners admitted to lose.
"""

from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal

import msgspec
from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.document import Count, Document

MANIFEST: Final = "manifest.json"
LEDGER_FILE: Final = "ledger.sqlite"
NOTEBOOK_FILE: Final = "notebook.sqlite"
NETWORK_FILE: Final = "network.json"
MANIFEST_BYTES_MAX: Final = 64 << 10
_TIME: Final = "%Y%m%dT%H%M%SZ"

Hash = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]
"""32 bytes in hex."""
FileName = Annotated[str, msgspec.Meta(pattern=r"^[a-z]+\.(sqlite|json)$", max_length=64)]
NetworkName = Annotated[str, msgspec.Meta(pattern=r"^[a-z2-7]+$", max_length=128)]
SnapshotName = Annotated[str, msgspec.Meta(pattern=r"^\d{8}T\d{6}Z-\d+$", max_length=64)]
"""Names become paths, and whoever writes to a vault may write anything: none leads elsewhere."""


class SnapshotFile(Document):
    """One file of a snapshot: its size and the BLAKE3 of its bytes, in hex."""

    name: FileName
    size: Count
    blake3: Hash


class Manifest(Document):
    """A snapshot. `taken` is in unix seconds, of the super node's wall clock."""

    v: Literal[1]
    network: NetworkName
    name: SnapshotName
    taken: float
    height: Count
    epoch: Count
    app_hash: Hash
    files: list[SnapshotFile]

    @property
    def size(self) -> int:
        """Bytes of its files; evidence is kept beside it."""
        return sum(each.size for each in self.files)


def snapshot_name(taken: float, height: int) -> str:
    """`20261130T042000Z-1234`: sorts by time."""
    return f"{datetime.fromtimestamp(taken, UTC):{_TIME}}-{height}"


def taken_of(name: str) -> float | None:
    """When a snapshot of that name was begun; None if it is no such name."""
    try:
        return datetime.strptime(name.partition("-")[0], _TIME).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def place_of(network: str, name: str, file: str = MANIFEST) -> str:
    """Where a file of a snapshot is."""
    return str(PurePosixPath(network, "snapshots", name, file))


def evidence_of(network: str) -> str:
    """Where the evidence of a network is."""
    return str(PurePosixPath(network, "evidence"))


def encode_manifest(manifest: Manifest) -> bytes:
    """As it is written."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode_manifest(data: bytes, what: str) -> Manifest:
    """As it was written. Raises MalformedError or LimitError naming `what`."""
    return decode_document(data, Manifest, what, MANIFEST_BYTES_MAX)
