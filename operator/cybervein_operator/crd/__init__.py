"""CustomResourceDefinitions, written from the typed models of `cybervein_operator.api`.

`python -m cybervein_operator.crd` writes `manifests/crds/*.yaml` and `docs/resources.md`. A test
regenerates them and expects no difference.
"""

from cybervein_operator.crd.definition import SCHEMA, definitions, schema_number
from cybervein_operator.crd.page import pages

__all__ = ["SCHEMA", "definitions", "pages", "schema_number"]
