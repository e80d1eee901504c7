"""What a stage is, and what it may decide."""

from __future__ import annotations

from typing import Protocol

import msgspec

from alerts.notify.queue import Queued


class Drop(msgspec.Struct, frozen=True):
    """It is not sent, ever; the alert itself is as it was."""

    reason: str


class Delay(msgspec.Struct, frozen=True):
    """It is looked at again then; nothing is lost."""

    until_ms: int
    reason: str


Verdict = Drop | Delay | None  # None lets it pass


class Stage(Protocol):
    """One reason for which a notification may be held back."""

    name: str

    def judge(self, item: Queued, now_ms: int) -> Verdict:
        """Drop it, delay it, or let it pass."""
