"""Writing this miner's own units: registration, plot batches, retirements.

They are fee-free (a few per epoch), so that a miner can begin with nothing. One is sent at a time,
because each takes the account's next nonce; it is final before the next is made.
"""

import asyncio
from typing import Final

from cybervein_protocol.api.super_node.miners import FullMinerDocument
from cybervein_protocol.api.super_node.units import UnitStatus
from cybervein_protocol.encoding import encode, parse_cid
from cybervein_protocol.errors import ConflictError, FundsError, UnavailableError
from cybervein_protocol.ledger.mining.bodies import MinerRegister, MinerUpdate
from cybervein_protocol.ledger.units.body import Body
from cybervein_protocol.ledger.units.unit import Unit, make_unit
from cybervein_protocol.names import Veins
from cybervein_protocol.signing import KeyPair, address
from multiformats import CID

from cybervein_miner.chain.super_node import MinersSuperNode

NO_FEE: Final = Veins(0)


class UnitWriter:
    """Makes, sends and awaits units of one issuer."""

    def __init__(self, network: CID, key: KeyPair, super_node: MinersSuperNode) -> None:
        self._network, self._key, self._super_node = network, key, super_node
        self._turn = asyncio.Lock()

    async def draft(self, body: Body) -> Unit:
        """A signed unit with the next nonce and fresh parents, not sent yet."""
        view = await self._super_node.network()
        account = await self._super_node.own_account()
        parents = [parse_cid(text, "tip") for text in view.tips]
        return make_unit(
            self._network, body, parents=parents, key=self._key, nonce=account.nonce, fee=NO_FEE
        )

    async def send(self, unit: Unit) -> None:
        """Hand in a unit. Raises ConflictError if it is void, UnavailableError if undecided."""
        view = await self._super_node.send_unit(encode(unit))
        self._expect_final(unit.kind, view)

    async def write(self, body: Body) -> None:
        """Draft and send, one at a time."""
        async with self._turn:
            await self.send(await self.draft(body))

    @staticmethod
    def _expect_final(kind: str, view: UnitStatus) -> None:
        if view.status == "void":
            raise ConflictError(f"{kind} unit is void ({view.code}): {view.reason or ''}")
        if view.status != "final":
            raise UnavailableError(f"{kind} unit is still {view.status}; it is checked again later")


async def ensure_registered(
    super_node: MinersSuperNode,
    units: UnitWriter,
    wish: MinerRegister,
    view: FullMinerDocument | None,
) -> FullMinerDocument | None:
    """Register this miner, or update payout and URL, where `view` differs; the view then."""
    if view is None:
        await units.write(wish)
    elif (view.url, view.payout) != (wish.url, address(wish.payout)):
        await _update(units, MinerUpdate(payout=wish.payout, url=wish.url))
    else:
        return view
    return await super_node.own_miner()


async def _update(units: UnitWriter, body: MinerUpdate) -> None:
    try:
        await units.write(body)
    except FundsError as error:  # it carries no amount: only the fee can be too little
        raise FundsError(
            f"{error}; this miner has used up its free units of the epoch, and is tried again "
            "until the next one makes it free"
        ) from error
