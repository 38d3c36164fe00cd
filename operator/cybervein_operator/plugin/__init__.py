"""`cybervein k8s` and `kubectl cybervein`: what a person does with miners on Kubernetes.

Everything goes to the API server as the person: whatever way of logging in their kubeconfig has
works here (ADR 58), and nobody can do more than Kubernetes lets them. The program `kubectl` is not
needed. `probe` and `crds` run inside pods of the chart.
"""

from cybervein_operator.plugin.command import k8s, main

__all__ = ["k8s", "main"]
