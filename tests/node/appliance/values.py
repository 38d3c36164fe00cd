"""The release of these tests: values of the earlier chart, and the same ones for today's."""

from cluster.kubectl import Object

REPOSITORY = "cybervein"
OLD_IMAGE, NEW_IMAGE = f"{REPOSITORY}:0.1.0", f"{REPOSITORY}:0.2.0"
NETWORK, POOL = "home", "pool"
MINERS = 5
PLOTS = 8
EPOCH_SECONDS = 12
FUNDS_VEINS = 10**15


def earlier(customer: str) -> Object:
    """Values of chart 0.1."""
    return {
        "valuesVersion": 1,
        "imagePullPolicy": "Never",
        "network": {
            "name": NETWORK,
            "preset": "test",
            "storageSize": "1Gi",
            "epochSeconds": EPOCH_SECONDS,
            "funds": _funds(customer),
        },
        "pool": {
            "name": POOL,
            "miners": MINERS,
            "failureDomain": "Miner",
            "stateSize": "1Gi",
            "diskCount": 1,
            "diskSize": "1Gi",
            "fill": 500,
            "plotCount": PLOTS,
            "threads": 1,
        },
    }


def today(customer: str, miners: int) -> Object:
    """The same for this chart, with as many miners as there are."""
    return {
        "valuesVersion": 2,
        "image": {"pullPolicy": "Never"},
        "networks": {
            NETWORK: {
                "preset": "test",
                "epochSeconds": EPOCH_SECONDS,
                "superNode": {"storage": {"size": "1Gi"}, "funds": _funds(customer)},
            }
        },
        "pools": {
            POOL: {
                "networkRef": {"name": NETWORK},
                "replicas": miners,
                "failureDomain": "Miner",
                "state": {"size": "1Gi"},
                "disks": [{"name": "disk1", "claimTemplate": {"size": "1Gi"}}],
                "plots": {"fill": 500, "count": PLOTS, "threads": 1},
            }
        },
    }


def _funds(customer: str) -> list[Object]:
    return [{"address": customer, "veins": FUNDS_VEINS}]
