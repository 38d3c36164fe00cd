"""A super node over HTTPS: which network it runs, the epoch, and who has proved and who drains."""

from cybervein_protocol.api.super_node.backup import BackupDocument
from cybervein_protocol.api.super_node.miners import ListedMiner
from cybervein_runtime.http_client import SignedClient
from cybervein_runtime.super_node import SuperNodeReader
from cybervein_runtime.trust import Trust


class TrustedSuperNode(SuperNodeReader):
    """One super node, trusted by the system's authorities or by `authority` (PEM)."""

    def __init__(self, url: str, authority: str = "") -> None:
        super().__init__(url, SignedClient(trust=Trust(authority, [url])))
        self.authority = authority

    async def close(self) -> None:
        """Close the session."""
        await self.http.close()

    async def backup(self) -> BackupDocument:
        """How far its ledger is kept elsewhere."""
        return await self._read("/backup", BackupDocument)

    async def miners_by_address(self) -> dict[str, ListedMiner]:
        """Every miner of the ledger."""
        return {each.address: each for each in await self.miners()}
