"""What a super node makes of a proof, at once."""

from cybervein_protocol.api.document import Document


class ProofVerdict(Document):
    """Whether a commit response was accepted, and why not."""

    accepted: bool
    reason: str


class SpaceProofVerdict(ProofVerdict):
    """An accepted space proof: answers sent, and plots estimated from them."""

    sent: int
    estimate: int
