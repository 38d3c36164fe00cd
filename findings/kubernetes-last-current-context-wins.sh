#!/usr/bin/env bash
# kubernetes 37.0.2 (PyPI), `config` and `aio.config`: of several kubeconfigs joined by ":" the last
# one that has `current-context` names the context. kubectl takes the first: "the first file to set a
# particular value or map key wins"
# (https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig). Of users,
# clusters and contexts of one name both take the first file's, so only the choice differs: the same
# KUBECONFIG leads to another cluster.
# Source: KubeConfigMerger.load_config in kubernetes/config/kube_config.py and
# kubernetes/aio/config/kube_config.py.
set -euo pipefail
place=$(mktemp -d) && trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install --quiet kubernetes==37.0.2
for name in home work; do
    cat > "$place/$name" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: $name, cluster: {server: "https://$name.example"}}]
users: [{name: $name, user: {token: t}}]
contexts: [{name: $name, context: {cluster: $name, user: $name}}]
current-context: $name
YAML
done
"$place/env/bin/python" - "$place/home:$place/work" <<'PYTHON'
import asyncio
import sys

from kubernetes import aio, client, config

paths = sys.argv[1]
found = client.Configuration()
config.load_kube_config(paths, client_configuration=found)
print("kubernetes.config takes", found.host)
assert found.host == "https://work.example"

found = aio.client.Configuration()
asyncio.run(aio.config.load_kube_config(paths, client_configuration=found))
print("kubernetes.aio.config takes", found.host, "where kubectl takes https://home.example")
assert found.host == "https://work.example"
PYTHON
