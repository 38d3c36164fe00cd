"""The checks of `cybervein doctor`: facts about this machine, this home and this network."""

import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from cybervein_client.catalogue import Catalogue
from cybervein_client.home import Home
from cybervein_client.lasting.ends import EndWatch
from cybervein_client.lasting.outlook import outlook
from cybervein_client.ledger import CustomersSuperNode, live_domains
from cybervein_protocol.amounts import coins
from cybervein_protocol.api.super_node.miners import ListedMiner
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import CyberVeinError
from cybervein_protocol.names import MIB, Veins
from cybervein_protocol.native import native
from cybervein_protocol.presets import Preset
from cybervein_protocol.signing import address
from cybervein_runtime.http_client import SignedClient

from cybervein_command.words import outlook_lines

PYTHON_MIN = (3, 11)
FREE_BYTES_MIN = 256 * MIB
SKEW_SECONDS_MAX = 15
_DOMAINS_MIN = 3


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; `fix` says what to do if it is not ok."""

    name: str
    ok: bool
    detail: str
    fix: str = ""


def examine(home: Home) -> list[Check]:
    """All checks, local ones first; those of the network need the local ones."""
    local: list[tuple[str, Callable[[], str], str]] = [
        ("python", _python, "install Python 3.11 or newer"),
        ("native code", _native, "reinstall the package with its native wheel"),
        (
            "disk",
            lambda: _disk(home.directory),
            "free some space, or set CYBERVEIN_HOME to another directory",
        ),
        ("wallet", lambda: _wallet(home), "run `cybervein wallet new` (or `restore`)"),
        ("network file", lambda: _network(home), "copy the network's network.json to the home"),
    ]
    checks = [_checked(*item) for item in local]
    if all(check.ok for check in checks):
        checks += asyncio.run(_remote(home))
    return checks


def _checked(name: str, look: Callable[[], str], fix: str) -> Check:
    try:
        return Check(name, ok=True, detail=look())
    except (CyberVeinError, OSError) as error:
        return Check(name, ok=False, detail=str(error), fix=fix)


def _python() -> str:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON_MIN:
        raise CyberVeinError(f"Python {version}, expected at least 3.11")
    return version


def _native() -> str:
    module = native()
    if module is None:
        raise CyberVeinError("not in use: everything works, but slowly")
    return str(getattr(module, "__version__", "in use"))


def _disk(directory: Path) -> str:
    place = next(p for p in (directory, *directory.parents) if p.exists())
    free = shutil.disk_usage(place).free
    if not os.access(place, os.W_OK):
        raise CyberVeinError(f"{place} is not writable")
    if free < FREE_BYTES_MIN:
        raise CyberVeinError(f"{free // MIB} MiB free at {place}, expected {FREE_BYTES_MIN // MIB}")
    return f"{free // MIB} MiB free at {place}"


def _wallet(home: Home) -> str:
    return address(home.identity().keys.public)


def _network(home: Home) -> str:
    network = home.network()
    return f"{cid_text(network.network)} (preset {network.genesis.preset.name})"


async def _remote(home: Home) -> list[Check]:
    network = home.network()
    fix = f"is the super node at {network.url} running, and this machine online?"
    trust = home.network().trust
    async with SignedClient(home.identity().keys, trust=trust) as http:
        supernode = CustomersSuperNode(network.url, http)
        try:
            now = await supernode.network()
            account = await supernode.account(address(home.identity().keys.public))
            miners = await supernode.miners()
            files = await _files(home, supernode, network.genesis.preset, account.balance)
        except CyberVeinError as error:
            return [Check("super node", ok=False, detail=str(error), fix=fix)]
    return [
        Check("super node", ok=True, detail=network.url),
        _same_network(now.network, cid_text(network.network)),
        _clock(now.now),
        _balance(account.balance, network.genesis.preset.coin_decimals),
        _miners(miners),
        *files,
    ]


async def _files(
    home: Home, supernode: CustomersSuperNode, preset: Preset, balance: Veins
) -> list[Check]:
    """A check for each warning about the time of stored files, or one that is ok."""
    lines: list[str] = []
    if home.catalogue_path.exists():
        with closing(Catalogue(home.catalogue_path)) as catalogue:
            watch = EndWatch(catalogue, supernode, preset.epoch_seconds)
            seen = outlook(await watch.look(catalogue.files()), balance, preset)
            lines = outlook_lines(seen, preset.coin_decimals)
    fix = "`cybervein ls` shows how long each file is paid for"
    bad = [Check("files", ok=False, detail=line, fix=fix) for line in lines]
    return bad or [Check("files", ok=True, detail="none has ended, none ends soon")]


def _same_network(actual: str, expected: str) -> Check:
    fix = "get a fresh network.json from whoever runs the network"
    return Check("network", ok=actual == expected, detail=f"super node serves {actual}", fix=fix)


def _clock(now: float) -> Check:
    skew = time.time() - now
    fix = "set this machine's clock (NTP): signed requests are refused otherwise"
    ok = abs(skew) <= SKEW_SECONDS_MAX
    return Check("clock", ok, f"{skew:+.1f} s against the super node", fix)


def _balance(veins: int, decimals: int) -> Check:
    fix = "have coins sent to this wallet's address"
    return Check("balance", veins > 0, f"{coins(veins, decimals)} coins", fix)


def _miners(miners: list[ListedMiner]) -> Check:
    domains = live_domains(miners)
    detail = f"live miners in {domains} failure domains"
    return Check("miners", domains >= _DOMAINS_MIN, detail, "wait until more miners have joined")
