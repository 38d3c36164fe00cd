"""`Client`: the operations of `AsyncClient`, blocking, for programs without an event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import BinaryIO, TypeVar

from cybervein_protocol.placement import parse_code
from cybervein_protocol.signing import parse_address

from cybervein_client.audit import ShardCheck
from cybervein_client.catalogue import FileRow
from cybervein_client.client import AsyncClient
from cybervein_client.download import ReadReport
from cybervein_client.home import Home, default_home
from cybervein_client.upload import FileSource, StreamSource

T = TypeVar("T")


class Client:
    """A wallet and its files. Each call opens and closes its own connections.

    Example:
        client = Client(Path("~/.cybervein").expanduser())
        client.put(Path("photo.jpg"))
        client.get("photo.jpg", Path("copy.jpg"))
        client.read("photo.jpg", 0, 1024)
    """

    def __init__(self, home: Path | None = None) -> None:
        self._home = Home(home) if home is not None else default_home()

    def _run(self, operation: Callable[[AsyncClient], Awaitable[T]]) -> T:
        async def run() -> T:
            async with AsyncClient(self._home) as client:
                return await operation(client)

        return asyncio.run(run())

    def put(
        self,
        source: Path | BinaryIO,
        name: str | None = None,
        *,
        epochs: int | None = None,
        code: str | None = None,
        keep: bool = False,
    ) -> FileRow:
        """Store a file or a stream (which needs a `name`) for `epochs`, as `code` k/n."""
        opened = FileSource(source) if isinstance(source, Path) else StreamSource(source)
        chosen = name or Path(opened.name).name
        with closing(opened):
            return self._run(
                lambda client: client.put(
                    opened,
                    chosen,
                    epochs=epochs,
                    code=parse_code(code) if code else None,
                    keep=keep,
                )
            )

    def get(self, name: str, destination: Path, *, replace: bool = False) -> ReadReport:
        """Read a file to `destination`; the report names miners that failed."""
        return self._run(lambda client: client.get(name, destination, replace=replace))

    def read(self, name: str, start: int = 0, stop: int | None = None) -> bytes:
        """The bytes [start, stop) of a file."""

        async def collect(client: AsyncClient) -> bytes:
            return b"".join([part async for part in client.stream(name, start, stop)])

        return self._run(collect)

    def files(self) -> list[FileRow]:
        """All files of this wallet."""

        async def listed(client: AsyncClient) -> list[FileRow]:
            return client.files()

        return self._run(listed)

    def remove(self, name: str) -> int:
        """Remove a file for good; how many miners were not reached."""
        return self._run(lambda client: client.remove(name)).miners_not_reached

    def renew(self, name: str, epochs: int | None = None) -> int:
        """Pay for more epochs; the veins escrowed."""
        return self._run(lambda client: client.renew(name, epochs)).escrow

    def audit(self, name: str, samples: int = 4) -> list[ShardCheck]:
        """Check random chunks of every shard of a file."""
        return self._run(lambda client: client.audit(name, samples))

    def balance(self) -> int:
        """The wallet's veins."""

        async def read(client: AsyncClient) -> int:
            return (await client.account()).balance

        return self._run(read)

    def send(self, to: str, amount: int, memo: str = "") -> str:
        """Pay veins to an address; the unit's id."""
        return self._run(lambda client: client.send(parse_address(to), amount, memo))
