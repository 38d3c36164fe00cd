"""docs/operator.md names every metric and every reason."""

import re
from pathlib import Path

from cybervein_operator.metrics import Metrics

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operator.md").read_text()


def test_every_metric_is_on_the_page_and_the_other_way_round() -> None:
    registry = Metrics().registry
    ours = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in registry.collect()
        if metric.name.startswith("cybervein_operator_")
    }
    assert set(re.findall(r"`(cybervein_operator_[a-z_]+)`", PAGE)) == ours


def test_every_trouble_is_on_the_page() -> None:
    source = "\n".join(
        each.read_text() for each in (ROOT / "operator" / "cybervein_operator").rglob("*.py")
    )
    reasons = set(re.findall(r'Trouble\(\s*"([A-Za-z]+)"', source))
    assert len(reasons) > 8
    missing = {each for each in reasons if f"`{each}`" not in PAGE}
    assert not missing
