"""What runs inside pods of the chart, where there is no kubectl: a probe, and upgrades of CRDs."""

import asyncio
import time
import urllib.error
import urllib.request
from pathlib import Path

import aiohttp
import msgspec
from cybervein_protocol.errors import UnavailableError

from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.cluster.login import Login, find_login
from cybervein_operator.crd import definitions

_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_QUERY = "?fieldManager=cybervein-crds&force=true"
_REDIRECTION = 300  # and above: not what was asked for
_POLL_SECONDS = 1.0


def probe(url: str, timeout_seconds: float) -> None:
    """Return once `url` answers 200. Raises UnavailableError with the last answer."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        problem = _once(url)
        if not problem:
            return
        if time.monotonic() + _POLL_SECONDS > deadline:
            raise UnavailableError(f"{url} is not well after {timeout_seconds:g} s: {problem}")
        time.sleep(_POLL_SECONDS)


def _once(url: str) -> str:
    """Why the answer is not 200, or nothing."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 -- a person's own URL
            return "" if answer.status < _REDIRECTION else f"HTTP {answer.status}"
    except urllib.error.HTTPError as error:
        return f"HTTP {error.code}: {error.read(500).decode(errors='replace')}"
    except (OSError, ValueError) as error:
        return str(error)


def apply_definitions(kubeconfig: Path | None) -> list[str]:
    """Server-side apply of this version's CRDs; their names."""
    return asyncio.run(_apply(kubeconfig))


async def _apply(kubeconfig: Path | None) -> list[str]:
    login = await find_login(kubeconfig)
    async with login.session("cybervein-crds") as session:
        return [await _apply_one(session, login, each) for each in definitions()]


async def _apply_one(session: aiohttp.ClientSession, login: Login, crd: dict[str, object]) -> str:
    meta = crd["metadata"]
    name = str(meta["name"]) if isinstance(meta, dict) else ""
    url = f"{login.server}{_PATH}/{name}{_QUERY}"
    headers = {"Content-Type": "application/apply-patch+yaml"} | await login.headers()
    async with session.patch(url, data=msgspec.json.encode(crd), headers=headers) as answer:
        text = await answer.text()
        if answer.status >= _REDIRECTION:
            raise ApiError(f"apply {name}: {text[:500]}", answer.status, "")
    return name
