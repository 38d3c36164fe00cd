"""Messages beside the ledger: signed records that parts hand to each other (docs/wire.md 3, 6).

Each module holds one message with its limits, a `sign_…` and a `verify_…` function. Verification
says what is wrong by the class of the error (`cybervein_protocol.errors`), never by its text.
"""

from cybervein_protocol.messages.audits import (
    AuditAnswer,
    AuditItem,
    AuditRequest,
    AuditSlice,
    decode_audit_answer,
    decode_audit_request,
    sign_audit_answer,
    verify_audit_answer,
)
from cybervein_protocol.messages.deals import (
    OrderGrant,
    OrderGrants,
    OrderRequest,
    SegmentEntry,
    ShardEntry,
    ShardPlan,
    Verification,
    VerificationAnswer,
    VerifyRequest,
    sign_verification,
    verification_id,
    verify_verification,
)
from cybervein_protocol.messages.instances import InstanceNotice
from cybervein_protocol.messages.orders import (
    Order,
    Verb,
    check_order,
    order_from_header,
    order_header,
    sign_order,
)
from cybervein_protocol.messages.proofs import (
    CommitResponse,
    SpaceProof,
    decode_commit_response,
    decode_space_proof,
    sign_commit_response,
    sign_space_proof,
    verify_commit_response,
    verify_space_proof,
)
from cybervein_protocol.messages.receipts import (
    Receipt,
    decode_receipt,
    receipt_of_entry,
    sign_receipt,
    verify_receipt,
)
from cybervein_protocol.messages.release import ReleaseRequest
from cybervein_protocol.messages.repair import (
    RepairBox,
    decode_repair,
    encode_repair,
    open_repair_keys,
)

__all__ = [
    "AuditAnswer",
    "AuditItem",
    "AuditRequest",
    "AuditSlice",
    "CommitResponse",
    "InstanceNotice",
    "Order",
    "OrderGrant",
    "OrderGrants",
    "OrderRequest",
    "Receipt",
    "ReleaseRequest",
    "RepairBox",
    "SegmentEntry",
    "ShardEntry",
    "ShardPlan",
    "SpaceProof",
    "Verb",
    "Verification",
    "VerificationAnswer",
    "VerifyRequest",
    "check_order",
    "decode_audit_answer",
    "decode_audit_request",
    "decode_commit_response",
    "decode_receipt",
    "decode_repair",
    "decode_space_proof",
    "encode_repair",
    "open_repair_keys",
    "order_from_header",
    "order_header",
    "receipt_of_entry",
    "sign_audit_answer",
    "sign_commit_response",
    "sign_order",
    "sign_receipt",
    "sign_space_proof",
    "sign_verification",
    "verification_id",
    "verify_audit_answer",
    "verify_commit_response",
    "verify_receipt",
    "verify_space_proof",
    "verify_verification",
]
