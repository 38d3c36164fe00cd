"""The one typed client of a super node's HTTP interface (docs/wire.md section 6).

`reading` asks what everybody may ask; `client` hands in units and proofs, and asks what needs a
signature. Client, miner, operator and `up` use these classes or extend them by what is their own.
"""

from cybervein_runtime.super_node.client import SuperNodeClient
from cybervein_runtime.super_node.reading import SuperNodeReader

__all__ = ["SuperNodeClient", "SuperNodeReader"]
