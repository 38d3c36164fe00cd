"""A certificate for 127.0.0.1 of an authority of its own, for real TLS between parts of a test."""

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cybervein_operator.authority import make_authority, make_server
from cybervein_runtime.tls import Tls


@dataclass(frozen=True, slots=True)
class Secure:
    """A server's files, and the authority's: what a client must believe."""

    files: Tls
    authority: Path

    @property
    def trust(self) -> ssl.SSLContext:
        """For a client that believes this authority alone."""
        return ssl.create_default_context(cafile=str(self.authority))

    @property
    def server(self) -> ssl.SSLContext:
        """For a server."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.files.cert, self.files.key)
        return context


def secure(folder: Path) -> Secure:
    """Make all of it in a folder."""
    now = datetime.now(UTC)
    authority = make_authority("test", now)
    pair = make_server(authority, ["127.0.0.1"], now)
    made = Secure(Tls(folder / "server.pem", folder / "server.key"), folder / "authority.pem")
    made.files.cert.write_bytes(pair.certificate)
    made.files.key.write_bytes(pair.key)
    made.files.key.chmod(0o600)
    made.authority.write_bytes(authority.certificate)
    return made
