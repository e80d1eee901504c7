"""The outbox of notifications, as the dispatcher sees it."""

from __future__ import annotations

from typing import Protocol

import msgspec

from alerts.notify.records import Notification


class Queued(msgspec.Struct, frozen=True, kw_only=True):
    """A notification that is due, leased to whoever claimed it."""

    id: int
    notification: Notification
    attempts: int
    first_at_ms: int


class Queue(Protocol):
    """Notifications that wait; kept by the store, so that a crash loses none."""

    def claim(self, now_ms: int, limit: int, lease_ms: int) -> list[Queued]:
        """Take what is due, the oldest first, and lease it.

        Two dispatchers never hold the same one; a lease that ran out is claimed again.
        """

    def sent(self, id: int, now_ms: int, detail: str) -> None:  # noqa: A002
        """It arrived."""

    def retry(self, id: int, due_ms: int, reason: str) -> None:  # noqa: A002
        """It did not; it is due again then."""

    def delay(self, id: int, due_ms: int, reason: str) -> None:  # noqa: A002
        """Nobody tried; it is due again then, with as many attempts as before it was claimed."""

    def dead(self, id: int, now_ms: int, reason: str) -> None:  # noqa: A002
        """It is given up; it can be replayed."""

    def dropped(self, id: int, now_ms: int, stage: str, reason: str) -> None:  # noqa: A002
        """A stage of the chain dropped it, and says why."""

    def wanted(self, id: int) -> bool:  # noqa: A002
        """Whether it is to be sent still: asked right before; an acknowledgement cancels it."""
