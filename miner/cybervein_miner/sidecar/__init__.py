"""The metrics sidecar: a small process beside a miner that answers Prometheus.

`metrics` has a room for each kind of metric and `registry` their one list, `sources` asks the
miner, the super node and this machine, `collector` turns answers into metrics, `app` serves them.
It imports nothing of the miner's other machinery: it idles beside every miner.
"""
