"""What is handed in to a super node, and what only the right signer may ask.

Requests are signed where the `SignedClient` has a key. Limits in seconds are the server's own, and
some more for the way.
"""

from typing import Final

from cybervein_protocol.api.decode import decode_document
from cybervein_protocol.api.super_node.miners import InstancesDocument, ReleaseDocument
from cybervein_protocol.api.super_node.proofs import ProofVerdict
from cybervein_protocol.api.super_node.units import UnitStatus
from cybervein_protocol.encoding import Record, cid_text, decode, encode
from cybervein_protocol.messages import (
    CommitResponse,
    InstanceNotice,
    OrderGrant,
    OrderGrants,
    OrderRequest,
    ReleaseRequest,
    SegmentEntry,
    ShardPlan,
    SpaceProof,
    Verification,
    VerificationAnswer,
    VerifyRequest,
)
from cybervein_protocol.messages.deals import (
    ORDER_GRANTS_BYTES_MAX,
    VERIFICATION_ANSWER_BYTES_MAX,
)
from multiformats import CID

from cybervein_runtime.super_node.reading import ANSWER_BYTES_MAX, D, SuperNodeReader

UNIT_SECONDS: Final = 40.0
JUDGE_SECONDS: Final = 120.0
ORDERS_SECONDS: Final = 30.0
VERIFY_SECONDS: Final = 180.0


class SuperNodeClient(SuperNodeReader):
    """One super node, for whoever takes part."""

    async def send_unit(self, raw: bytes) -> UnitStatus:
        """Hand a unit in and wait until it is in a block (or 30 s: then it is `pending`)."""
        return await self._send("/units?wait=final", raw, UnitStatus, UNIT_SECONDS)

    async def send_space_proof(self, proof: SpaceProof) -> ProofVerdict:
        """Hand in a space proof; it is judged at once."""
        return await self._send("/space-proofs", encode(proof), ProofVerdict, JUDGE_SECONDS)

    async def send_commit_response(self, response: CommitResponse) -> ProofVerdict:
        """Hand in a commit response; it is judged at once."""
        return await self._send("/commit-responses", encode(response), ProofVerdict, JUDGE_SECONDS)

    async def release(self, address: str, roots: list[bytes]) -> ReleaseDocument:
        """Ask for a miner to be relieved of these shards, instead of any named before."""
        body = encode(ReleaseRequest(v=1, shards=roots))
        return await self._send(f"/miners/{address}/release", body, ReleaseDocument, UNIT_SECONDS)

    async def name_instance(self, address: str, instance: str) -> InstancesDocument:
        """Say that a process of this miner runs and what it is called; who else did."""
        body, path = encode(InstanceNotice(v=1, instance=instance)), f"/miners/{address}/instance"
        return await self._send(path, body, InstancesDocument, UNIT_SECONDS)

    async def orders(
        self, deal: CID, shards: list[ShardPlan], avoid: list[bytes]
    ) -> list[OrderGrant]:
        """PUT orders for these shards, at miners that are none of `avoid`."""
        request = OrderRequest(v=1, shards=shards, avoid=avoid)
        body = await self._post(f"/deals/{cid_text(deal)}/orders", request, ORDERS_SECONDS)
        return decode(body, OrderGrants, "order grants", ORDER_GRANTS_BYTES_MAX).orders

    async def verify(self, deal: CID, segments: list[SegmentEntry]) -> Verification:
        """Have every shard challenged; the signed result goes into `deal.commit`."""
        request = VerifyRequest(v=1, segments=segments)
        body = await self._post(f"/deals/{cid_text(deal)}/verify", request, VERIFY_SECONDS)
        most = VERIFICATION_ANSWER_BYTES_MAX
        return decode(body, VerificationAnswer, "verification", most).verification

    async def _send(self, path: str, body: bytes, kind: type[D], seconds: float) -> D:
        answer = await self._hand_in(path, body, seconds)
        return decode_document(answer, kind, f"{self.url}/v1{path}", ANSWER_BYTES_MAX)

    async def _post(self, path: str, record: Record, seconds: float) -> bytes:
        return await self._hand_in(path, encode(record), seconds)

    async def _hand_in(self, path: str, body: bytes, seconds: float) -> bytes:
        url = f"{self.url}/v1{path}"
        answer = await self._patiently(
            lambda: self.http.request("POST", url, body=body, timeout_seconds=seconds)
        )
        return answer.body
