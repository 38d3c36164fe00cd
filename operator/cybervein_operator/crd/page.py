"""CustomResourceDefinitions as YAML files."""

from typing import Any, Final

import yaml

from cybervein_operator.crd.definition import definitions

_HEAD: Final = "# Written by `python -m cybervein_operator.crd`; change cybervein_operator.api.\n"


class _Dumper(yaml.SafeDumper):
    """Repeats instead of aliasing, which not everything that reads manifests can."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401, ARG002 -- as yaml calls it signature
        """Never an anchor."""
        return True


def pages() -> dict[str, str]:
    """File name → text, one per kind."""
    return {f"{each['metadata']['name']}.yaml": page(each) for each in definitions()}


def page(document: dict[str, Any]) -> str:
    """One document in the field order in which it was built."""
    return _HEAD + yaml.dump(
        document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100
    )
