"""PagerDuty, Events API version 2: an alert's id is its deduplication key."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any, Literal

import msgspec

from alerts.notify.channel import cut
from alerts.notify.content import content
from alerts.notify.http import Sender
from alerts.notify.records import Notification, Why
from alerts.playbook.records import LANGUAGES, Language, Severity

Action = Literal["trigger", "acknowledge", "resolve"]
_ACTIONS: MappingProxyType[Why, Action] = MappingProxyType(
    {
        "opened": "trigger",
        "raised": "trigger",
        "retyped": "trigger",
        "reopened": "trigger",
        "escalated": "trigger",
        "unacknowledged": "trigger",
        "test": "trigger",
        "acknowledged": "acknowledge",
        "resolved": "resolve",
    }
)
_CALL_AGAIN: frozenset[Why] = frozenset(("raised", "escalated", "unacknowledged"))
_SEVERITIES: MappingProxyType[Severity, str] = MappingProxyType(
    {"watch": "info", "warning": "warning", "critical": "critical"}
)
_SUMMARY_CHARS = 1_024
_DETAIL_CHARS = 2_000
_KEY_CHARS = 255


class PagerDutySettings(msgspec.Struct, frozen=True, kw_only=True):
    """The integration's key, and where the service is (the EU has its own)."""

    routing_key: str
    url: str = "https://events.pagerduty.com"
    languages: tuple[Language, ...] = LANGUAGES


class PagerDuty:
    """Posts events to ``/v2/enqueue``.

    References
    ----------
    https://developer.pagerduty.com/docs/send-alert-event
    """

    def __init__(self, settings: PagerDutySettings, sender: Sender) -> None:
        self._settings = settings
        self._sender = sender

    def send(self, batch: Sequence[Notification]) -> str:
        """Send an event for each; after a failure all are sent again, which the key makes safe."""
        sent = 0
        for told in batch:
            for event in events_of(told, self._settings):
                self._sender.post(
                    f"{self._settings.url.rstrip('/')}/v2/enqueue",
                    msgspec.json.encode(event),
                    {"content-type": "application/json"},
                )
                sent += 1
        return f"events: {sent}" if sent else "PagerDuty has no such event"


def events_of(told: Notification, settings: PagerDutySettings) -> list[dict[str, Any]]:
    """The events of a notification, in order.

    A trigger for an incident that is open, or that somebody has acknowledged, only lengthens its
    log: what calls again ends that incident and begins another under the same key.
    """
    event = event_of(told, settings)
    if event is None:
        return []
    if told.why not in _CALL_AGAIN:
        return [event]
    end = {"event_action": "resolve"} | {k: event[k] for k in ("routing_key", "dedup_key")}
    return [end, event]


def event_of(told: Notification, settings: PagerDutySettings) -> dict[str, Any] | None:
    """The event of a notification; none if PagerDuty has no such event (assigned)."""
    action = _ACTIONS.get(told.why)
    if action is None:
        return None
    if action == "trigger" and told.state == "resolved":
        return None  # a late trigger would open it anew
    event: dict[str, Any] = {
        "routing_key": settings.routing_key,
        "event_action": action,
        "dedup_key": cut(told.alert.id, _KEY_CHARS),
    }
    if action != "trigger":
        return event
    shown, language = content(told), settings.languages[0]
    links = [{"href": told.url, "text": "Nadhir"}] if told.url else []
    details = {"mark": shown.mark} if shown.mark else {}
    for each in settings.languages:
        details[each] = " ".join(getattr(sentence, each) for sentence in shown.sentences)
    details |= {"score": str(told.alert.score), "since": told.alert.since}
    return event | {
        "client": "Nadhir",
        **({"client_url": told.url} if told.url else {}),
        "links": links,
        "payload": {
            "summary": cut(getattr(shown.subject, language), _SUMMARY_CHARS),
            "source": told.alert.brand,
            "severity": "info" if told.why == "test" else _SEVERITIES[told.alert.severity],
            "timestamp": told.at,
            "group": told.alert.brand,
            "class": told.alert.type,
            "custom_details": {k: cut(v, _DETAIL_CHARS) for k, v in details.items()},
        },
    }
