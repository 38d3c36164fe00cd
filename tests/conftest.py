"""Makes the fixtures of the Kubernetes test cluster known to every test that asks for them."""

pytest_plugins = ("cluster.plugin",)
