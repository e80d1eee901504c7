"""What is to be told to whom, and what became of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from alerts.records import Alert

Why = Literal[
    "opened",
    "raised",
    "retyped",
    "reopened",
    "resolved",
    "acknowledged",
    "unacknowledged",
    "assigned",
    "escalated",
    "test",
]
PAGING: frozenset[Why] = frozenset(("opened", "raised", "reopened", "escalated", "unacknowledged"))
"""What calls people; an acknowledgement cancels it."""


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to be told to one receiver; stored before it is sent.

    Attributes
    ----------
    key : str
        Idempotency key, derived: ``<alert id>:<version>:<why>:<receiver>[:<step>]``.
    receiver : str
        Name in the configuration.
    why : str
        What happened.
    alert : Alert
        As fusion published it last.
    state : str
        Of the lifecycle: open, acknowledged, resolved.
    version : int
        Of the alert in the database when this was written.
    at : str
        RFC 3339.
    actor : str or None
        Who acted, for acknowledged, assigned, resolved by a person.
    assignee : str or None
        Who has it now.
    to : tuple of str
        People to reach (escalation), as the receiver understands them.
    drill : bool
        Marked DRILL / تدريب everywhere.
    url : str or None
        The alert in the console or API.
    list_url : str or None
        All alerts in the console or API, for a message about several.
    acknowledge_url : str or None
        Signed single-use link.
    """

    key: str
    receiver: str
    why: Why
    alert: Alert
    state: str
    version: int
    at: str
    actor: str | None = None
    assignee: str | None = None
    to: tuple[str, ...] = ()
    drill: bool = False
    url: str | None = None
    list_url: str | None = None
    acknowledge_url: str | None = None


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """A notification that arrived."""

    key: str
    receiver: str
    at: str
    attempts: int
    detail: str
