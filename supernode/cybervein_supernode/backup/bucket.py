"""A vault that is a bucket: any store that speaks S3.

Where it is and its keys come from the environment, by the names that all such programs know:
`AWS_ENDPOINT_URL` (absent: AWS), `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`. An
object is there whole or not at all by S3's own rules, also one that is sent in parts.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import obstore
from blake3 import blake3
from cybervein_protocol.errors import (
    CyberVeinError,
    ForbiddenError,
    LimitError,
    MalformedError,
    StorageError,
    UnavailableError,
    UnknownError,
)
from cybervein_runtime.reasons import refused_file
from obstore.exceptions import (
    BaseError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from cybervein_supernode.backup.vault import BUCKET

SCRATCH: Final = ".backup"
_CHUNK: Final = 4 << 20
_TIMEOUT: Final = "60s"
_RETRIES: Final = 3
_DEFAULT_REGION: Final = "us-east-1"
_TAG: Final = r"<%s>([^<]{1,200})<"
_SYSTEM: Final = r'message: "([^"]{1,200})"'
_REASON_CHARS_MAX: Final = 200


def open_bucket(target: str) -> "BucketVault":
    """`s3://BUCKET[/PREFIX]`. Raises MalformedError."""
    bucket, _, prefix = target.removeprefix(BUCKET).partition("/")
    if not bucket:
        raise MalformedError(f"{target}: expected s3://BUCKET/PREFIX")
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    try:
        store = S3Store(
            bucket,
            prefix=prefix.strip("/") or None,
            region=os.environ.get("AWS_REGION", _DEFAULT_REGION),
            client_options={"allow_http": endpoint.startswith("http://"), "timeout": _TIMEOUT},
            retry_config={"max_retries": _RETRIES},
        )
    except BaseError as error:
        raise MalformedError(f"{target}: {_reason(error)}") from error
    return BucketVault(target, store)


class BucketVault:
    """Objects below a prefix of one bucket."""

    def __init__(self, target: str, store: S3Store) -> None:
        self._target, self._store = target.rstrip("/"), store

    @property
    def what(self) -> str:
        """As it was named."""
        return self._target

    def scratch(self, directory: Path) -> Path:
        """Beside the ledger: there is room for a copy, or nowhere."""
        return directory / SCRATCH

    def names(self, under: str) -> list[str]:
        """Every object below a folder."""
        with self._refused(f"cannot list {self._target}/{under}"):
            pages = obstore.list(self._store, prefix=under or None)
            return sorted(each["path"] for page in pages for each in page)

    def put(self, name: str, source: Path) -> None:
        """Sent whole, then the source is removed."""
        with self._refused(f"cannot write {self._target}/{name}"):
            obstore.put(self._store, name, source)
            source.unlink()

    def read(self, name: str, bytes_max: int) -> bytes:
        """A small object."""
        with self._refused(f"cannot read {self._target}/{name}"):
            found = obstore.get(self._store, name)
            if found.meta["size"] > bytes_max:
                raise LimitError(f"{self._target}/{name} is larger than {bytes_max} bytes")
            return bytes(found.bytes())

    def fetch(self, name: str, into: Path) -> None:
        """Written part by part."""
        with (
            self._refused(f"cannot read {self._target}/{name}"),
            into.open("wb") as file,
        ):
            for part in obstore.get(self._store, name).stream(_CHUNK):
                file.write(part)

    def digest(self, name: str) -> str:
        """Of the object as the store sends it back."""
        with self._refused(f"cannot read {self._target}/{name}"):
            hasher = blake3()
            for part in obstore.get(self._store, name).stream(_CHUNK):
                hasher.update(part)
            return hasher.hexdigest()

    def drop(self, name: str) -> None:
        """S3 does not mind if it is gone."""
        with self._refused(f"cannot delete {self._target}/{name}"):
            try:
                obstore.delete(self._store, name)
            except (NotFoundError, FileNotFoundError):
                return

    @contextmanager
    def _refused(self, what: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, FileNotFoundError, PermissionError) as error:
            raise _told(what, error) from error
        except OSError as error:
            raise StorageError(refused_file(what, error)) from error


def _told(what: str, error: Exception) -> CyberVeinError:
    """By its kind; of a list that fails the library tells the HTTP status in words alone."""
    text, reason = str(error), _reason(error)
    if isinstance(error, NotFoundError | FileNotFoundError) or "404 Not Found" in text:
        return UnknownError(f"{what}: {reason}; are bucket and name right?")
    refusals = (PermissionDeniedError, UnauthenticatedError, PermissionError)
    if isinstance(error, refusals) or "403 Forbidden" in text:
        return ForbiddenError(
            f"{what}: {reason}; look at AWS_ACCESS_KEY_ID and what its key may do"
        )
    return UnavailableError(f"{what}: {reason}; is it reachable?")


def _reason(error: Exception) -> str:
    """The store's own code and message, else the system's, else the library's first line."""
    text = str(error)
    said = [found[1] for tag in ("Code", "Message") if (found := re.search(_TAG % tag, text))]
    if not said and (system := re.search(_SYSTEM, text)):
        said = [system[1]]
    return ": ".join(said) or text.strip().partition("\n")[0][:_REASON_CHARS_MAX]
