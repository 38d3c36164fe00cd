"""Which cluster and namespace a command is about, and one conversation with its API server.

Light, as every command of `cybervein` loads it: what logs in is imported when somebody does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from cybervein_protocol.errors import UnknownError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from cybervein_operator.cluster.login import Login
    from cybervein_operator.plugin.api_server import ApiServer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Where:
    """What is empty is as the kubeconfig says; `in_pod` prefers a pod's own rights to a home's."""

    namespace: str = ""
    context: str = ""
    kubeconfig: Path | None = None
    everywhere: bool = False
    in_pod: bool = False

    def ask(self, work: Callable[[ApiServer], Awaitable[T]]) -> T:
        """Log in, let `work` ask, and return what it returns. Raises what it raises."""
        try:
            return asyncio.run(self._ask(work))
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "kubernetes":
                raise
            raise UnknownError(
                "this command needs the Python package kubernetes, which is not installed here; "
                "run pip install 'cybervein[operator]'"
            ) from error

    async def _ask(self, work: Callable[[ApiServer], Awaitable[T]]) -> T:
        from cybervein_operator.plugin.api_server import connected  # noqa: PLC0415

        login = await self._login()
        namespace = self.namespace or login.namespace
        async with connected(login, namespace, everywhere=self.everywhere) as api:
            return await work(api)

    async def _login(self) -> Login:
        from cybervein_operator.cluster.login import find_login, find_person  # noqa: PLC0415

        if self.in_pod:
            return await find_login(self.kubeconfig)
        return await find_person(self.kubeconfig, self.context)
