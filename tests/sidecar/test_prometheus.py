"""A real Prometheus scrapes a real sidecar and super node: they answer what docs and alerts ask."""

import json
import re
import subprocess
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ports import free_ports
from secure import secure
from services import Service, get_json, miner, run, sidecar, super_node
from waiting import until

ROOT = Path(__file__).parents[2]
RULES = ROOT / "charts" / "cybervein" / "files" / "rules.yaml"
QUESTIONS = ROOT / "docs" / "metrics.md"


@dataclass(frozen=True)
class Prometheus:
    """One that scrapes every second."""

    url: str

    def ask(self, expression: str) -> list[Any]:
        """The series that an expression gives now."""
        query = urllib.parse.urlencode({"query": expression})
        return list(get_json(f"{self.url}/api/v1/query?{query}")["data"]["result"])

    def alerts(self) -> dict[str, str]:
        """Health of each alerting rule by name."""
        groups = get_json(f"{self.url}/api/v1/rules?type=alert")["data"]["groups"]
        return {rule["name"]: rule["health"] for group in groups for rule in group["rules"]}


def target(url: str, **labels: str) -> dict[str, Any]:
    """A page to scrape, with the labels that the chart's PodMonitor gives it."""
    scheme, _, place = url.partition("://")
    return {
        "job_name": place,
        "scheme": scheme,
        "tls_config": {"insecure_skip_verify": True},
        "static_configs": [{"targets": [place], "labels": labels}],
    }


@contextmanager
def prometheus(folder: Path, *jobs: dict[str, Any]) -> Iterator[Prometheus]:
    """Scrapes targets."""
    folder.mkdir()
    every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    settings = {"global": every, "rule_files": [str(RULES)], "scrape_configs": jobs}
    (folder / "prometheus.yml").write_text(json.dumps(settings))
    url = f"127.0.0.1:{free_ports(1)[0]}"
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={url}",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            yield Prometheus(f"http://{url}")
        finally:
            process.kill()


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("scraped")
    node = super_node(folder / "sn").start("--backup", folder / "backup")
    mining = miner(folder / "m", folder / "sn" / "network.json", "--plots", "1", "--group", "g")
    beside = sidecar(folder / "sidecar.json", mining.start().url, node.url).start()
    try:
        page = target(beside.url, cybervein_io_miner="miner-a")
        with prometheus(folder / "prometheus", page, target(node.url)) as running:
            until(lambda: earned(running), "it earns")
            until(lambda: running.ask("cybervein_supernode_backup_last_bytes > 0"), "a snapshot")
            yield running
    finally:
        for process in (beside, mining, node):
            process.kill()


def earned(running: Prometheus) -> bool:
    return any(float(each["value"][1]) for each in running.ask("cybervein_rewards_veins_total"))


def questions() -> list[str]:
    """The expressions of the page's table of what to watch first."""
    table = QUESTIONS.read_text().split("What to watch first:", 1)[1].split("The module", 1)[0]
    found = re.findall(r"\| `([^`]+)`", table)
    assert len(found) >= 6
    return [each.replace("\\|", "|") for each in found]


@pytest.mark.parametrize("expression", questions())
def test_documented_expressions_ask_for_series_that_are_there(
    scraped: Prometheus, expression: str
) -> None:
    scraped.ask(expression)  # refused if it is no expression
    for name in re.findall(r"cybervein_\w+", expression):
        assert scraped.ask(name), f"no series {name}"


def test_every_alert_asks_for_series_that_are_there(scraped: Prometheus) -> None:
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    until(lambda: set(scraped.alerts().values()) == {"ok"}, "rules are evaluated")
    assert set(scraped.alerts()) == {rule["alert"] for rule in rules}
    for rule in rules:
        for name in re.findall(r"cybervein_\w+(?=[{ ])", rule["expr"]):
            assert scraped.ask(name), f"{rule['alert']}: no series {name}"
    assert scraped.ask("ALERTS") == []


def test_series_carry_the_label_that_alerts_name_the_miner_by(scraped: Prometheus) -> None:
    [measured] = scraped.ask("cybervein_space_measured_bytes > 0")
    assert measured["metric"]["cybervein_io_miner"] == "miner-a"


def test_a_super_node_is_scraped_over_tls_and_missed_when_it_is_down(tmp_path: Path) -> None:
    (port,), tls, data = free_ports(1), secure(tmp_path).files, tmp_path / "node"
    url = f"https://127.0.0.1:{port}"
    run(*("supernode", "init", "--data", data, "--preset", "test", "--url", url)).check_returncode()
    served = ("--tls-cert", tls.cert, "--tls-key", tls.key)
    node = Service(data / "run.json", "supernode", "run", "--data", data, *served)
    node.port = port
    node.start()
    page = target(url, namespace="mining", cybervein_io_network="home")
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    (missing,) = [rule["expr"] for rule in rules if rule["alert"] == "CyberVeinSuperNodeDown"]
    try:
        with prometheus(tmp_path / "prometheus", page) as running:
            until(lambda: running.ask("cybervein_supernode_height"), "it is scraped")
            node.kill()
            (seen,) = until(lambda: running.ask(missing), "it is missed")
            assert seen["metric"] == {"namespace": "mining", "cybervein_io_network": "home"}
    finally:
        node.kill()
