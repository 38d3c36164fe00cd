"""What a person wishes beside what the operator says: the same for miners and super nodes.

Without a wish an object is what it was, byte for byte, so that nobody who wishes nothing restarts.
"""

from collections.abc import Mapping

from cybervein_operator.api import to_plain
from cybervein_operator.api.placing import Affinity
from cybervein_operator.api.pod_template import PodTemplate
from cybervein_operator.api.service_options import ServiceOptions
from cybervein_operator.desired.names import Labels, Object
from cybervein_operator.desired.pod import given

_CONTAINERS = ("initContainers", "containers")


def pod(spec: Object, wish: PodTemplate | None, selector: Labels) -> Object:
    """A pod's spec with what is wished; `selector` picks the pods that spread together."""
    if wish is None:
        return spec
    plain = to_plain(wish)
    spreads = [
        each | {"labelSelector": {"matchLabels": selector}}
        for each in plain.get("topologySpreadConstraints", ())
    ]
    kinds = (each for each in _CONTAINERS if each in spec)
    return (
        spec
        | {kind: [_with_env(each, plain.get("env", [])) for each in spec[kind]] for kind in kinds}
        | given(
            affinity=_affinity(spec.get("affinity", {}), wish.affinity),
            topologySpreadConstraints=spreads,
            priorityClassName=wish.priority_class_name or spec.get("priorityClassName"),
            runtimeClassName=wish.runtime_class_name,
            hostAliases=plain.get("hostAliases"),
            dnsPolicy=plain.get("dnsPolicy"),
            dnsConfig=plain.get("dnsConfig"),
        )
    )


def metadata(labels: Labels, wish: PodTemplate | None) -> Object:
    """A pod template's metadata; the operator's own labels win."""
    if wish is None:
        return {"labels": labels}
    return {"labels": (wish.labels or {}) | labels} | given(annotations=wish.annotations)


def service(manifest: Object, wish: ServiceOptions | None) -> Object:
    """A Service with what is wished; the operator's own labels win."""
    if wish is None:
        return manifest
    meta, plain = manifest["metadata"], to_plain(wish)
    keys = ("loadBalancerClass", "loadBalancerSourceRanges", "externalTrafficPolicy")
    labels = (wish.labels or {}) | meta["labels"]
    return manifest | {
        "metadata": meta | {"labels": labels} | given(annotations=wish.annotations),
        "spec": manifest["spec"] | given(**{key: plain.get(key) for key in keys}),
    }


def _with_env(container: Object, env: list[Object]) -> Object:
    return container | given(env=[*container.get("env", []), *env])


def _affinity(own: Mapping[str, Object], wish: Affinity | None) -> Object:
    """Both: how miners of a pool keep apart stays beside what is wished."""
    asked = {} if wish is None else to_plain(wish)
    apart = asked.get("podAntiAffinity", {})
    both = apart | {
        key: [*terms, *apart.get(key, [])] for key, terms in own.get("podAntiAffinity", {}).items()
    }
    return dict(own) | asked | given(podAntiAffinity=both)
