"""The catalogue: what only the owner knows (names, file keys, salts) and every acknowledged step.

Duties: journal a put so that `kill -9` at any moment loses no acknowledged step; find files by
name or CID; keep DAG nodes. Requirements: one SQLite file in WAL mode, synced at each commit.
"""

from cybervein_client.catalogue.rows import (
    CatalogueDeal,
    DealEnd,
    DealState,
    FileRow,
    FileState,
    SegmentRow,
    SourceFacts,
)
from cybervein_client.catalogue.sealed import Sealed
from cybervein_client.catalogue.store import Catalogue

__all__ = [
    "Catalogue",
    "CatalogueDeal",
    "DealEnd",
    "DealState",
    "FileRow",
    "FileState",
    "Sealed",
    "SegmentRow",
    "SourceFacts",
]
