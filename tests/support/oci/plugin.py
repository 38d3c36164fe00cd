"""The fixtures of `oci`, for every test that asks for them by name."""

import subprocess
import sys
from pathlib import Path

import pytest

from oci.archive import Archive
from oci.container import Container

ROOT = Path(__file__).resolve().parents[3]
BUILD = ROOT / "scripts" / "image" / "build.py"
EARLIER = ROOT / "tests" / "chart" / "packages" / "cybervein-0.2.0-source.tar.gz"


def build(*options: str | Path) -> Archive:
    """Run `scripts/image/build.py` on Debian's bases: they need no registry."""
    run = subprocess.run(
        [sys.executable, BUILD, "--bases", "debian", *options],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    return Archive(Path(run.stdout.splitlines()[-1]))


@pytest.fixture(scope="session")
def image() -> Archive:
    """The image of this checkout."""
    return build()


@pytest.fixture(scope="session")
def earlier_image() -> Archive:
    """The image of version 0.2.0, from that version's sources."""
    return build("--sources", EARLIER)


@pytest.fixture(scope="session")
def container(image: Archive, tmp_path_factory: pytest.TempPathFactory) -> Container:
    """Runs programs of `image`."""
    place = tmp_path_factory.mktemp("image")
    image.unpack(place / "root")
    return Container(place / "root", image.config, place / "bundles")
