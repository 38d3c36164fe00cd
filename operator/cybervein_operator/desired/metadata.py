"""`metadata` of what the operator makes: owned, or kept when its resource goes."""

from cybervein_operator.api import API_VERSION, MinerPool, Network
from cybervein_operator.desired.names import Labels, Object


def kept(of: MinerPool | Network, name: str, labels: Labels) -> Object:
    """Of an object that outlives its resource: it has no owner."""
    return {"name": name, "namespace": of.metadata.namespace, "labels": labels}


def owned(of: MinerPool | Network, name: str, labels: Labels) -> Object:
    """Of an object that goes with its resource."""
    owner = {
        "apiVersion": API_VERSION,
        "kind": type(of).__name__,
        "name": of.metadata.name,
        "uid": of.metadata.uid,
        "controller": True,
    }
    return kept(of, name, labels) | {"ownerReferences": [owner]}
