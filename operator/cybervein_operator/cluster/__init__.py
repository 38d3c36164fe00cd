"""The Kubernetes API as the operator needs it: login, a thin client, watches that keep little."""
