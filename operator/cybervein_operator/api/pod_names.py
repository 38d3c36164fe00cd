"""How names are looked up in a pod."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from cybervein_operator.api.fields import Subdomain, distinct, ordered, says
from cybervein_operator.api.meta import Part


class HostAlias(Part, frozen=True, kw_only=True):
    """A line of the pod's `/etc/hosts`."""

    ip: Annotated[
        Annotated[str, Meta(pattern=r"^[0-9A-Fa-f.:]+$", max_length=45)], says("The address.")
    ]
    hostnames: Annotated[
        Annotated[tuple[Subdomain, ...], Meta(min_length=1, max_length=16)],
        distinct("Names that lead to it."),
    ]


class DnsPolicy(StrEnum):
    """Whom a pod asks for names."""

    CLUSTER_FIRST = "ClusterFirst"
    DEFAULT = "Default"
    NONE = "None"


class DnsOption(Part, frozen=True, kw_only=True):
    """An option of the resolver."""

    name: Annotated[
        Annotated[str, Meta(min_length=1, max_length=64)], says("Its name, as in ndots.")
    ]
    value: Annotated[Annotated[str, Meta(max_length=64)] | None, says("Its value, if any.")] = None


class DnsConfig(Part, frozen=True, kw_only=True):
    """The resolver of the pod."""

    nameservers: Annotated[
        Annotated[
            tuple[Annotated[str, Meta(pattern=r"^[0-9A-Fa-f.:]+$", max_length=45)], ...],
            Meta(max_length=3),
        ]
        | None,
        ordered("Addresses of name servers."),
    ] = None
    searches: Annotated[
        Annotated[tuple[Subdomain, ...], Meta(max_length=32)] | None,
        ordered("Domains to look names up in."),
    ] = None
    options: Annotated[
        Annotated[tuple[DnsOption, ...], Meta(max_length=16)] | None,
        ordered("Options of the resolver."),
    ] = None
