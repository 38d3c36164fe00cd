"""`python -m cybervein_operator.crd [ROOT]`: write `manifests/crds/*.yaml` and `docs/resources.md`.

ROOT is a checkout; the current directory if it is not named.
"""

import sys
from pathlib import Path

from cybervein_operator.crd.page import pages
from cybervein_operator.crd.reference import reference


def main(root: Path) -> None:
    """One file per kind and the page; files of kinds that are gone stay for a person to delete."""
    files = {root / "manifests" / "crds" / name: text for name, text in pages().items()}
    for path, text in (files | {root / "docs" / "resources.md": reference()}).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
