"""How long data is kept."""

from __future__ import annotations

from typing import Literal

import msgspec

DAY_MS = 86_400_000


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How many days data is kept after the last thing happened to it.

    ``evidence_days`` is for what people wrote, ``alert_days`` for alerts, signals and decisions
    without it, ``notification_days`` for what receivers were told, ``audit_days`` for the trail of
    who did what.
    """

    evidence_days: int
    alert_days: int
    notification_days: int = 90
    audit_days: int = 2_555

    def due(self, last_ms: int, now_ms: int) -> Literal["keep", "strip", "drop"]:
        """What is to be done with something to which nothing has happened since ``last_ms``.

        Examples
        --------
        >>> plan = Retention(evidence_days=1, alert_days=2)
        >>> [plan.due(0, days * 86_400_000) for days in (1, 2, 3)]
        ['keep', 'strip', 'drop']
        """
        age_ms = now_ms - last_ms
        if age_ms > self.alert_days * DAY_MS:
            return "drop"
        return "strip" if age_ms > self.evidence_days * DAY_MS else "keep"
