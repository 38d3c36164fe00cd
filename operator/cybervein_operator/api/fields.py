"""Field types that the kinds share, with the limits that the API server enforces."""

from typing import Annotated, Any, Final

from msgspec import Meta

QUANTITY: Final = r"^([0-9]+(\.[0-9]*)?|\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"
DNS_LABEL: Final = r"^[a-z]([-a-z0-9]*[a-z0-9])?$"
SUBDOMAIN: Final = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
ADDRESS: Final = r"^cv[1-9A-HJ-NP-Za-km-z]{45,55}$"
INT_OR_STRING: Final = "x-kubernetes-int-or-string"
LIST_TYPE: Final = "x-kubernetes-list-type"
MAP_KEYS: Final = "x-kubernetes-list-map-keys"
LOOSE: Final = "x-kubernetes-preserve-unknown-fields"

Quantity = Annotated[
    int | str,
    Meta(extra_json_schema={INT_OR_STRING: True, "pattern": QUANTITY, "maxLength": 32}),
]
"""A Kubernetes quantity: `100Gi`, `1.5T`, `250m` or a plain number."""

Subdomain = Annotated[str, Meta(pattern=SUBDOMAIN, min_length=1, max_length=253)]
"""Name of another object."""

Address = Annotated[str, Meta(pattern=ADDRESS, max_length=60)]
"""A key of the network as text; the checksum is the operator's to check."""

POOL_NAME_MAX: Final = 40
"""POOL-9999-DISK has 63 characters at most; a pod's revision label (POOL-9999-10 letters) fewer."""

MinerName = Annotated[
    str, Meta(max_length=POOL_NAME_MAX + 5, pattern=r"^[a-z][-a-z0-9]*-(0|[1-9][0-9]{0,3})$")
]
"""`POOL-N`."""

Count = Annotated[int, Meta(ge=0)]

Image = Annotated[str, Meta(pattern=r"^[^\s]+$", min_length=1, max_length=512)]


def says(description: str, **schema: Any) -> Meta:  # noqa: ANN401 -- whatever JSON schema knows
    """A field's description for `kubectl explain`, and further schema keywords."""
    return Meta(description=description, extra_json_schema=schema or None)


def keyed(description: str, key: str) -> Meta:
    """A list whose items are told apart by `key`, which also must be unique."""
    return says(description, **{LIST_TYPE: "map", MAP_KEYS: [key]})


def distinct(description: str) -> Meta:
    """A list of values without order or repetition."""
    return says(description, **{LIST_TYPE: "set"})


def ordered(description: str) -> Meta:
    """A list that is replaced as a whole."""
    return says(description, **{LIST_TYPE: "atomic"})
