"""Fixtures of the test cluster and of the image, for every test that asks for them."""

from hypothesis import settings

pytest_plugins = ("cluster.plugin", "oci.plugin")

settings.register_profile("busy", deadline=None)  # a busy machine is not slow code
settings.load_profile("busy")
