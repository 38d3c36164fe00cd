"""A bucket on this machine: a store that speaks S3 and checks signatures, kept in memory."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cluster.tools import tool
from process import Process
from waiting import until

NAME: Final = "vein-backups"
KEY, SECRET = "the-key", "the-secret"


@contextmanager
def small_bucket(directory: Path) -> Iterator[Mapping[str, str]]:
    """The environment by which it is reached."""
    server = Process("bucket", (tool("bucket"), NAME, KEY, SECRET), directory)
    server.start()
    log = directory / "bucket.log"

    def url() -> str:
        first = log.read_text().splitlines()[:1] if log.exists() else []
        return first[0] if first and first[0].startswith("http://") else ""

    until(url, "the bucket serves", diagnose=server.tail)
    try:
        yield {
            "AWS_ENDPOINT_URL": url(),
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }
    finally:
        server.kill()
