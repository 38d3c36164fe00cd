"""Where a miner of this machine listens: it says so in its data directory while it runs."""

import json
from pathlib import Path
from typing import Final

from cybervein_protocol.errors import MalformedError, UnavailableError

MINER_PORT: Final = 7070
"""What `mine` listens on unless it is told otherwise."""
SIDECAR_PORT: Final = 7071


def announced_url(data: Path) -> str:
    """The URL of the miner that runs on `data`, as this machine reaches it.

    One that listens on every address is reached on this machine's own. Raises UnavailableError
    where none runs.
    """
    run_file = data / "run.json"
    try:
        url = str(json.loads(run_file.read_bytes())["url"])
    except FileNotFoundError:
        raise absent(data) from None
    except (ValueError, LookupError, TypeError) as error:
        raise MalformedError(
            f"{run_file} does not say where a miner listens ({error}); start the miner again"
        ) from error
    return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:")


def absent(data: Path) -> UnavailableError:
    """The error where none runs."""
    return UnavailableError(f"no miner runs on {data}; start it with cybervein mine --data {data}")
