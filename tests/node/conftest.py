"""Steps of one story: when one fails, the later ones say so and do not wait in vain."""

from collections.abc import Iterator
from typing import Any

import pytest

FAILED = pytest.StashKey[dict[str, str]]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[Any]:
    """Remember the first step of a module that failed."""
    report = yield
    if report.failed and item.parent is not None:
        item.parent.stash.setdefault(FAILED, {}).setdefault("step", item.name)
    return report


@pytest.fixture(autouse=True)
def story_goes_on(request: pytest.FixtureRequest) -> None:
    """A step builds on what the ones before it made."""
    failed = request.node.parent.stash.get(FAILED, {})
    if failed:
        pytest.fail(f"the step {failed['step']} failed before", pytrace=False)
