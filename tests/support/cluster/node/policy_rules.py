"""NetworkPolicies as iptables rules: what the API's documents say, for the pods of one node.

Pure: objects in, text for `iptables-restore` out. A packet passes when the rules of the pod it
leaves (egress) and of the pod it goes to (ingress) both let it; a pod that no policy of a direction
selects lets everything pass in that direction. Answers pass with the connection. Traffic between a
pod and its own node is not forwarded and passes, as the API wants it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
ROOT = "TEST-POLICY"


@dataclass(frozen=True)
class World:
    """All that policies speak of. `pods` have addresses and do not use the node's network."""

    policies: Sequence[Object]
    pods: Sequence[Object]
    namespaces: dict[str, dict[str, str]]  # name to labels


def restore_text(world: World) -> str:
    """The `filter` table's part that `iptables-restore --noflush` replaces."""
    chains, rules = [ROOT], ["-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN"]
    lines = [f"-A {ROOT} {rule}" for rule in rules]
    for pod in world.pods:
        for direction, side in (("Egress", "-s"), ("Ingress", "-d")):
            policies = [each for each in world.policies if _governs(each, pod, direction)]
            if policies:
                chain = _chain(pod, direction)
                chains.append(chain)
                lines.append(f"-A {ROOT} {side} {address(pod)} -j {chain}")
                passes = [
                    rule for each in policies for rule in _passes(world, each, pod, direction)
                ]
                lines += [f"-A {chain} {rule} -j RETURN" for rule in dict.fromkeys(passes)]
                lines.append(f"-A {chain} -j REJECT")
    return "\n".join(["*filter", *(f":{chain} - [0:0]" for chain in chains), *lines, "COMMIT", ""])


def address(pod: Object) -> str:
    """A pod's IPv4 address."""
    return str(pod["status"]["podIP"])


def matches(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a label selector holds of some labels. An empty one holds of all."""
    wanted = selector.get("matchLabels", {})
    if any(labels.get(key) != text for key, text in wanted.items()):
        return False
    return all(_expression(each, labels) for each in selector.get("matchExpressions", []))


def _expression(expression: Object, labels: dict[str, str]) -> bool:
    value, listed = labels.get(expression["key"]), expression.get("values", [])
    return {
        "In": value in listed,
        "NotIn": value not in listed,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }[expression["operator"]]


def _governs(policy: Object, pod: Object, direction: str) -> bool:
    spec = policy["spec"]
    types = spec.get("policyTypes") or ["Ingress", *(["Egress"] if "egress" in spec else [])]
    return (
        direction in types
        and policy["metadata"]["namespace"] == pod["metadata"]["namespace"]
        and matches(spec.get("podSelector", {}), pod["metadata"].get("labels", {}))
    )


def _passes(world: World, policy: Object, pod: Object, direction: str) -> Iterator[str]:
    """Matches, without target, of what a policy lets pass to or from a pod."""
    key, far = ("to", "-d") if direction == "Egress" else ("from", "-s")
    for rule in policy["spec"].get(direction.lower()) or []:
        peers = rule.get(key) or []
        for port in rule.get("ports") or [{}]:
            named = isinstance(port.get("port"), str)
            if direction == "Egress" and named:  # a name means another number at every peer
                targets = [each for each in world.pods if _is_peer(world, policy, peers, each)]
                for each in targets:
                    yield from (f"{far} {address(each)} {match}" for match in _port(port, each))
            else:
                for where in _places(world, policy, peers, far):
                    yield from (f"{where} {match}".strip() for match in _port(port, pod))


def _places(world: World, policy: Object, peers: list[Object], far: str) -> Iterator[str]:
    """Address matches for the far side; one empty match where everybody is meant."""
    if not peers:
        yield ""
    for peer in peers:
        block = peer.get("ipBlock")
        if block is None:
            found = [each for each in world.pods if _is_peer(world, policy, [peer], each)]
            yield from (f"{far} {address(each)}" for each in found)
        elif block.get("except"):
            raise NotImplementedError("ipBlock.except is not enforced by the test node")
        else:
            yield f"{far} {block['cidr']}"


def _is_peer(world: World, policy: Object, peers: list[Object], pod: Object) -> bool:
    return not peers or any(_selects(world, policy, peer, pod) for peer in peers)


def _selects(world: World, policy: Object, peer: Object, pod: Object) -> bool:
    home = pod["metadata"]["namespace"]
    if "ipBlock" in peer:
        return False
    if "namespaceSelector" in peer:
        near = matches(peer["namespaceSelector"], world.namespaces.get(home, {}))
    else:
        near = home == policy["metadata"]["namespace"]
    return near and matches(peer.get("podSelector", {}), pod["metadata"].get("labels", {}))


def _port(port: Object, pod: Object) -> Iterator[str]:
    """Protocol and port matches; a name is looked up among the ports of `pod`."""
    protocol = port.get("protocol", "TCP").lower()
    number = port.get("port")
    if not port:
        yield ""
    elif number is None:
        yield f"-p {protocol}"
    elif isinstance(number, int):
        last = port.get("endPort", number)
        yield f"-p {protocol} --dport {number}:{last}"
    else:
        for container in pod["spec"]["containers"]:
            for each in container.get("ports", []):
                if each.get("name") == number and each.get("protocol", "TCP").lower() == protocol:
                    yield f"-p {protocol} --dport {each['containerPort']}"


def _chain(pod: Object, direction: str) -> str:
    digest = hashlib.sha256(pod["metadata"]["uid"].encode()).hexdigest()[:12]
    return f"TEST-{direction[0]}-{digest}"
