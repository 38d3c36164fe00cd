"""The metrics sidecar: a small process beside a miner that answers Prometheus.

`registry` lists every metric, `sources` asks the miner, the super node and this machine,
`collector` turns answers into metrics, `app` serves them. It imports nothing of the miner's other
machinery: it idles beside every miner.
"""
