"""`cybervein k8s` and `kubectl cybervein`: what a person does with miners on Kubernetes.

Everything goes through the `kubectl` on the PATH, as the person: whatever way of logging in their
kubeconfig has works here, and nobody can do more than Kubernetes lets them. Only `probe` and
`crds`, which run inside pods, do without it.
"""

from cybervein_operator.plugin.command import commands, main

__all__ = ["commands", "main"]
