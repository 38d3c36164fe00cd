"""Write the objects that two networks and two pools ask for: `make_desired_goldens.py [DIRECTORY]`.

A change of a golden file is a change of what every cluster gets; a changed pod template restarts
every miner once.
"""

import sys
from pathlib import Path
from typing import Any

import yaml
from cybervein_operator.api import MinerPool, Network, parse
from cybervein_operator.desired import fleet, miner, supernode
from cybervein_operator.desired.facts import (
    MinerFacts,
    MinerServiceFacts,
    NetworkFacts,
    SuperNodeFacts,
    Volume,
)
from cybervein_operator.desired.operator_secret import operator_secret

HERE = Path(__file__).parent / "goldens"
WALLET = "cv1Hqd1SyF1zvaJmCsPtBZHk5YLy5VMQeFQfg8ELXQsLbEcxe5D"

HOME = {
    "metadata": {"name": "home", "namespace": "vein", "uid": "uid-home"},
    "spec": {
        "networkRef": {"name": "net"},
        "disks": [{"name": "a", "claimTemplate": {"size": "100Gi"}}],
    },
}
RACK = {
    "metadata": {"name": "rack", "namespace": "vein", "uid": "uid-rack"},
    "spec": {
        "networkRef": {"name": "net"},
        "replicas": 2,
        "payout": WALLET,
        "owner": "acme",
        "group": "rack-7",
        "state": {"size": "5Gi", "storageClassName": "fast"},
        "disks": [
            {"name": "bay1", "existingClaims": ["r0-bay1", "r1-bay1"]},
            {"name": "bay2", "hostPath": "/srv/bay2"},
        ],
        "plots": {"fill": 950, "count": 40, "floor": "10Gi", "threads": 4},
        "bandwidth": "100Mi",
        "address": {"type": "HostPort", "port": 4100},
        "resources": {
            "miner": {"requests": {"cpu": 2, "memory": "8Gi"}, "limits": {"memory": "16Gi"}},
            "sidecar": {"limits": {"memory": "128Mi"}},
        },
        "scheduling": {
            "nodeSelector": {"disks": "many"},
            "tolerations": [{"key": "storage", "operator": "Exists", "effect": "NoSchedule"}],
            "antiAffinity": "Required",
            "priorityClassName": "storage",
        },
        "rollout": {"maxUnavailable": 2},
        "image": "registry.example/cybervein:2",
        "imagePullPolicy": "Always",
    },
}
FOUNDED = {
    "metadata": {"name": "net", "namespace": "vein", "uid": "uid-net"},
    "spec": {
        "preset": "local",
        "epochSeconds": 60,
        "superNode": {
            "storage": {"size": "20Gi"},
            "funds": [{"address": WALLET, "veins": 1_000_000}],
            "service": {"type": "NodePort", "nodePort": 30770},
            "hosts": ["net.example", "192.0.2.7"],
        },
    },
}


KEPT = {
    "metadata": {"name": "kept", "namespace": "vein", "uid": "uid-kept"},
    "spec": {
        "preset": "local",
        "superNode": {
            "storage": {"size": "20Gi"},
            "backup": {"everySeconds": 600, "keep": 7, "claimTemplate": {"size": "20Gi"}},
        },
        "recovery": {
            "fromS3": {
                "bucket": "vein-backups",
                "prefix": "home",
                "endpoint": "https://s3.example",
                "secretName": "s3-keys",
            }
        },
    },
}


def miner_facts(**more: Any) -> MinerFacts:
    network = NetworkFacts("net", "https://net.example:7700", "net-network")
    facts = {"image": "cybervein:1", "control": "cvCONTROL", "url": "http://x:4100"}
    facts |= {"owner": "vein"}
    return MinerFacts(network, **(facts | {"version": "1.2.3"} | more))


def of_pool(body: dict[str, Any], ordinal: int, **more: Any) -> list[Any]:
    pool = parse(MinerPool, body)
    facts = miner_facts(url=miner.url(pool, ordinal, MinerServiceFacts()), **more)
    return [
        miner.statefulset(pool, ordinal, facts),
        miner.service(pool, ordinal),
        *miner.claims(pool, ordinal),
        miner.identity(pool, ordinal, b"{}\n"),
        *miner.disks(pool, ordinal),
        fleet.disruption_budget(pool),
    ]


def of_network(body: dict[str, Any], *, identity: bool = False) -> list[Any]:
    network = parse(Network, body)
    return [
        supernode.statefulset(network, SuperNodeFacts("cybervein:1", "1.2.3", identity=identity)),
        supernode.service(network),
        *supernode.claims(network),
        supernode.config_map(network, '{"v": 1, "ca": "PEM"}'),
        operator_secret(
            "vein", "cybervein-operator-tls", {"net.tls.crt": b"c", "net.tls.key": b"k"}
        ),
    ]


def goldens() -> dict[str, list[Any]]:
    return {
        "home-0": of_pool(HOME, 0),
        "rack-1": of_pool(
            RACK, 1, leaving=(Volume("old", claim="rack-1-old"),), pull_secrets=("registry",)
        ),
        "net": of_network(FOUNDED),
        "kept": [
            *of_network(KEPT, identity=True),
            supernode.identity(parse(Network, KEPT), b"{}\n"),
        ],
    }


class Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- as yaml calls it
        return True


def main(directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    for name, objects in goldens().items():
        text = yaml.dump_all(objects, Dumper=Plain, sort_keys=False, width=100)
        (directory / f"{name}.yaml").write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
