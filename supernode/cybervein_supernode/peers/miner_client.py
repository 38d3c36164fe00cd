"""What a super node asks of a miner. Every request is signed and every answer is bounded.

Errors say whose fault it may be: UnavailableError is silence (a timeout, a refused connection, an
answer that is no CyberVein answer), everything else is the miner's own word.
"""

import secrets
from dataclasses import dataclass
from typing import Any

from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.miner.status import STATUS_BYTES_MAX, StatusDocument
from cybervein_protocol.encoding import encode
from cybervein_protocol.messages import (
    AuditAnswer,
    AuditRequest,
    Order,
    Receipt,
    Verb,
    decode_audit_answer,
    decode_receipt,
    sign_order,
)
from cybervein_protocol.messages.audits import AUDIT_ANSWER_BYTES_MAX
from cybervein_protocol.messages.receipts import RECEIPT_BYTES_MAX
from cybervein_protocol.signing import KeyPair
from cybervein_runtime.addresses import check_peer_url
from cybervein_runtime.http_client import Response, SignedClient
from multiformats import CID

STATUS_TIMEOUT_SECONDS = 5.0
SLICE_OVERHEAD = 2
"""A Bao slice of a range is below twice its bytes plus one tree path."""
SLICE_PATH_BYTES = 8192


@dataclass(frozen=True, slots=True)
class Peer:
    """A miner to talk to: key and base URL."""

    key: bytes
    url: str


class MinerPeer:
    """Signed requests of one super node to any miner."""

    def __init__(self, network: CID, key: KeyPair, http: SignedClient) -> None:
        self._network = network
        self._key = key
        self._http = http

    def order(  # noqa: PLR0913 -- an order's fields, by name
        self,
        peer: Peer,
        verb: Verb,
        root: bytes,
        *,
        max_bytes: int,
        not_after_epoch: int,
        deal: CID | None = None,
        bearer: bytes | None = None,
    ) -> Order:
        """A fresh order; its bearer is this super node unless another is named."""
        return sign_order(
            self._key,
            network=self._network,
            order_id=secrets.token_bytes(32),
            deal=deal,
            miner=peer.key,
            bearer=bearer or self._key.public,
            verb=verb,
            root=root,
            max_bytes=max_bytes,
            not_after_epoch=not_after_epoch,
        )

    async def _request(self, peer: Peer, method: str, path: str, **options: Any) -> Response:  # noqa: ANN401 -- SignedClient.request's
        check_peer_url(peer.url)
        return await self._http.request(method, peer.url + path, **options)

    async def status(self, peer: Peer) -> StatusDocument:
        """`GET /v1/status`. Raises MalformedError for anything else."""
        answer = await self._request(
            peer,
            "GET",
            "/v1/status",
            timeout_seconds=STATUS_TIMEOUT_SECONDS,
            max_response_bytes=STATUS_BYTES_MAX,
        )
        what = f"{peer.url}/v1/status"
        return decode_document(answer.body, StatusDocument, what, STATUS_BYTES_MAX)

    async def audit(self, peer: Peer, request: AuditRequest, timeout_seconds: float) -> AuditAnswer:
        """`POST /v1/audit`; the signature is the auditor's to verify."""
        answer = await self._request(
            peer,
            "POST",
            "/v1/audit",
            body=encode(request),
            timeout_seconds=timeout_seconds,
            max_response_bytes=AUDIT_ANSWER_BYTES_MAX,
        )
        return decode_audit_answer(answer.body)

    async def read_slice(  # noqa: PLR0913 -- a range, its order and its budget
        self,
        peer: Peer,
        path: str,
        *,
        order: Order,
        offset: int,
        length: int,
        timeout_seconds: float,
    ) -> bytes:
        """The Bao slice of a range of a shard or plot at `path`."""
        answer = await self._request(
            peer,
            "GET",
            f"{path}?offset={offset}&length={length}",
            order=encode(order),
            timeout_seconds=timeout_seconds,
            max_response_bytes=length * SLICE_OVERHEAD + SLICE_PATH_BYTES,
        )
        return answer.body

    async def get_shard(self, peer: Peer, order: Order, size: int, timeout_seconds: float) -> bytes:
        """A whole shard, not yet checked against its root."""
        answer = await self._request(
            peer,
            "GET",
            f"/v1/shards/{order.root.hex()}",
            order=encode(order),
            timeout_seconds=timeout_seconds,
            max_response_bytes=size,
        )
        return answer.body

    async def put_shard(  # noqa: PLR0913 -- a shard's place, its order and its budget
        self,
        peer: Peer,
        order: Order,
        *,
        segment: int,
        index: int,
        data: bytes,
        timeout_seconds: float,
    ) -> Receipt:
        """Store a shard; the miner's receipt, not yet checked."""
        answer = await self._request(
            peer,
            "PUT",
            f"/v1/shards/{order.root.hex()}?segment={segment}&index={index}",
            body=data,
            order=encode(order),
            content_type="application/octet-stream",
            timeout_seconds=timeout_seconds,
            max_response_bytes=RECEIPT_BYTES_MAX,
        )
        return decode_receipt(answer.body)
