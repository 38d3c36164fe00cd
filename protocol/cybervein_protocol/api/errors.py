"""The one error document: whatever goes wrong, on every path of every server."""

from cybervein_protocol.api.document import Document


class ErrorDocument(Document):
    """`error` is the code of a class in `cybervein_protocol.errors`, `message` is for a person."""

    error: str
    message: str
