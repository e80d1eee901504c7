"""What administrators see: what was told or not, what is sent again, what was erased."""

from __future__ import annotations

import msgspec

from alerts.records import rfc3339
from alerts.service.records import NotificationView, notification
from alerts.store.due import Step
from alerts.store.queue import Told


class NotificationItem(NotificationView, frozen=True, kw_only=True):
    """A notification in a list over all alerts."""

    alert: str


class NotificationPage(msgspec.Struct, frozen=True, kw_only=True):
    """Notifications, the newest first."""

    notifications: tuple[NotificationItem, ...]
    next: str | None


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """A step of escalation: waiting, done, cancelled, or superseded by a later round."""

    chain: str
    due_at: str
    status: str


class ToldOf(msgspec.Struct, frozen=True, kw_only=True):
    """Who was told of an alert, who was not, and why.

    ``untold`` are receivers to whom nothing was ever addressed: those that a chain calls in their
    turn, and those that were configured later.  ``steps`` are the turns.
    """

    notifications: tuple[NotificationView, ...]
    untold: tuple[str, ...]
    steps: tuple[StepView, ...]


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """How many are sent again; ``cancelled`` asked somebody to come whom nobody waits for now."""

    queued: int
    cancelled: int


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """How much of an author's data was erased; ``author`` is a hash of platform and id."""

    author: str
    alerts: int
    messages: int
    notifications: int


def listed_notification(found: Told) -> NotificationItem:
    """A notification as a list over all alerts shows it."""
    return NotificationItem(
        **msgspec.structs.asdict(notification(found)),
        alert=found.alert,
    )


def step(found: Step) -> StepView:
    """A step of escalation as it is shown."""
    return StepView(chain=found.chain, due_at=rfc3339(found.due_ms), status=found.status)
