"""What an API server answers when it does not do what was asked."""

from cybervein_protocol.errors import CyberVeinError, UnavailableError

NOT_FOUND = 404
CONFLICT = 409
GONE = 410
FORBIDDEN = 403
UNPROCESSABLE = 422
TOO_MANY = 429


class ApiError(CyberVeinError):
    """The API server refused; `status` is HTTP's, `reason` Kubernetes' word for it."""

    code = "kubernetes"

    def __init__(self, message: str, http_status: int, reason: str) -> None:
        super().__init__(message)
        self.http_status, self.reason = http_status, reason

    @property
    def forbidden(self) -> bool:
        """RBAC or Pod Security does not let us."""
        return self.http_status == FORBIDDEN

    @property
    def words(self) -> str:
        """What the API server said, without what it was asked."""
        return str(self).partition(": ")[2] or str(self)

    @property
    def lasting(self) -> bool:
        """Trying the same again will not help before somebody changes something."""
        return self.http_status in {400, FORBIDDEN, UNPROCESSABLE}


class ApiAwayError(UnavailableError):
    """The API server does not answer, or says that it cannot now."""


class NotHolderError(ApiAwayError):
    """Another operator may act in that namespace: nothing was sent."""
