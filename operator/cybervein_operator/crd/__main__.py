"""`python -m cybervein_operator.crd [DIRECTORY]`: write the CustomResourceDefinitions."""

import sys
from pathlib import Path

from cybervein_operator.crd.page import pages


def main(directory: Path) -> None:
    """One file per kind; files of kinds that are gone stay for a person to delete."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (directory / name).write_text(text)
        sys.stdout.write(f"{directory / name}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "manifests/crds"))
