"""What storage classes say of themselves: asked by name, remembered for a minute."""

import time
from typing import Final

from cybervein_operator.api.kinds import ClusterKind
from cybervein_operator.cluster.errors import ApiError
from cybervein_operator.reconcile.tools import ClassFacts, Tools

_SECONDS: Final = 60.0
_MISSING_SECONDS: Final = 5.0
_UNKNOWN: Final = ClassFacts(exists=True, expandable=None)


async def storage_class(tools: Tools, name: str) -> ClassFacts:
    """Whether the class exists and lets claims grow; where we may not look it is taken to."""
    now = time.monotonic()
    at, known = tools.classes.get(name, (-_SECONDS, _UNKNOWN))
    if now - at < (_SECONDS if known.exists else _MISSING_SECONDS):
        return known
    try:
        found = await tools.client.get(ClusterKind.STORAGE_CLASS, None, name)
    except ApiError as error:
        if not error.forbidden:
            raise
        facts = _UNKNOWN
    else:
        facts = ClassFacts(found is not None, bool((found or {}).get("allowVolumeExpansion")))
    tools.classes[name] = (now, facts)
    return facts
