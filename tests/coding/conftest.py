"""The switch between the specification and native code, as a fixture."""

from collections.abc import Iterator

import pytest
from cybervein_protocol.native import native


@pytest.fixture(params=["off", "require"])
def native_mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Runs the test twice: by the specification alone and with native code."""
    monkeypatch.setenv("CYBERVEIN_NATIVE", request.param)
    native.cache_clear()
    yield request.param
    native.cache_clear()
