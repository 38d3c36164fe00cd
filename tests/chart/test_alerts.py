"""The chart's alerts, judged by Prometheus' own tool."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from chart_helm import CHART
from waiting import DEADLINE_SECONDS

ALERTS = CHART.parents[1] / "dashboards" / "alerts"
TESTS = sorted(ALERTS.glob("*_test.yaml"))
RUNBOOKS = ALERTS.with_name("runbooks")
RULES = CHART / "files" / "rules.yaml"


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


def rules(path: Path) -> list[dict[str, object]]:
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def test_rules_are_rules() -> None:
    done = promtool("check", "rules", RULES)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("test", TESTS, ids=lambda path: path.stem)
def test_an_alert_fires_when_it_should_and_only_then(test: Path) -> None:
    done = promtool("test", "rules", test)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_of_the_chart_has_a_file_and_a_test_that_fires_it() -> None:
    files = {path.stem for path in ALERTS.glob("*.yaml")} - {path.stem for path in TESTS}
    assert {rule["alert"] for rule in rules(RULES)} == files
    for name in files:
        assert [rule["alert"] for rule in rules(ALERTS / f"{name}.yaml")] == [name]
        cases = yaml.safe_load((ALERTS / f"{name}_test.yaml").read_text())["tests"]
        looks = [look for case in cases for look in case["alert_rule_test"]]
        assert name in {look["alertname"] for look in looks if look["exp_alerts"]}


def test_every_alert_has_a_runbook_with_its_four_parts_and_every_runbook_an_alert() -> None:
    pages = {path.stem: path.read_text() for path in RUNBOOKS.glob("*.md")}
    assert set(pages) == {rule["alert"] for rule in rules(RULES)}
    for name, text in pages.items():
        assert text.startswith(f"# {name}\n")
        parts = re.findall(r"^\*\*(\w+)\.\*\* \S", text, re.MULTILINE)
        assert parts == ["Meaning", "Impact", "Diagnosis", "Mitigation"]
