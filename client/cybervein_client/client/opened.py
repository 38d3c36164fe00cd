"""An open wallet: its home, key and catalogue, its super node, and what works with them."""

from typing import Self

from cybervein_protocol.api.super_node.accounts import AccountDocument
from cybervein_protocol.errors import ConflictError
from cybervein_protocol.signing import address
from cybervein_runtime.belonging import belong
from cybervein_runtime.http_client import SignedClient

from cybervein_client.catalogue import Catalogue, FileRow, FileState
from cybervein_client.download import Locator
from cybervein_client.download.fetch import ShardFetcher
from cybervein_client.home import Home, default_home
from cybervein_client.lasting.ends import EndWatch
from cybervein_client.lasting.keeper import FileKeeper
from cybervein_client.lasting.renewal import Renewer
from cybervein_client.ledger import CustomersSuperNode, UnitSender
from cybervein_client.removal import Remover
from cybervein_client.transport import BulkTransport


class OpenWallet:
    """What every operation of a wallet stands on."""

    def __init__(self, home: Home | None = None) -> None:
        self.home = home or default_home()
        self.network = self.home.network()
        self.key = self.home.identity().keys
        self.catalogue = Catalogue(self.home.catalogue_path)
        belong(self.home.directory, self.network.network, "catalogue", self.catalogue.units)
        self._http = SignedClient(self.key, trust=self.network.trust)
        self.supernode = CustomersSuperNode(self.network.url, self._http)
        self._transport = BulkTransport(self.key)
        self._units = UnitSender(
            supernode=self.supernode,
            key=self.key,
            network=self.network.network,
            genesis=self.network.genesis,
            lock_path=self.home.lock_path,
        )
        preset = self.network.genesis.preset
        self._preset = preset
        self.watch = EndWatch(self.catalogue, self.supernode, preset.epoch_seconds)
        self.renewer = Renewer(self.catalogue, self.watch, self._units)
        self.keeper = FileKeeper(self.home, self.catalogue, self.watch, self.renewer)
        self._locator = Locator(self.catalogue, self.supernode, preset.epoch_seconds)
        self._fetcher = ShardFetcher(
            transport=self._transport,
            locator=self._locator,
            key=self.key,
            network=self.network.network,
            order_epochs=preset.order_epochs,
        )
        self._remover = Remover(
            catalogue=self.catalogue,
            supernode=self.supernode,
            units=self._units,
            locator=self._locator,
            fetcher=self._fetcher,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close connections, threads and the catalogue."""
        await self._http.close()
        self._transport.close()
        self.catalogue.close()

    @property
    def address(self) -> str:
        """The wallet's address."""
        return address(self.key.public)

    async def account(self) -> AccountDocument:
        """This wallet's account."""
        return await self.supernode.account(self.address)

    def files(self) -> list[FileRow]:
        """All files of this wallet."""
        return self.catalogue.files()

    def stored(self, name: str) -> FileRow:
        """A file by name or CID. Raises ConflictError if its upload is not finished."""
        file = self.catalogue.resolve(name)
        if file.state is not FileState.STORED:
            raise ConflictError(
                f"{file.name} is {file.state.shown}; {file.state.next_step(file.name)}"
            )
        return file
