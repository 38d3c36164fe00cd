"""Why something does not come, in one word, by what Kubernetes says of it.

A StatefulSet whose pod is refused, a pod whose volumes cannot be mounted, and a claim whose volume
cannot be made say so in an event and nowhere else. The words stay as they are: they have the names
and the numbers.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cybervein_operator.judgement.miner import Trouble
from cybervein_operator.observed.shapes import EventItem

_WORDS_MAX: Final = 900
_HEAD: Final = re.compile(r"^create Pod \S+ in StatefulSet \S+ failed error: ")
_CAUSES: Final = (
    ("exceeded quota", "QuotaExceeded", "raise the ResourceQuota, or ask for less"),
    ("no PriorityClass", "PriorityClassMissing", "create it, or name another one"),
    ("violates PodSecurity", "PodSecurityDenied", "the namespace's Pod Security forbids the pod"),
    ("admission webhook", "AdmissionDenied", "a webhook of this cluster forbids it"),
    ("ValidatingAdmissionPolicy", "AdmissionDenied", "a policy of this cluster forbids it"),
    (r"(maximum|minimum) \S+ usage per", "LimitRangeExceeded", "a LimitRange forbids it"),
    (r"secret \S+ not found", "SecretMissing", "create the Secret"),
    (r"configmap \S+ not found", "ConfigMapMissing", "create the ConfigMap"),
    ("hostPath type check failed", "HostPathMissing", "mount the directory on that node"),
    (r"(Attach|Mount)\w*\.?\w* failed|failed to (attach|mount)", "VolumeNotMounted", ""),
)
"""What Kubernetes' words have in them, the reason, and what a person can do."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """What does not come: a StatefulSet's pod, a pod's containers, a claim's volume, an address."""

    kind: str
    name: str
    uid: str


def refused(words: str) -> Trouble:
    """What the API server refused, as a trouble that others are not stopped by."""
    return _named(words, "Refused")


def of_events(stuck: Iterable[Stuck], events: Iterable[EventItem]) -> Mapping[Stuck, Trouble]:
    """The newest words about each, where there are any."""
    newest: dict[str, EventItem] = {}
    for each in events:
        known = newest.get(each.involved_object.uid)
        if known is None or each.when >= known.when:
            newest[each.involved_object.uid] = each
    return {
        each: _named(_HEAD.sub("", newest[each.uid].message), _ELSE[each.kind])
        for each in stuck
        if each.uid in newest
    }


_ELSE: Final = {
    "StatefulSet": "FailedCreate",
    "Pod": "NotStarted",
    "PersistentVolumeClaim": "VolumeNotProvisioned",
    "Service": "NoLoadBalancer",
}


def silent(stuck: Iterable[Stuck]) -> Mapping[Stuck, Trouble]:
    """Of what has been missing for long, and nobody says why, what its absence means."""
    words = (
        "Service {} has no address yet, and no event says why; has this cluster a load balancer? "
        "Without one, address.type is NodePort, HostPort or ClusterIP"
    )
    return {
        each: Trouble("NoLoadBalancer", words.format(each.name), blocks=False)
        for each in stuck
        if each.kind == "Service"
    }


def _named(words: str, otherwise: str) -> Trouble:
    text = " ".join(words.split())[:_WORDS_MAX]
    for pattern, reason, advice in _CAUSES:
        if re.search(pattern, text):
            return Trouble(reason, f"{text}; {advice}" if advice else text, blocks=False)
    return Trouble(otherwise, text, blocks=False)
