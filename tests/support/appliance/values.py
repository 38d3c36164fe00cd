"""The release of these tests: values of the earlier chart, and the same ones for today's."""

from cluster.rest import Object

REPOSITORY = "cybervein"
OLD_TAG, NEW_VERSION = "released-0.2.0", "0.2.0"
"""One node has both images: until the next release has its number, both are called 0.2.0."""

OLD_IMAGE, NEW_IMAGE = f"{REPOSITORY}:{OLD_TAG}", f"{REPOSITORY}:{NEW_VERSION}"
NETWORK, POOL = "home", "pool"
MINERS = 5
PLOTS = 8
EPOCH_SECONDS = 8
FUNDS_VEINS = 10**15


def earlier(*customers: str) -> Object:
    """Values of chart 0.2.0, which has today's layout."""
    values = today(*customers, miners=MINERS)
    return values | {"image": values["image"] | {"tag": OLD_TAG}}


def today(*customers: str, miners: int) -> Object:
    """The same for this chart, with as many miners as there are."""
    return {
        "valuesVersion": 2,
        "image": {"pullPolicy": "Never"},
        "networks": {
            NETWORK: {
                "preset": "test",
                "epochSeconds": EPOCH_SECONDS,
                "superNode": {"storage": {"size": "1Gi"}, "funds": _funds(customers)},
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


def _funds(customers: tuple[str, ...]) -> list[Object]:
    return [{"address": customer, "veins": FUNDS_VEINS} for customer in customers]
