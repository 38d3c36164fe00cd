"""Placement: how many shards, and which miner gets which.

Never two shards of a segment in one failure domain; domains and free space are facts handed in,
randomness is a seed, so a placement can be recomputed. The default code follows the number of live
domains and leaves two of them spare for repair wherever that is possible.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from blake3 import blake3

from cybervein_protocol.errors import ConflictError, MalformedError

_CONTEXT: Final = "cybervein 2026-11 placement"
_TIERS: Final = ((26, 8, 21), (15, 4, 12), (8, 2, 6))
_DOMAINS_MIN: Final = 3
_SHARDS_MAX: Final = 255
_CODE_CHARS_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Code:
    """Reed-Solomon k of n: any k of n shards rebuild a segment."""

    k: int
    n: int

    def __str__(self) -> str:
        return f"{self.k}/{self.n}"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A live miner that may take shards: its key, failure domain and free bytes."""

    miner: bytes
    domain: str
    free_bytes: int


def parse_code(text: str) -> Code:
    """The code written `k/n`. Raises MalformedError unless 1 <= k < n <= 255."""
    left, _, right = text.partition("/")
    if not (left.isdecimal() and right.isdecimal() and len(text) <= _CODE_CHARS_MAX):
        raise MalformedError(f"code {text[:80]!r}: expected k/n, for instance 2/6")
    code = Code(int(left), int(right))
    if not 1 <= code.k < code.n <= _SHARDS_MAX:
        raise MalformedError(f"code {code}: expected 1 <= k < n <= {_SHARDS_MAX}, for instance 2/6")
    return code


def default_code(domains: int) -> Code:
    """The default code for that many live failure domains.

    26 and more: 8/21; 15: 4/12; 8: 2/6; fewer: 2 of (domains - 1), at least 2/3.
    Raises ConflictError below three domains.
    """
    for least, k, n in _TIERS:
        if domains >= least:
            return Code(k, n)
    if domains < _DOMAINS_MIN:
        raise ConflictError(
            f"{domains} live failure domains: at least {_DOMAINS_MIN} are needed for 2/3; "
            "wait for more miners"
        )
    return Code(2, max(3, domains - 1))


def place(  # noqa: PLR0913 -- the facts of one placement, by name
    seed: bytes,
    candidates: Iterable[Candidate],
    shard_bytes: int,
    count: int,
    *,
    taken_domains: Collection[str] = (),
    avoid: Collection[bytes] = (),
) -> list[bytes]:
    """Miners for `count` shards of `shard_bytes` each, all in different, untaken domains.

    Drawn from `seed` without replacement, weighted by free bytes. `taken_domains` already hold a
    shard of this segment; `avoid` are miners that just failed. Raises ConflictError saying why.
    """
    known = list(candidates)
    usable = [c for c in known if c.free_bytes >= shard_bytes and c.miner not in avoid]
    pool = [c for c in usable if c.domain not in taken_domains]
    domains = len({c.domain for c in pool})
    if domains < count:
        raise ConflictError(_refusal(known, usable, domains, count, shard_bytes))
    chosen: list[bytes] = []
    for index in range(count):
        pick = _draw(seed, index, pool)
        chosen.append(pick.miner)
        pool = [c for c in pool if c.domain != pick.domain]
    return chosen


def _refusal(
    known: Sequence[Candidate],
    usable: Sequence[Candidate],
    domains: int,
    count: int,
    shard_bytes: int,
) -> str:
    live = len({c.domain for c in known})
    roomy = len({c.domain for c in usable})
    return (
        f"cannot place {count} shards of {shard_bytes} bytes: {live} failure domains are live, "
        f"{roomy} of them have room and have not failed, {domains} hold no shard of this segment "
        f"yet; add miners in other domains or choose a smaller --code"
    )


def _draw(seed: bytes, index: int, pool: Sequence[Candidate]) -> Candidate:
    """One candidate, with probability in proportion to its free bytes plus one."""
    ordered = sorted(pool, key=lambda c: c.miner)
    total = sum(c.free_bytes + 1 for c in ordered)
    digest = blake3(seed + index.to_bytes(4, "little"), derive_key_context=_CONTEXT).digest()
    point = int.from_bytes(digest, "little") % total
    for candidate in ordered:
        point -= candidate.free_bytes + 1
        if point < 0:
            return candidate
    return ordered[-1]
