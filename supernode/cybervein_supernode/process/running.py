"""The process: one super node, its HTTP server, one at a time in a data directory."""

from collections.abc import Sequence

import structlog
from cybervein_protocol.encoding import cid_text
from cybervein_protocol.errors import ForbiddenError
from cybervein_runtime.addresses import check_published_url, is_loopback
from cybervein_runtime.belonging import belong
from cybervein_runtime.identity import load_identity
from cybervein_runtime.lock import alone
from cybervein_runtime.network_file import load_network
from cybervein_runtime.serving import bind, serve, url_of
from cybervein_runtime.tls import Tls

from cybervein_supernode.api.app import create_app
from cybervein_supernode.api.free_units import Network
from cybervein_supernode.backup.duty import BackupPlan
from cybervein_supernode.chain.database import last_units
from cybervein_supernode.node.assembly import assemble
from cybervein_supernode.node.home import SuperNodeHome
from cybervein_supernode.node.node import Place
from cybervein_supernode.process.restoring import restored_of

_log = structlog.get_logger()


async def run(  # noqa: PLR0913 -- one parameter per option
    home: SuperNodeHome,
    *,
    host: str,
    port: int,
    public_url: str | None,
    tls: Tls | None = None,
    behind_proxy: bool = False,
    free_from: Sequence[Network] = (),
    plan: BackupPlan | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT."""
    if tls is not None:
        tls.check()
    file, identity = load_network(home.network), load_identity(home.identity)
    if identity.keys.public not in {node.key for node in file.genesis.super_nodes}:
        raise ForbiddenError(f"{home.identity} is not a super node of {home.network}")
    with alone(home.directory, "super node"):
        belong(home.directory, file.network, "ledger", lambda: last_units(home.ledger))
        sock = bind(host, port)
        # A wildcard address is nowhere to go: off loopback the founded URL is the one to tell.
        own = url_of(sock, tls) if is_loopback(host) else file.url
        url = public_url or own
        check_published_url(url)
        node = assemble(Place(home, url, file.ca, plan, restored_of(home)), identity, file.genesis)
        node.start()
        _log.info("super node runs", network=cid_text(file.network), url=url)
        try:
            app = create_app(node, behind_proxy=behind_proxy, free_from=free_from)
            await serve(app, sock, home.run_file, tls=tls)
        finally:
            await node.stop()
