"""`kill -9` of the super node while it writes blocks: no acknowledged unit is ever lost."""

import asyncio
from pathlib import Path

import pytest
from chaos_network import ChaosNetwork, chaos_network, seeded
from cybervein_client.client import AsyncClient
from cybervein_client.home import Home
from cybervein_protocol.errors import ConflictError, CyberVeinError
from cybervein_protocol.signing import KeyPair, address

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]

KILLS = 50


async def test_every_acknowledged_payment_is_final_after_every_kill(tmp_path: Path) -> None:
    rng = seeded("blocks")
    async with chaos_network(tmp_path, rng, miners=1, plots=1) as chaos:
        payee = KeyPair(rng.randbytes(32)).public
        paid: dict[str, int] = {}
        async with AsyncClient(Home(chaos.home)) as client:
            payer = asyncio.create_task(pay_forever(client, payee, paid))
            while chaos.kills.total() < KILLS:
                await chaos.pause(1.0)
                acknowledged = dict(paid)
                await chaos.strike(chaos.supernode)
                await check_final(chaos, acknowledged)
            payer.cancel()
            await asyncio.gather(payer, return_exceptions=True)
        assert len(paid) >= KILLS
        await check_final(chaos, dict(paid))
        account = await chaos.get(f"/v1/accounts/{address(payee)}")
        assert account["balance"] >= sum(paid.values()), "an acknowledged payment is gone"
        payer_account = await chaos.get(f"/v1/accounts/{client.address}")
        assert account["balance"] == payer_account["nonce"], "each executed unit paid one vein"
        await chaos.assert_ledger_whole()


async def pay_forever(client: AsyncClient, payee: bytes, paid: dict[str, int]) -> None:
    """Pay one vein after the other; only what the client saw final is written down."""
    while True:
        try:
            paid[await client.send(payee, 1)] = 1
        except (CyberVeinError, ConflictError):
            await asyncio.sleep(0.05)


async def check_final(chaos: ChaosNetwork, acknowledged: dict[str, int]) -> None:
    for unit in list(acknowledged)[-40:]:
        known = await chaos.get(f"/v1/units/{unit}")
        assert known["status"] == "final", f"unit {unit} was acknowledged and is {known}"
