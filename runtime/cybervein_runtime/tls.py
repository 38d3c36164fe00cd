"""A server's certificate and key, checked before anything listens."""

import ssl
from dataclasses import dataclass
from pathlib import Path

from cybervein_protocol.errors import MalformedError, UnknownError

from cybervein_runtime.addresses import is_loopback
from cybervein_runtime.files import check_secret


@dataclass(frozen=True, slots=True)
class Tls:
    """PEM files: a certificate chain, and its unencrypted key with mode 0600."""

    cert: Path
    key: Path

    def check(self) -> None:
        """Raise UnknownError, StorageError (readable by others) or MalformedError."""
        for path in (self.cert, self.key):
            if not path.is_file():
                what = "is no file" if path.exists() else "does not exist"
                raise UnknownError(f"{path} {what}; name a PEM file")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(self.cert, self.key, password="")
        except (ssl.SSLError, ValueError, OSError) as error:
            raise MalformedError(
                f"{self.cert}, {self.key}: no PEM certificate with its unencrypted key ({error})"
            ) from error
        check_secret(self.key)  # last: another file, named by mistake, is told as that

    def stamp(self) -> tuple[float, ...]:
        """Changes when the files are replaced, by a rename or through a link."""
        try:
            return tuple(path.stat().st_mtime for path in (self.cert, self.key))
        except OSError:
            return ()


def tls_of(cert: Path | None, key: Path | None) -> Tls | None:
    """TLS by two options that belong together."""
    if (cert is None) != (key is None):
        raise MalformedError("--tls-cert and --tls-key: give both or neither")
    return None if cert is None or key is None else Tls(cert, key)


def require_tls(host: str, tls: Tls | None, *, behind_proxy: bool) -> None:
    """Raise MalformedError for plain HTTP off loopback without a proxy that adds TLS."""
    if tls is None and not behind_proxy and not is_loopback(host):
        raise MalformedError(
            f"--host {host}: TLS is required off loopback; give --tls-cert and --tls-key, or "
            "--behind-proxy if a proxy in front terminates TLS"
        )
