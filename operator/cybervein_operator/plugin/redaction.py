"""What must not leave the cluster in a support bundle, taken out of objects and of text.

Secrets are never asked for; this is for what people put into the wrong places: tokens in
annotations, passwords in environment variables, keys in logs.
"""

import re
from typing import Any, Final

GONE: Final = "(removed)"
_NAMES: Final = re.compile(
    r"passw|secret|token|seed|private|credential|api[-_]?key|authorization|bearer", re.IGNORECASE
)
_REFERENCES: Final = re.compile(r"(name|ref|mode|mount|source|path|keyref|from)s?$", re.IGNORECASE)
"""Fields that only point at a secret: `secretName`, `secretKeyRef`, `tokenPath`."""
_TEXTS: Final = (
    re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
    ),
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"),  # a token of a ServiceAccount
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]{8,}"),
    re.compile(
        r"(?i)(?<![\w-])[\"']?[\w-]*(?:passw(?:or)?d|passphrase|secret|token|seed|api[-_]?key)[\"']?"
        r"\s*[=:]\s*(?:\"[^\"]*\"|'[^']*'|[^\s,;}&]+)"
    ),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),  # user and password in a URL
)
_NOISE: Final = {"managedFields", "kubectl.kubernetes.io/last-applied-configuration"}


def clean_text(text: str) -> str:
    """Text without anything that looks like a key, token or password."""
    for pattern in _TEXTS:
        text = pattern.sub(_removed, text)
    return text


def _removed(match: re.Match[str]) -> str:
    """A named value keeps its name, so that a reader sees what was there."""
    name, mark, _ = match.group().partition("=") if "=" in match.group() else ("", "", "")
    if not mark:
        name, mark, _ = match.group().partition(":")
    named = mark and _NAMES.search(name) and "\n" not in name
    return f"{name}{mark}{GONE}" if named else GONE


def clean(value: Any, name: str = "") -> Any:  # noqa: ANN401 -- JSON
    """An object without them; bookkeeping of kubectl and the API server goes too."""
    if isinstance(value, dict):
        secret = _NAMES.search(str(value.get("name", ""))) and "value" in value
        out = {key: clean(each, key) for key, each in value.items() if key not in _NOISE}
        return out | {"value": GONE} if secret else out
    if isinstance(value, list):
        return [clean(each, name) for each in value]
    if not isinstance(value, str):
        return value
    hidden = _NAMES.search(name) and not _REFERENCES.search(name)
    return GONE if hidden and value else clean_text(value)
