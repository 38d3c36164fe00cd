"""The states of a miner's disk, as its documents have them."""

from enum import StrEnum


class DiskState(StrEnum):
    """What a disk is good for.

    | state       | meaning                                                              |
    |-------------|----------------------------------------------------------------------|
    | ready       | everything                                                           |
    | read-only   | reads are served, nothing is placed                                  |
    | quarantined | nothing is read or written: after I/O errors until a person has it   |
    |             | checked again, with a marker that cannot be read until it can        |
    | missing     | no marker at its path: the mount is away or empty                    |
    | foreign     | the marker is another miner's, or a copy from another filesystem     |
    | drained     | it left, and nobody needs what is still on it; read while it is there |
    """

    READY = "ready"
    READ_ONLY = "read-only"
    QUARANTINED = "quarantined"
    MISSING = "missing"
    FOREIGN = "foreign"
    DRAINED = "drained"
