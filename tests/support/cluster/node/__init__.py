"""A real node: containerd, kubelet and kube-proxy in namespaces of their own. Needs root.

`node_cluster()` in `running.py` gives a `Node`:

    node.cluster                         its Cluster: kubectl as admin, login(), control_plane
    node.name, node.address              of the node; NodePorts are at `address`, and answer here
    node.load(archive, "localhost/x:1")  make an OCI archive's image available to pods by that name
    node.storage_class                   default class: claims become folders, as `local` volumes
    node.volumes.folder(claim)           where a claim's bytes lie
    node.local_volume(name, size, class) a static `local` volume on a folder made beforehand
    node.disk(name, bytes, class)        the same on a filesystem of its own; `.fail()`: I/O errors,
                                         `.replace(bytes)`: an empty one at the same place
    node.kill(namespace, pod, container) kill -9 the container's first process
    node.kubelet, node.containerd        to kill, pause and restart
    node.policies.start()                from then on NetworkPolicies are enforced
    node.balancer.start()                from then on Services of type LoadBalancer get an address
    node.local_path.start()              the provisioner of k3s and kind, its class as the default
    node.run("ctr", "version")           any program inside the node's namespaces

Pod addresses answer from this machine too. Everything lives in one process namespace, so ending its
first process ends every container and takes mounts and interfaces with it.
"""
