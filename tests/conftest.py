"""Makes the fixtures of the test cluster and of the image known to every test that asks for them."""

pytest_plugins = ("cluster.plugin", "oci.plugin")
