"""The chart's alerts, judged by Prometheus' own tool."""

import subprocess
from pathlib import Path

import yaml
from chart_helm import CHART

HERE = Path(__file__).parent
RULES = CHART / "files" / "rules.yaml"


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_rules_are_rules() -> None:
    done = promtool("check", "rules", RULES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_when_they_should_and_only_then() -> None:
    done = promtool("test", "rules", HERE / "alerts_test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested() -> None:
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    cases = yaml.safe_load((HERE / "alerts_test.yaml").read_text())["tests"]
    fired = {
        rule["alertname"]
        for case in cases
        for rule in case["alert_rule_test"]
        if rule["exp_alerts"]
    }
    assert fired == {rule["alert"] for rule in rules}
