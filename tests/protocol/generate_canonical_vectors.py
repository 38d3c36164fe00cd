"""Writes canonical_vectors.json by the specification: run this file.

Bytes and what becomes of them: the value's text, or null where they are refused. A test regenerates
the file and finds no difference.
"""

import json
import os
from pathlib import Path

os.environ["CYBERVEIN_NATIVE"] = "off"

from cybervein_protocol.canonical import DEPTH_MAX, decode_node
from cybervein_protocol.errors import MalformedError

FILE = Path(__file__).parent / "canonical_vectors.json"
DIGEST = "ab" * 32
EDGES = (0, 23, 24, 255, 256, 2**16 - 1, 2**16, 2**32 - 1, 2**32, 2**63, 2**64 - 1)
INLINE_MAX = 23
WIDTHS = ((24, 1), (25, 2), (26, 4), (27, 8))


def heads() -> dict[str, str]:
    """Every width of every edge, as integers of both signs."""
    cases = {}
    for value in EDGES:
        for major in (0, 1):
            if value <= INLINE_MAX:
                cases[f"integer {major} {value} short"] = bytes((major << 5 | value,)).hex()
            for low, width in WIDTHS:
                if value < 1 << 8 * width:
                    head = bytes((major << 5 | low,)) + value.to_bytes(width, "big")
                    cases[f"integer {major} {value} in {width}"] = head.hex()
    return cases


def link(cid: str) -> str:
    data = bytes.fromhex("00" + cid)
    return "d82a58" + bytes((len(data),)).hex() + data.hex()


CASES = {
    **heads(),
    "nothing": "",
    "two items": "0000",
    "bytes": "43010203",
    "bytes too short": "4301",
    "bytes in a long length": "5801ff",
    "bytes of a claimed exabyte": "5b1000000000000000",
    "bytes of unknown length": "5f4101ff",
    "text": "63e282ac",
    "text of half a character": "62e282",
    "text of a surrogate": "63eda080",
    "text in a long form of a character": "62c080",
    "empty list": "80",
    "list": "8301f6f5",
    "list too short": "830102",
    "list of a claimed exabyte": "9b1000000000000000",
    "list of unknown length": "9f01ff",
    "deepest": "81" * DEPTH_MAX + "00",
    "too deep": "81" * (DEPTH_MAX + 1) + "00",
    "deep in maps": "a16161" * DEPTH_MAX + "00",
    "too deep in maps": "a16161" * (DEPTH_MAX + 1) + "00",
    "empty map": "a0",
    "map": "a2616101616202",
    "map: short keys first": "a2616201626161" + "02",
    "map: long key first": "a262616101" + "616202",
    "map out of order": "a2616201616102",
    "map with a key twice": "a2616101616102",
    "map with a number as key": "a10102",
    "map with bytes as key": "a1416102",
    "map key in a long form": "a178016101",
    "map without its last value": "a16161",
    "false": "f4",
    "true": "f5",
    "null": "f6",
    "undefined": "f7",
    "simple 0": "e0",
    "simple 32": "f820",
    "simple true in two bytes": "f815",
    "half float": "f93c00",
    "single float": "fa3f800000",
    "float": "fb3ff8000000000000",
    "float -0": "fb8000000000000000",
    "float of a subnormal": "fb0000000000000001",
    "infinity": "fb7ff0000000000000",
    "minus infinity": "fbfff0000000000000",
    "not a number": "fb7ff8000000000000",
    "break": "ff",
    "link to a node": link("01711e20" + DIGEST),
    "link to data": link("01551e20" + DIGEST),
    "link in a list": "81" + link("01551e20" + DIGEST),
    "link of sha2-256": link("01711220" + DIGEST),
    "link of dag-pb": link("01701e20" + DIGEST),
    "link of version 0": link("1220" + DIGEST),
    "link of version 2": link("02711e20" + DIGEST),
    "link of 31 bytes": link("01711e1f" + DIGEST[2:]),
    "link of 33 bytes": link("01711e20" + DIGEST + "00"),
    "link with a long varint": link("8100711e20" + DIGEST),
    "link without its zero": "d82a582401711e20" + DIGEST,
    "link of nothing": "d82a40",
    "link of a zero": "d82a4100",
    "link in text": "d82a6100",
    "link in a link": "d82a" + link("01711e20" + DIGEST),
    "link by a long tag": "d9002a" + link("01711e20" + DIGEST)[4:],
    "tag 0": "c000",
    "tag 43": "d82b00",
    "tag 42 alone": "d82a",
}


def outcome(data: bytes) -> str | None:
    try:
        return repr(decode_node(data, "case"))
    except MalformedError:
        return None


def vectors() -> str:
    cases = [
        {"name": name, "hex": data, "value": outcome(bytes.fromhex(data))}
        for name, data in CASES.items()
    ]
    return json.dumps({"cases": cases}, indent=1) + "\n"


if __name__ == "__main__":
    FILE.write_text(vectors())
