"""Alertmanager, API version 2: firing, updated and resolved alerts with the same labels.

An alert's labels are its identity there.  The severity is one of them, so that routes and
inhibition rules can ask for it; when it rises, the alert with the lower one is resolved in the same
request.  The timeline says which ones there were, so that this needs no memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from alerts.notify.channel import cut_bytes
from alerts.notify.content import content, is_test, mark_of, person
from alerts.notify.http import Sender
from alerts.notify.records import Notification
from alerts.playbook.records import LANGUAGES

_ALERT_NAME = "NadhirCrisis"
_LABEL_BYTES = 128
_ANNOTATION_BYTES = 2_000
_TEST_EXPIRES = timedelta(minutes=5)


class AlertmanagerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where it listens, and how it knows us."""

    url: str
    username: str | None = None
    password: str | None = None
    expires_h: int = 72


class Alertmanager:
    """Posts alerts to ``/api/v2/alerts``.

    References
    ----------
    https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
    """

    def __init__(self, settings: AlertmanagerSettings, sender: Sender) -> None:
        self._settings = settings
        self._sender = sender

    def send(self, batch: Sequence[Notification]) -> str:
        """Post every alert of the batch in one request; the last word on an alert wins."""
        expires = timedelta(hours=self._settings.expires_h)
        posted: dict[tuple[tuple[str, str], ...], dict[str, Any]] = {}
        for told in sorted(batch, key=lambda told: told.version):
            for alert in alerts_of(told, expires):
                posted[tuple(alert["labels"].items())] = alert
        settings = self._settings
        auth = (settings.username, settings.password or "") if settings.username else None
        answer = self._sender.post(
            f"{settings.url.rstrip('/')}/api/v2/alerts",
            msgspec.json.encode(list(posted.values())),
            {"content-type": "application/json"},
            auth=auth,
        )
        return f"answered {answer.status}"


def alerts_of(told: Notification, expires: timedelta) -> list[dict[str, Any]]:
    """A notification as alerts of Alertmanager: the present one, and lower ones that ended.

    Parameters
    ----------
    told : Notification
    expires : timedelta
        When an alert of which nothing more is heard ends there.
    """
    now = datetime.fromisoformat(told.at)
    starts = min(datetime.fromisoformat(told.alert.opened_at), now)
    present = told.alert.severity
    # nothing was told of it before it was opened
    past = set() if told.why == "opened" else {e.severity for e in told.alert.timeline} - {present}
    if told.state == "resolved" or told.why == "resolved":
        ends = now
    else:
        ends = now + (_TEST_EXPIRES if told.why == "test" else expires)
    annotations = _annotations(told)
    shapes = [(present, ends), *((severity, now) for severity in sorted(past))]
    return [
        {
            "labels": _labels(told, severity),
            "annotations": annotations,
            "startsAt": _time(starts),
            "endsAt": _time(until),
            **({"generatorURL": told.url} if told.url else {}),
        }
        for severity, until in shapes
    ]


def _labels(told: Notification, severity: str) -> dict[str, str]:
    """Few and bounded: ids of our own making, never words of strangers."""
    labels = {
        "alertname": _ALERT_NAME,
        "alert_id": told.alert.id,
        "brand": told.alert.brand,
        "severity": severity,
    }
    if told.drill:
        labels["drill"] = "true"
    if is_test(told):
        labels["test"] = "true"
    return {name: cut_bytes(value, _LABEL_BYTES) for name, value in labels.items()}


def _annotations(told: Notification) -> dict[str, str]:
    shown = content(told)
    found = {
        "type": told.alert.type,
        "score": str(told.alert.score),
        "state": told.state,
        "mark": mark_of(told),
        "assignee": person(told.assignee or ""),
    }
    for language in LANGUAGES:
        found[f"summary_{language}"] = getattr(shown.subject, language)
        found[f"description_{language}"] = " ".join(
            getattr(sentence, language) for sentence in shown.sentences
        )
    found["summary"] = shown.subject.en  # what templates of others show
    found["description"] = found["description_en"]
    return {name: cut_bytes(text, _ANNOTATION_BYTES) for name, text in found.items() if text}


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
