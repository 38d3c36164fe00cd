"""The live page, the registry and the documentation name the same metrics; failures are gauges."""

import json
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Self

import psutil
import pytest
from cybervein_miner.sidecar.metric import SOURCES, MetricSpec
from cybervein_miner.sidecar.registry import ALL, METRICS
from prometheus_client.parser import text_string_to_metric_families
from services import Service, miner, sidecar, super_node
from waiting import DEADLINE_SECONDS, until

DOCS = Path(__file__).parents[2] / "docs" / "metrics.md"
UNITS = ("bytes", "seconds", "veins", "ratio", "bytes_per_second", "timestamp_seconds")
FORBIDDEN_LABELS = {"plot", "shard", "challenge", "peer", "root", "deal", "batch", "miner"}


class Live:
    """A super node, a miner with plots, and its sidecar."""

    def __init__(self, folder: Path) -> None:
        self.node = super_node(folder / "sn")
        self.node.start()
        self.miner = miner(
            folder / "m", folder / "sn" / "network.json", "--plots", "2", "--group", "g"
        )
        self.miner.start()
        self.sidecar = sidecar(folder / "sidecar.json", self.miner.url, self.node.url)
        self.sidecar.start()

    def stop(self) -> None:
        for process in (self.sidecar, self.miner, self.node):
            process.kill()


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    running = Live(tmp_path_factory.mktemp("live"))
    try:
        until(lambda: running.miner.status()["plots_by_state"]["active"] == 2, "plots to count")
        until(lambda: running.miner.status()["proofs"]["accepted"] > 0, "a proof")
        yield running
    finally:
        running.stop()


def status_of(url: str) -> int:
    with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as answer:  # noqa: S310 -- our own
        return int(answer.status)


def page(url: str, accept: str = "text/plain") -> str:
    request = urllib.request.Request(f"{url}/metrics", headers={"accept": accept})  # noqa: S310
    with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:  # noqa: S310 -- our own loopback
        return str(answer.read().decode())


def families(text: str) -> dict[str, object]:
    """Families by the name that the registry uses."""
    found = {}
    for family in text_string_to_metric_families(text):
        suffix = "_total" if family.type == "counter" else ""
        found[family.name + suffix] = family
    return found


def value(text: str, name: str, **labels: str) -> float:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return float(sample.value)
    raise AssertionError(f"{name} {labels} is not on the page")


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_names_follow_the_rules(spec: MetricSpec) -> None:
    assert re.fullmatch(r"cybervein_[a-z][a-z0-9_]*", spec.name)
    assert spec.name.endswith("_total") == (spec.kind == "counter")
    assert spec.name.endswith("_info") == (spec.kind == "info")
    assert not FORBIDDEN_LABELS & set(spec.labels)
    assert spec.help.endswith(".")
    base = spec.name.removesuffix("_total")
    assert not re.search(r"_(kib|mib|gib|ms|milliseconds|minutes|hours|percent)$", base)
    for unit in ("bytes", "seconds", "veins"):
        assert unit not in base.split("_")[:-3] or base.endswith(UNITS), "the unit comes last"


def test_no_metric_is_listed_twice() -> None:
    names = [spec.name for spec in ALL]
    assert len(names) == len(set(names))
    assert {spec.source for spec in METRICS} == set(SOURCES)


def test_the_live_page_has_exactly_the_registered_metrics(live: Live) -> None:
    found = families(page(live.sidecar.url))
    assert set(found) == {spec.name for spec in ALL}
    kinds = {"gauge": "gauge", "counter": "counter", "info": "gauge"}
    for spec in ALL:
        family = found[spec.name]
        assert family.type == kinds[spec.kind]
        assert family.documentation == spec.help
        for sample in family.samples:
            assert set(sample.labels) == set(spec.labels)


def test_the_documentation_lists_exactly_the_registered_metrics() -> None:
    text = DOCS.read_text().split("<!-- sidecar -->")[1]
    row = r"^\| `(cybervein_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \|$"
    rows = re.findall(row, text, re.MULTILINE)
    documented = {
        name: (kind, re.findall(r"`(\w+)`", labels), text.strip())
        for name, kind, labels, text in rows
    }
    registered = {spec.name: (spec.kind, list(spec.labels), spec.help) for spec in ALL}
    assert documented == registered


def test_values_are_those_of_the_sources(live: Live) -> None:
    text, status = page(live.sidecar.url), live.miner.status()
    assert value(text, "cybervein_up", source="miner") == 1
    assert value(text, "cybervein_plots", state="active") == 2
    assert value(text, "cybervein_plots_bytes") == status["plot_bytes"]
    assert value(text, "cybervein_plots_active") == 2
    assert value(text, "cybervein_miner_info", address=status["address"]) == 1
    assert value(text, "cybervein_disk_state", state="ready") == 1
    assert value(text, "cybervein_disk_capacity_bytes") == status["disks"][0]["capacity_bytes"]
    assert value(text, "cybervein_space_proofs_total", outcome="accepted") >= 1
    assert value(text, "cybervein_epoch_end_timestamp_seconds") > time.time() - 60
    until(
        lambda: value(page(live.sidecar.url), "cybervein_rewards_veins_total") > 0,
        "rewards on the page",
    )
    later = page(live.sidecar.url)
    assert value(later, "cybervein_space_measured_bytes") > 0
    assert value(later, "cybervein_weight") > 0


def test_openmetrics_is_served_to_who_asks_for_it(live: Live) -> None:
    text = page(live.sidecar.url, "application/openmetrics-text; version=1.0.0")
    assert text.endswith("# EOF\n")
    assert "# TYPE cybervein_miner info" in text


def test_a_source_that_is_away_is_a_zero_not_an_error(live: Live, tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}"
        alone = sidecar(tmp_path / "sidecar.json", nobody, live.node.url)
        try:
            alone.start()
            text = page(alone.url)
            assert value(text, "cybervein_up", source="miner") == 0
            assert value(text, "cybervein_up", source="host") == 1
            assert "cybervein_plots{" not in text
            with pytest.raises(urllib.error.HTTPError):
                status_of(f"{alone.url}/readyz")
            assert status_of(f"{alone.url}/healthz") == 200
        finally:
            alone.kill()


def test_it_has_started_once_its_miner_has_answered_whatever_comes_then(
    live: Live, tmp_path: Path
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        place = probe.getsockname()
    alone = sidecar(tmp_path / "sidecar.json", f"http://127.0.0.1:{place[1]}", live.node.url)

    def answers(path: str) -> int:
        try:
            return status_of(f"{alone.url}/{path}")
        except urllib.error.HTTPError as error:
            return error.code

    try:
        alone.start()
        assert (answers("startupz"), answers("healthz")) == (503, 200)
        with Status(place, live.miner.status()):
            assert answers("startupz") == 200
        assert (answers("startupz"), answers("readyz"), answers("healthz")) == (200, 503, 200)
    finally:
        alone.kill()


class Status(HTTPServer):
    """A miner as a sidecar sees it, while the block runs."""

    def __init__(self, place: tuple[str, int], document: object) -> None:
        body = json.dumps(document).encode()

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(body)

        super().__init__(place, Answer)

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


def ups(service: Service) -> tuple[float, float]:
    """Of the miner and of the super node."""
    text = page(service.url)
    return (
        value(text, "cybervein_up", source="miner"),
        value(text, "cybervein_up", source="supernode"),
    )


def test_a_source_that_hangs_is_given_up_in_time(live: Live, tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # accepts and never answers
        hanging = f"http://127.0.0.1:{silent.getsockname()[1]}"
        slow = sidecar(tmp_path / "sidecar.json", hanging, live.node.url)
        try:
            slow.start()
            until(lambda: ups(slow) == (0, 1), "the page, though the miner never answers")
        finally:
            slow.kill()


def test_a_source_that_answers_nonsense_is_a_zero(live: Live, tmp_path: Path) -> None:
    (tmp_path / "v1").mkdir()
    (tmp_path / "v1" / "status").write_text("[1, 2")
    server = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1"],
        cwd=tmp_path, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    port = re.search(r"port (\d+)", server.stdout.readline())
    assert port is not None
    fooled = sidecar(tmp_path / "sidecar.json", f"http://127.0.0.1:{port[1]}", live.node.url)
    try:
        fooled.start()
        assert value(page(fooled.url), "cybervein_up", source="miner") == 0
    finally:
        fooled.kill()
        server.kill()
        server.wait()


def test_the_sidecar_is_small(live: Live) -> None:
    page(live.sidecar.url)
    process = psutil.Process(live.sidecar.pid)
    assert process.memory_info().rss < 100 << 20
    with suppress(psutil.AccessDenied):
        assert not [m for m in process.memory_maps() if "cybervein_native" in m.path]
