"""Errors are part of the interface: every message names the thing, expected, actual, next step.

The hierarchy is small on purpose. A border (HTTP, CLI, file, unit) maps the class, never the text:
`code` is stable and machine-readable, `status` is the HTTP status the border answers with.
"""

from typing import ClassVar, Final


class CyberVeinError(Exception):
    """Root of all errors that CyberVein raises on purpose."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500


class MalformedError(CyberVeinError):
    """Bytes or values that are not of the format they claim."""

    code = "malformed"
    status = 400


class LimitError(CyberVeinError):
    """Something is larger, longer or more numerous than its limit."""

    code = "limit"
    status = 413


class SignatureError(CyberVeinError):
    """A signature is missing or does not verify under the key it names."""

    code = "signature"
    status = 401


class ForbiddenError(CyberVeinError):
    """The signer is known but may not do this (someone else's order, deal or miner)."""

    code = "forbidden"
    status = 403


class ExpiredError(CyberVeinError):
    """An order, request or proof whose time has passed or has not come."""

    code = "expired"
    status = 410


class ReplayError(CyberVeinError):
    """A nonce, order or unit that was used before."""

    code = "replay"
    status = 409


class UnknownError(CyberVeinError):
    """A CID, root, deal, miner or account that is not known here."""

    code = "unknown"
    status = 404


class ConflictError(CyberVeinError):
    """A well-formed request that the present state does not allow."""

    code = "conflict"
    status = 409


class ProofError(CyberVeinError):
    """A proof (space, commit, possession, slice, VRF) that does not verify."""

    code = "proof"
    status = 422


class FundsError(CyberVeinError):
    """An account whose balance does not cover what it asks for."""

    code = "funds"
    status = 402


class StorageError(CyberVeinError):
    """A disk that is full, read-only, missing, foreign or failing."""

    code = "storage"
    status = 507


LOST_LEDGER: Final = "ledger lost"
"""How the StorageError of a super node begins whose volume has no ledger although its network was
founded: the operator knows it by these words in what the container said at its end."""


class UnavailableError(CyberVeinError):
    """A peer (super node, miner) that does not answer in time: try again."""

    code = "unavailable"
    status = 503


class RateError(UnavailableError):
    """More requests in a while than one sender may make: try again later."""

    code = "rate"
    status = 429
