"""A super node under test: inside the test's process (`Lab`) or a process of its own."""

import asyncio
import json
import secrets
import time
from pathlib import Path

from cybervein_protocol.encoding import cid_root, encode
from cybervein_protocol.ledger.accounts.transfers import Transfer
from cybervein_protocol.ledger.mining.bodies import MinerRegister
from cybervein_protocol.ledger.state.rows import ACCOUNTS
from cybervein_protocol.ledger.storage.bodies import DealCommit, DealOpen
from cybervein_protocol.ledger.units.body import Body
from cybervein_protocol.ledger.units.genesis import Allocation, Genesis, root_units
from cybervein_protocol.ledger.units.unit import make_paid_unit, make_unit
from cybervein_protocol.messages import RepairBox, SegmentEntry, encode_repair, sign_verification
from cybervein_protocol.presets import TEST, Preset
from cybervein_protocol.signing import KeyPair, address
from cybervein_runtime.identity import load_identity, new_identity
from cybervein_runtime.network_file import load_network
from cybervein_supernode.clock.timeline import Timeline, begin
from cybervein_supernode.desk.desk import Desk
from cybervein_supernode.engine.port import Inclusion
from cybervein_supernode.node.assembly import assemble
from cybervein_supernode.node.home import SuperNodeHome
from cybervein_supernode.node.node import Place, SuperNodeParts
from cybervein_supernode.process.founding import super_node
from multiformats import CID
from nacl.public import PublicKey as SealKey
from nacl.public import SealedBox
from services import Service, run
from waiting import DEADLINE_SECONDS

FUNDS = 10**15
WALLET = KeyPair(b"w" * 32)


class Lab:
    """A whole super node without its HTTP server; nothing happens that the test does not ask."""

    def __init__(self, directory: Path, preset: Preset = TEST) -> None:
        self.home = SuperNodeHome(directory)
        self.identity = new_identity()
        self.genesis = Genesis(
            v=1,
            chain="cybervein",
            created=1_700_000_000,
            preset=preset,
            super_nodes=[super_node(self.identity, "http://127.0.0.1:1")],
            accounts=[Allocation(key=WALLET.public, balance=FUNDS)],
            roots=[b"a" * 32, b"b" * 32],
        )
        self.node: SuperNodeParts
        self._blocks: asyncio.Task[None]

    @property
    def desk(self) -> Desk:
        return self.node.desk

    def begin(self) -> None:
        """Open (again) what is on disk; only blocks are made automatically."""
        self.node = assemble(Place(self.home, "http://127.0.0.1:1"), self.identity, self.genesis)
        self._blocks = asyncio.create_task(self.node.desk.engine.run())

    async def end(self) -> None:
        self._blocks.cancel()
        await self.node.stop()

    def timeline(self) -> Timeline:
        """The open epoch, as if it began now."""
        return begin(self.genesis.preset, self.node.epochs.open_epoch(), time.monotonic())

    async def close_epoch(self) -> None:
        await self.node.epochs.close_epoch(self.node.epochs.open_epoch())

    async def send(self, key: KeyPair, body: Body, *, free: bool = False) -> Inclusion:
        """A unit of an account; returns once it is final (or void)."""
        account = self.account(key)
        parents = self.desk.engine.parents()
        network = self.desk.view.network
        if free:
            unit = make_unit(network, body, parents=parents, key=key, nonce=account, fee=0)
        else:
            unit = make_paid_unit(
                network, body, parents=parents, key=key, nonce=account, preset=self.desk.preset
            )
        _, future = await self.desk.engine.submit(encode(unit))
        return await asyncio.wait_for(future, DEADLINE_SECONDS)

    def account(self, key: KeyPair) -> int:
        """The account's next nonce."""
        row = self.desk.view.rows.find(ACCOUNTS, key.public)
        return row.nonce if row else 0

    async def register(self, key: KeyPair, url: str, group: str) -> None:
        """Register a miner in a failure domain of its own."""
        body = MinerRegister(
            vrf=b"v" * 32, payout=key.public, url=url, group=group, owner=f"owner of {group}"
        )
        done = await self.send(key, body, free=True)
        assert done.status == "final", done

    async def open_deal(self, shard_bytes: int, k: int, n: int) -> CID:
        """A deal of one segment, opened by the wallet."""
        preset, size = self.desk.preset, shard_bytes * n
        kib = -(-shard_bytes // 1024) * n
        escrow = kib * (10 * preset.price_veins_per_kib_epoch + preset.ingress_veins_per_kib)
        body = DealOpen(size=size, segments=1, k=k, n=n, epochs=10, escrow=escrow)
        done = await self.send(WALLET, body)
        assert done.status == "final", done
        return done.unit

    async def commit_deal(self, deal: CID, segment: SegmentEntry, repair_key: bytes) -> None:
        """Commit without asking the node to verify: its key signs here."""
        seal = SealedBox(SealKey(self.genesis.super_nodes[0].seal))
        box = RepairBox(super=self.identity.keys.public, box=seal.encrypt(repair_key))
        body = DealCommit(
            deal=deal,
            repair=encode_repair([box]),
            segments=[segment],
            verification=sign_verification(self.identity.keys, deal, [segment]),
        )
        done = await self.send(WALLET, body)
        assert done.status == "final", done

    def holders(self, deal: CID) -> dict[int, bytes]:
        """Miner by shard index of a deal's only segment; lost shards left out."""
        shards = self.desk.view.shards_of_deal(cid_root(deal))
        return {s.index: s.row.miner for s in shards if not s.row.lost}


class RealSuperNode(Service):
    """`cybervein supernode run` with its own data directory."""

    def __init__(self, data: Path, *options: object) -> None:
        self.home = SuperNodeHome(data)
        log = data.with_name(f"{data.name}.log")
        super().__init__(self.home.run_file, "supernode", "run", "--data", data, *options, log=log)

    def found(self, *, epoch_seconds: int) -> None:
        fund = f"{address(WALLET.public)}={FUNDS}"
        self.cli(
            "supernode", "init", "--data", str(self.home.directory), "--preset", "test",
            "--epoch-seconds", str(epoch_seconds), "--fund", fund,
        )  # fmt: skip
        self.genesis = load_network(self.home.network).genesis
        self.network = load_network(self.home.network).network
        self.identity = load_identity(self.home.identity)

    def stop(self) -> int | None:
        """SIGTERM; it must end unforced and remove its run file."""
        if (code := super().stop()) is None:
            return None
        assert code == 0, self.tail()
        assert not self.home.run_file.exists()
        return code

    def cli(self, *arguments: str) -> dict[str, object]:
        """Another `cybervein --json` command; its answer."""
        done = run("--json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def verify(self) -> dict[str, object]:
        """`chain verify` of the data directory."""
        return self.cli("chain", "verify", "--data", str(self.home.directory))


def transfer_of(process: RealSuperNode, nonce: int, parents: list[CID] | None = None) -> bytes:
    """A wallet's transfer to nobody, with that nonce."""
    body = Transfer(to=secrets.token_bytes(32), amount=1, memo="")
    roots = parents or root_units(process.genesis)
    unit = make_paid_unit(
        process.network, body, parents=roots, key=WALLET, nonce=nonce, preset=process.genesis.preset
    )
    return encode(unit)
