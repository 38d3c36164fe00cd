"""What should exist, as plain objects: pure functions of a spec and of observed facts.

Everything here is deterministic: equal arguments give equal objects, to be server-side applied by
field manager `cybervein-operator`. Nothing here asks a cluster, a clock or chance.

    facts.MinerFacts, facts.SuperNodeFacts, facts.NetworkFacts, facts.Volume    what was observed

    miner.statefulset(pool, ordinal, facts)     POOL-N; annotation cybervein.io/template = its hash
    miner.service(pool, ordinal)                POOL-N, port 4100 `shards`
    miner.claims(pool, ordinal)                 [PVC POOL-N-state, PVC POOL-N-DISK...]; kept
    miner.identity(pool, ordinal, identity)     Secret POOL-N-identity: create, never update
    miner.disks(pool, ordinal)                  [MinerDisk POOL-N-DISK...] without drain and wipe
    miner.url(pool, ordinal, service)           how others reach it; None until the Service has it

    fleet.disruption_budget(pool, most)         PodDisruptionBudget POOL
    fleet.contradictions(pool)                  [text...]: what the API server cannot see

    supernode.statefulset(network, facts)       NET-supernode
    supernode.service(network)                  NET-supernode, port 7700 `https`
    supernode.claims(network)                   [PVC NET-supernode-data] or [] with existingClaim
    supernode.config_map(network, document)     ConfigMap NET-network: network.json; kept
    supernode.secret(network, name, data)       a Secret of the network: create, never read; kept
    operator_secret(namespace, name, data)      Secrets of the operator's own; kept
    supernode.url(network), supernode.hosts(network)       published URL; names for the certificate

    names.*                                     every name and label set: names.miner(pool, n), ...
    template.template_hash(template)            the hash itself; template.of(statefulset) reads it

`facts.image` is the operator's own image; a spec that names one wins.
`pool` is an `api.MinerPool`, `network` an `api.Network` with metadata. Owned objects carry an owner
reference (no blockOwnerDeletion: no right on finalizers is needed); kept ones carry none.
"""
