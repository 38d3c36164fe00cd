"""A real Kubernetes for tests: its own programs, started in seconds, gone afterwards.

What tests use comes as pytest fixtures (`plugin.py`):

| fixture | scope | gives |
| --- | --- | --- |
| `cluster` | session | `Cluster`: a control plane without nodes; its admin's `api` and `kubectl` |
| `namespace` | test | name of a fresh namespace that enforces Pod Security `restricted` |
| `control_plane` | session | `ControlPlane` of `cluster`: kill, pause and restart its parts |
| `storage_class` | session | name of the default StorageClass of `cluster`: its claims get bound |
| `kwok` | module | `Kwok`: fake nodes in `cluster` whose pods become Ready |
| `node` | session | `Node`: a kubelet and containerd with a control plane of their own |

With `CYBERVEIN_TEST_KUBECONFIG` naming a file, `cluster` is that cluster, and tests that need
`control_plane` are deselected.
"""
