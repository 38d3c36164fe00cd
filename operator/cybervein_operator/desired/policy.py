"""Network policies: which ports are open. Who may call is for those who know the cluster."""

from collections.abc import Sequence

from cybervein_operator.desired.names import Labels, Object


def ingress_policy(metadata: Object, selector: Labels, ports: Sequence[str]) -> Object:
    """Only the named ports take connections."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata,
        "spec": {
            "podSelector": {"matchLabels": selector},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": port, "protocol": "TCP"} for port in ports]}],
        },
    }
