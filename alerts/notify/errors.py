"""Why a notification did not arrive."""

from __future__ import annotations


class DeliveryError(Exception):
    """A notification was not delivered.

    Parameters
    ----------
    reason : str
        A sentence without secrets: it is stored and shown.
    retry : bool
        Whether a later attempt may succeed.
    retry_after_s : float, optional
        How long the receiver asked to be left alone.

    Examples
    --------
    >>> error = DeliveryError("answered 503", retry=True, retry_after_s=30)
    >>> str(error), error.retry, error.retry_after_s
    ('answered 503', True, 30)
    """

    def __init__(self, reason: str, *, retry: bool, retry_after_s: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry = retry
        self.retry_after_s = retry_after_s
