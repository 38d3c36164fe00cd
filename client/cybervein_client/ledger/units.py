"""Units: parents from the tips, nonces in order, resent until final, journalled by the caller.

A unit's bytes are recorded *before* they are sent, so that after a crash the same bytes are sent
again: a unit has one id and executes once. One wallet may be used by several commands at once: a
file lock covers the time from reading the nonce until the unit is accepted. Other homes of the
wallet have locks of their own; there the nonce decides: of two units that carry the same one, one
executes, and the other costs nothing.
"""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from cybervein_protocol.api.super_node.units import UnitStatus
from cybervein_protocol.cid import digest_cid
from cybervein_protocol.encoding import cid_text, encode, node_cid, parse_cid
from cybervein_protocol.errors import ConflictError, ExpiredError, ReplayError, UnavailableError
from cybervein_protocol.ledger.units.body import Body
from cybervein_protocol.ledger.units.genesis import Genesis, root_units
from cybervein_protocol.ledger.units.unit import PARENTS_MAX, make_paid_unit
from cybervein_protocol.names import Veins
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.retry import retry
from multiformats import CID

from cybervein_client.ledger.supernode import CustomersSuperNode

FINAL_ATTEMPTS_MAX = 10
_POLL_SECONDS = 0.05
_TIPS_TAKEN = 4
_NONCE_WIDEST = (1 << 63) - 1
_TURNS_MAX = 5
"""A unit that others of the wallet come before is signed anew so often."""


class _StillPendingError(UnavailableError):
    """The super node has the unit, and no block has it yet."""


@dataclass(kw_only=True, eq=False)
class UnitSender:
    """Signs and sends the units of one account."""

    supernode: CustomersSuperNode
    key: KeyPair
    network: CID
    genesis: Genesis
    lock_path: Path
    _lock: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)

    async def send(self, body: Body, record: Callable[[CID, bytes], None] | None = None) -> CID:
        """Sign, hand to `record`, send, wait until final; the unit's id.

        Raises ConflictError if the unit was voided, UnavailableError if it did not become final.
        """
        async with self._alone():
            raw = await self._signed(body, await self._nonce())
            unit = node_cid(raw)
            if record is not None:
                record(unit, raw)
            await self.settle(unit, raw)
        return unit

    async def send_while(self, body: Body, holds: Callable[[], Awaitable[None]]) -> CID:
        """As `send`, while `holds` does not raise: a check of the ledger that this unit stands on.

        The nonce is read before the check. So no other unit of this wallet executes between what
        was checked and this unit: if one does, this one is refused for its nonce, unpaid, and the
        check is made again.
        """
        async with self._alone():
            for turn in count(1):
                nonce = await self._nonce()
                await holds()
                raw = await self._signed(body, nonce)
                try:
                    await self.settle(node_cid(raw), raw)
                except (ReplayError, ExpiredError):
                    if turn == _TURNS_MAX or await self._nonce() == nonce:
                        raise
                else:
                    break
        return node_cid(raw)

    async def _nonce(self) -> int:
        """The wallet's next nonce by what has been executed; what waits does not count."""
        return (await self.supernode.account(address(self.key.public))).nonce

    async def settle(self, unit: CID, raw: bytes) -> None:
        """Send recorded bytes (again) until the unit is final. Raises as `send` does."""
        turns = count()

        async def look() -> None:
            status = await self._status(unit, raw, first=next(turns) == 0)
            if status.status == "void":
                raise ConflictError(_void(unit, status))
            if status.status != "final":
                raise _StillPendingError(
                    f"unit {cid_text(unit)} is still pending: the super node makes no blocks, or "
                    "is slow; run the same command again"
                )

        await retry(
            look,
            attempts=FINAL_ATTEMPTS_MAX,
            base_seconds=_POLL_SECONDS,
            on=_StillPendingError,
        )

    async def _status(self, unit: CID, raw: bytes, *, first: bool) -> UnitStatus:
        """Send what the super node does not have; ask about what it has."""
        status = None if first else await self.supernode.unit(cid_text(unit))
        if status is not None:
            return status
        try:
            return await self.supernode.send_unit(raw)
        except ReplayError:  # it waits or is in a block already: it was sent before a crash
            known = await self.supernode.unit(cid_text(unit))
            if known is None:
                raise  # the account's nonce was used by another unit
            return known

    def fee_most(self, body: Body) -> Veins:
        """What a unit with this body costs at most: with all parents that are ever taken.

        Its true fee is known when it is signed, and less by a few bytes.
        """
        unit = make_paid_unit(
            self.network,
            body,
            parents=[digest_cid(bytes([i]) * 32) for i in range(_TIPS_TAKEN)],
            key=self.key,
            nonce=_NONCE_WIDEST,
            preset=self.genesis.preset,
        )
        return unit.fee

    async def _signed(self, body: Body, nonce: int) -> bytes:
        parents = await self._parents()
        unit = make_paid_unit(
            self.network,
            body,
            parents=parents,
            key=self.key,
            nonce=nonce,
            preset=self.genesis.preset,
        )
        return encode(unit)

    async def _parents(self) -> list[CID]:
        """A few tips; the genesis' roots where there are fewer than two."""
        view = await self.supernode.network()
        tips = [parse_cid(text, "tip") for text in view.tips[:_TIPS_TAKEN]]
        known = dict.fromkeys([*tips, *root_units(self.genesis)])
        return list(known)[: max(2, min(len(tips), PARENTS_MAX))]

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """One unit at a time over all tasks and processes of this wallet."""
        async with self._lock:
            handle = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                await asyncio.to_thread(fcntl.flock, handle, fcntl.LOCK_EX)
                yield
            finally:
                os.close(handle)


def _void(unit: CID, status: UnitStatus) -> str:
    return (
        f"unit {cid_text(unit)} was voided at height {status.height} ({status.code}); "
        "its fee is spent, nothing else happened"
    )
