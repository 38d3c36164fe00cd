"""JSON from anybody: what the standard parser raises, as one error of ours."""

import json
from typing import Any

from cybervein_protocol.errors import MalformedError


def parse_json(data: bytes, what: str) -> Any:  # noqa: ANN401 -- JSON
    """The document. Raises MalformedError, also for one nested deeper than Python can follow."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"{what} is not JSON ({error})") from error
