"""Claims: asked for the size of the spec where that may be granted, else kept as they are."""

import time
from typing import Final

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.api.quantity import number
from cybervein_operator.cluster.client import Object
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.judgement.claims import ClaimSeen, claim_trouble, terminating, to_ask
from cybervein_operator.observed.facts import ClaimFacts
from cybervein_operator.reconcile.children import Children
from cybervein_operator.reconcile.classes import storage_class
from cybervein_operator.reconcile.tools import Refusal, Tools

_AGAIN_SECONDS: Final = 600.0


async def ensure_claim(tools: Tools, children: Children, manifest: Object, pod: str) -> None:
    """The claim is there with our labels, and of the size it can have; the rest is noted."""
    seen = await _seen(tools, manifest, pod)
    if seen is not None and to_ask(seen) != seen.facts.requested:
        await _ask(tools, manifest, to_ask(seen))
        seen = await _seen(tools, manifest, pod)
    if seen is None:
        await children.ensure(manifest)
        return
    await children.ensure(_sized(manifest, to_ask(seen)))
    children.note(claim_trouble(seen))


def look_at(tools: Tools, children: Children, namespace: str, claim: str, pod: str) -> None:
    """A claim of a person's own is never touched; that it is being deleted is noted."""
    live = tools.world.others.get(ClusterKind.CLAIM, namespace, claim)
    if live is not None and live.deleting and isinstance(live.facts, ClaimFacts):
        children.note(terminating(claim, pod, live.facts.volume))


async def _seen(tools: Tools, manifest: Object, pod: str) -> ClaimSeen | None:
    """What is known of the claim; None before it exists."""
    meta = manifest["metadata"]
    name = (meta["namespace"], meta["name"])
    live = tools.world.store.get(ClusterKind.CLAIM, *name)
    if live is None or not isinstance(live.facts, ClaimFacts):
        return None
    wish = str(manifest["spec"]["resources"]["requests"]["storage"])
    return ClaimSeen(
        name=meta["name"],
        pod=pod,
        wish=wish,
        facts=live.facts,
        deleting=live.deleting,
        expandable=await _expandable(tools, live.facts, wish),
        refusal=_remembered(tools, name, live.uid, wish),
    )


async def _expandable(tools: Tools, facts: ClaimFacts, wish: str) -> bool | None:
    """What the class says, asked only where the claim is to grow."""
    if not facts.requested or number(wish) <= number(facts.requested):
        return None
    if not facts.storage_class:
        return False
    try:
        return (await storage_class(tools, facts.storage_class)).expandable
    except ApiError:
        return None


def _remembered(tools: Tools, name: tuple[str, str], uid: str, size: str) -> str:
    known = tools.refusals.get(name)
    if known is None or (known.uid, known.size) != (uid, size):
        return ""
    return known.words if time.monotonic() - known.at < _AGAIN_SECONDS else ""


async def _ask(tools: Tools, manifest: Object, size: str) -> None:
    """Ask for another size; what the API server says to it is remembered."""
    meta = manifest["metadata"]
    name = (meta["namespace"], meta["name"])
    live = tools.world.store.get(ClusterKind.CLAIM, *name)
    try:
        await tools.applier.ensure(_sized(manifest, size))
    except ApiError as error:
        if live is not None:
            refusal = Refusal(live.uid, size, error.words, time.monotonic())
            tools.refusals[name] = refusal
    else:
        tools.refusals.pop(name, None)


def _sized(manifest: Object, size: str) -> Object:
    requests = manifest["spec"]["resources"]["requests"] | {"storage": size}
    return manifest | {"spec": manifest["spec"] | {"resources": {"requests": requests}}}
