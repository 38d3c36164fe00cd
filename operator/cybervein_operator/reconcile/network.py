"""A network: founded by a super node here, or joined; its file pinned once, its epochs followed."""

import time
from dataclasses import replace

from cybervein_protocol.errors import ConflictError

from cybervein_operator.api import Network, NetworkStatus
from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.errors import ApiAwayError, ApiError
from cybervein_operator.desired import names
from cybervein_operator.judgement.causes import refused
from cybervein_operator.judgement.conditions import Answers, conditions
from cybervein_operator.judgement.holdings import moved
from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.judgement.network import NetworkSeen, answers, next_look_seconds
from cybervein_operator.observed.facts import ClaimFacts, PodFacts, SetFacts
from cybervein_operator.reconcile.causes import Causes
from cybervein_operator.reconcile.children import Children
from cybervein_operator.reconcile.keeping import backup_status, loss_notice, recovered_status
from cybervein_operator.reconcile.pinned import Pinned, other_preset
from cybervein_operator.reconcile.pinning import Pinning
from cybervein_operator.reconcile.recorder import rfc3339
from cybervein_operator.reconcile.statuses import write_status
from cybervein_operator.reconcile.super_node_keys import SuperNodeKeys
from cybervein_operator.reconcile.super_node_objects import SuperNodeObjects
from cybervein_operator.reconcile.super_nodes import SuperNodes
from cybervein_operator.reconcile.tools import Tools
from cybervein_operator.reconcile.volumes import binding
from cybervein_operator.world import Key, NetworkView, network_key, pool_key


class NetworkWork:
    """Founds, joins and follows networks."""

    def __init__(self, tools: Tools) -> None:
        self._tools, self._world = tools, tools.world
        self._nodes = SuperNodes(tools)
        self._pinning = Pinning(tools, self._nodes)
        self._keys = SuperNodeKeys(tools)
        self._causes = Causes(tools.client, tools.world.store)
        self._objects = SuperNodeObjects(tools, self._keys)

    async def close(self) -> None:
        """Close connections to super nodes."""
        await self._nodes.close()

    async def reconcile(self, key: Key) -> float | None:
        """Look at a network; returns in how many seconds to look again."""
        name = (key.namespace, key.name)
        network = self._world.networks.get(name)
        if network is None or network.metadata.deletion_timestamp:
            await self._nodes.forget(name)
            self._world.looked.discard(key)
            self._causes.forget(key)
            return None
        try:
            again = await self._look(network)
        except ApiAwayError:
            raise  # nothing was seen: what its pools say stands
        except Exception:
            self._world.looked.add(key)
            raise
        self._world.looked.add(key)
        return again

    async def _look(self, network: Network) -> float:
        key = network_key(network.metadata.namespace, network.metadata.name)
        paused = network.metadata.annotations.get(names.PAUSED) == "true"
        children = Children(self._tools, network)
        pinned = await self._found(network, children, write=not paused)
        children.note(other_preset(network, pinned) if pinned else None)
        children.note(self._lost_claim(network))
        await self._follow(network, pinned)
        seen = self._seen(network, pinned, children.trouble, paused=paused)
        seen = await self._explained(key, seen)
        await self._write(network, pinned, answers(seen))
        return next_look_seconds(seen)

    async def _found(self, network: Network, children: Children, *, write: bool) -> Pinned | None:
        """The pinned file, with a super node behind it where one runs here.

        What is amiss with the file is noted; what runs keeps running, and is followed.
        """
        last = self._pinning.known((network.metadata.namespace, network.metadata.name))
        try:
            kept = await self._pinning.kept(network)
        except ApiError as error:
            kept = _lasting(error)
        authority: str | None = ""
        if not isinstance(kept, Trouble):
            last = kept
        sure = last is not None or not isinstance(kept, Trouble)
        if network.spec.super_node is not None and write and sure:
            authority = await self._objects.run(network, last.authority if last else None, children)
        found = kept
        if not isinstance(kept, Trouble) and (kept or authority is not None):
            # Without its authority no file is pinned: whoever copies it keeps it.
            found = await self._pinned(network, kept, authority or "", write=write)
        if isinstance(found, Trouble):
            children.note(found)
            return last
        return found

    async def _pinned(
        self, network: Network, kept: Pinned | None, authority: str, *, write: bool
    ) -> Pinned | Trouble | None:
        try:
            return await self._pinning.pinned(network, kept, authority, write=write)
        except ConflictError as error:
            return Trouble("Conflict", str(error))
        except ApiError as error:
            return _lasting(error)

    async def _explained(self, key: Key, seen: NetworkSeen) -> NetworkSeen:
        """With the cause of a super node's pod that does not come."""
        space = key.namespace
        stuck = self._causes.stuck(space, names.super_node(key.name)) or self._causes.unbound(
            space, [names.super_node_claim(key.name)], seen.pod
        )
        known = await self._causes.look(key, [stuck] if stuck else [])
        return replace(seen, cause=known.get(stuck) if stuck else None, binding=binding(seen.pod))

    def _lost_claim(self, network: Network) -> Trouble | None:
        """The super node's claim, where its volume was deleted below it."""
        node, space = network.spec.super_node, network.metadata.namespace
        if node is None:
            return None
        name = node.storage.existing_claim or names.super_node_claim(network.metadata.name)
        known = (self._world.store, self._world.others)
        live = next(
            filter(None, (each.get(ClusterKind.CLAIM, space, name) for each in known)), None
        )
        if live is None or not isinstance(live.facts, ClaimFacts) or live.facts.phase != "Lost":
            return None
        return Trouble(
            "ClaimLost",
            f"claim {name} has lost its volume; delete the claim and the super node's pod, and "
            "restore the ledger (spec.recovery)",
        )

    async def _follow(self, network: Network, pinned: Pinned | None) -> None:
        """Epoch, height and standings; pools are looked at when the view or the epoch is new."""
        name = (network.metadata.namespace, network.metadata.name)
        if pinned is None:
            return
        before = self._world.views.get(name)
        after = await self._nodes.follow(network, pinned, before)
        self._world.views[name] = after
        self._ask_again(before, after)
        fresh = before is None or before.facts != after.facts or before.epoch != after.epoch
        for pool in self._world.pools_of(*name) if fresh else ():
            self._tools.add(pool_key(name[0], pool.metadata.name), 0.0)

    def _ask_again(self, before: NetworkView | None, after: NetworkView) -> None:
        """Miners that hold more or less than in the listing before are asked next."""
        if before is None or before.standings is after.standings:
            return
        addresses = moved(before.standings, after.standings)
        for miner, poll in self._world.polls.items():
            if poll.report is not None and poll.report.address in addresses:
                self._tools.poller.soon(miner)

    def _seen(
        self, network: Network, pinned: Pinned | None, trouble: Trouble | None, *, paused: bool
    ) -> NetworkSeen:
        space, name = network.metadata.namespace, network.metadata.name
        view = self._world.views.get((space, name))
        node = names.super_node(name)
        pod = self._world.store.get(ClusterKind.POD, space, f"{node}-0")
        live = self._world.store.get(ClusterKind.STATEFUL_SET, space, node)
        return NetworkSeen(
            founds=network.spec.super_node is not None,
            pod=pod.facts if pod and isinstance(pod.facts, PodFacts) else None,
            exists=live is not None and isinstance(live.facts, SetFacts),
            pinned=pinned is not None,
            trouble=trouble,
            error=view.error if view else "",
            epoch=view.epoch if view else None,
            epoch_seconds=view.epoch_seconds if view else 60,
            guarded=self._keys.guarded(network),
            kept=view.backup if view else None,
            now=time.time(),
            paused=name if paused else "",
        )

    async def _write(self, network: Network, pinned: Pinned | None, said: Answers) -> None:
        meta, before = network.metadata, network.status
        view = self._world.views.get((meta.namespace, meta.name))
        after = NetworkStatus(
            conditions=conditions(said, before.conditions, meta.generation, rfc3339()),
            observed_generation=meta.generation,
            network=pinned.cid if pinned else before.network,
            address=pinned.address if pinned else before.address,
            url=view.facts.url if view else before.url,
            config_map=names.network_file(meta.name) if pinned else before.config_map,
            epoch=view.epoch if view else before.epoch,
            height=before.height if view is None or view.epoch == before.epoch else view.height,
            miners=len(view.standings) if view and view.standings else before.miners,
            backup=backup_status(view.backup if view else None, before.backup),
            recovered=recovered_status(view.backup if view else None, before),
        )
        if after == before or not await write_status(self._tools, network, after):
            return
        if after.recovered is not None and after.recovered != before.recovered:
            await self._tools.recorder.post(network, loss_notice(after.recovered))
        current = self._world.networks.get((meta.namespace, meta.name))
        if current is not None and current.metadata.uid == meta.uid:
            self._world.networks[meta.namespace, meta.name] = Network(
                metadata=current.metadata, spec=current.spec, status=after
            )


def _lasting(error: ApiError) -> Trouble:
    """What the API server refuses; raises what may pass."""
    if not error.lasting:
        raise error
    return refused(str(error))
