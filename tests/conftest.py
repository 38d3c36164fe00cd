"""Fixtures for every test that asks for them: both codes, the test cluster, the image."""

from collections.abc import Iterator

import pytest
from codes import MODES, mode
from hypothesis import settings

pytest_plugins = ("cluster.plugin", "oci.plugin")

settings.register_profile("busy", deadline=None)  # a busy machine is not slow code
settings.load_profile("busy")


@pytest.fixture(params=MODES)
def native_mode(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs the test twice: by the specification alone and with native code."""
    with mode(request.param):
        yield request.param
