"""The life of `cybervein up`: start, show, watch for crashes, stop in order."""

import asyncio
import json
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from cybervein_protocol.errors import CyberVeinError
from cybervein_runtime.files import write_atomic
from cybervein_runtime.http_client import SignedClient

from cybervein_up.network import EmbeddedNetwork
from cybervein_up.options import Options, Scenario
from cybervein_up.report import RunReport
from cybervein_up.scenario import Script
from cybervein_up.snapshot import Snapshot
from cybervein_up.view import UpView
from cybervein_up.watch import Watch

if TYPE_CHECKING:
    from cybervein_up.child import Child

_REFRESH_SECONDS = 1.0
_READY_SECONDS_MAX = 300.0


async def run(options: Options, scenario: Scenario | None, view: UpView) -> bool:
    """Run until Ctrl-C, or through the scenario; True if all that was promised held."""
    network = EmbeddedNetwork(options, view.started)
    with network.layout.lock():
        work = asyncio.create_task(_live(network, scenario, view))
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, work.cancel)
        try:
            return await work
        except asyncio.CancelledError:
            return scenario is None
        finally:
            await _stop(network, view)
            view.close()


async def _stop(network: EmbeddedNetwork, view: UpView) -> None:
    """Stop what was started; of nothing nothing is said."""
    if network.children:
        view.say("stopping")
        clean = await network.stop()
        view.say("stopped" if clean else "stopped; some processes had to be killed")


async def _live(network: EmbeddedNetwork, scenario: Scenario | None, view: UpView) -> bool:
    began = time.monotonic()
    await network.start()
    async with SignedClient() as http:
        watch = Watch(network, http)
        await _until_ready(network, watch, view)
        view.say(f"ready after {time.monotonic() - began:.1f} s")
        _say_addresses(network, view)
        if scenario is None:
            await _show_forever(network, watch, view)
        return await _play(Script(network, scenario, watch, view), scenario, view)


async def _until_ready(network: EmbeddedNetwork, watch: Watch, view: UpView) -> None:
    """Every miner is registered, seen by the super node, and has the plots it shall have."""
    crashes = _Crashes(network, view)
    give_up = time.monotonic() + _READY_SECONDS_MAX
    while time.monotonic() < give_up:
        crashes.tell()
        with suppress(CyberVeinError):
            snapshot = await watch.snapshot()
            view.show(snapshot)
            if ready(snapshot, network.options.plots):
                return
        await asyncio.sleep(_REFRESH_SECONDS / 4)
    view.say("not every miner has its plots yet; continuing")


def ready(snapshot: Snapshot, plots: int) -> bool:
    """A put works: the super node sees whoever has its plots. Crashed ones are left out."""
    return all(m.online and m.plots >= plots for m in snapshot.miners if m.running)


async def _show_forever(network: EmbeddedNetwork, watch: Watch, view: UpView) -> NoReturn:
    crashes = _Crashes(network, view)
    while True:
        crashes.tell()
        try:
            view.show(await watch.snapshot())
        except CyberVeinError as error:
            view.say(f"error: {error}")
        await asyncio.sleep(_REFRESH_SECONDS)


async def _play(script: Script, scenario: Scenario, view: UpView) -> bool:
    """Play the scenario, write and tell its report."""
    report = await script.run()
    for check in report.checks:
        detail = f" ({check.detail})" if check.detail else ""
        view.say(f"{'ok' if check.ok else 'FAILED'}: {check.what}{detail}")
    _write(report, scenario)
    return report.ok


def _write(report: RunReport, scenario: Scenario) -> None:
    if scenario.report is not None:
        text = json.dumps(report.document(), indent=2) + "\n"
        write_atomic(scenario.report.absolute(), text.encode(), mode=0o644)


def _say_addresses(network: EmbeddedNetwork, view: UpView) -> None:
    view.say(f"explorer     {network.url}/")
    view.say(f"api          {network.url}/openapi.json")
    view.say(f"metrics      {network.url}/metrics")
    for number, sidecar in sorted(network.sidecars.items()):
        miner = network.miners[number]
        view.say(f"{miner.name:<12} {miner.url}  metrics {sidecar.url}/metrics")
    view.say(f"wallet       export CYBERVEIN_HOME={network.layout.wallet}")


class _Crashes:
    """Tells each crash once."""

    def __init__(self, network: EmbeddedNetwork, view: UpView) -> None:
        self._network, self._view = network, view
        self._told: set[Child] = set()

    def tell(self) -> None:
        """Say which children ended since the last call."""
        for child in self._network.crashed:
            if child not in self._told:
                self._told.add(child)
                self._view.crashed(child)
