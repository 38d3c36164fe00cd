"""One request to the API server, as a value: made once, sent as often as it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from cybervein_operator.api.kinds import ClusterKind

JSON: Final = "application/json"
_METHODS: Final = {
    "get": "GET",
    "list": "GET",
    "create": "POST",
    "apply": "PATCH",
    "patch": "PATCH",
    "delete": "DELETE",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """`verb` is the API server's word for it, which roles and metrics use too."""

    verb: str
    kind: ClusterKind
    path: str
    body: Mapping[str, Any] | None = None
    content: str = JSON
    accept: str = JSON

    @property
    def method(self) -> str:
        """HTTP's word for the verb."""
        return _METHODS[self.verb]

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"

    @property
    def namespace(self) -> str:
        """The namespace that it is about, "" for none."""
        _, _, rest = self.path.partition("/namespaces/")
        return rest.partition("/")[0].partition("?")[0]

    @property
    def data(self) -> bytes | None:
        """The body's bytes."""
        return None if self.body is None else msgspec.json.encode(self.body)

    @property
    def headers(self) -> dict[str, str]:
        """What is sent, if anything, and what is wanted back."""
        return {"Accept": self.accept} | ({"Content-Type": self.content} if self.body else {})

    def __str__(self) -> str:
        return f"{self.method} {self.path.split('?', maxsplit=1)[0]}"
