"""The miner's HTTP interface (docs/wire.md section 5).

`shards` is the hot path and speaks ASGI itself: few Python events per byte. Everything else is
ordinary FastAPI. Every border has a limit: sizes from the order, requests at once, seconds.
"""
