"""The border of the ledger: what bytes must be before the state is asked."""

from itertools import pairwise

from multiformats import CID

from cybervein_protocol.encoding import cid_text, decode, from_map, node_cid
from cybervein_protocol.errors import ForbiddenError, MalformedError, UnknownError
from cybervein_protocol.ledger.chain.kinds import KINDS
from cybervein_protocol.ledger.units.unit import CONTEXT, ParsedUnit, Unit, is_node_cid
from cybervein_protocol.signing import verify_record


def parse_unit(raw: bytes, network: CID, max_bytes: int) -> ParsedUnit:
    """The unit of its bytes: canonical, of this network, of a known kind, and signed.

    Raises LimitError, MalformedError, UnknownError (kind), ForbiddenError (network) or
    SignatureError.
    """
    unit = decode(raw, Unit, "unit", max_bytes)
    name = f"unit {unit.kind[:32]!r}"
    if unit.network != network:
        raise ForbiddenError(
            f"{name}: of network {cid_text(unit.network)}, expected {cid_text(network)}; "
            "sign it for this network"
        )
    if unit.kind not in KINDS:
        raise UnknownError(f"{name}: expected one of {', '.join(KINDS)}")
    _check_parents(unit, name)
    body = from_map(unit.body, KINDS[unit.kind].body, name)
    verify_record(CONTEXT, unit, unit.issuer, name)
    return ParsedUnit(node_cid(raw), unit, body, raw)


def _check_parents(unit: Unit, name: str) -> None:
    order = [bytes(parent) for parent in unit.parents]
    if any(left >= right for left, right in pairwise(order)):
        raise MalformedError(f"{name}: parents must be distinct and sorted by bytes; sort them")
    if any(not is_node_cid(parent) for parent in unit.parents):
        raise MalformedError(f"{name}: a parent is not a dag-cbor blake3 CID; cite unit ids")
