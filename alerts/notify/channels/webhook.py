"""A webhook of one's own: CloudEvents 1.0, signed as Standard Webhooks asks.

The signature is ``v1,`` and the base64 of the HMAC-SHA256 of ``<id>.<timestamp>.<body>``;
docs/notifications.md shows how a receiver checks it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from alerts.notify.http import Sender
from alerts.notify.records import Notification
from alerts.records import SCHEMA_ID

_SOURCE = "urn:nadhir"
_PREFIX = "whsec_"
_SINGLE = "application/cloudevents+json; charset=utf-8"
_BATCH = "application/cloudevents-batch+json; charset=utf-8"


class WebhookSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where it listens, and the secret both know."""

    url: str
    secret: str


class Webhook:
    """Posts events.

    References
    ----------
    https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md and
    https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

    Parameters
    ----------
    settings : WebhookSettings
    sender : Sender
    clock : callable
        Milliseconds since the epoch; the time in the signature.
    """

    def __init__(self, settings: WebhookSettings, sender: Sender, clock: Callable[[], int]) -> None:
        self._settings = settings
        self._sender = sender
        self._clock = clock

    def send(self, batch: Sequence[Notification]) -> str:
        """Post one event, or several as a batch (CloudEvents' batched mode)."""
        events = [event_of(told) for told in batch]
        body = msgspec.json.encode(events[0] if len(events) == 1 else events)
        key = batch[0].key if len(batch) == 1 else _batch_key(batch)
        timestamp = self._clock() // 1_000
        answer = self._sender.post(
            self._settings.url,
            body,
            {
                "content-type": _SINGLE if len(events) == 1 else _BATCH,
                "webhook-id": header_id(key),
                "webhook-timestamp": str(timestamp),
                "webhook-signature": signature(
                    self._settings.secret, header_id(key), timestamp, body
                ),
            },
        )
        return f"answered {answer.status}"


def event_of(told: Notification) -> dict[str, Any]:
    """A notification as an event; the same notification has the same id at each attempt."""
    return {
        "specversion": "1.0",
        "id": told.key,
        "source": _SOURCE,
        "type": f"nadhir.alert.{told.why}.v1",
        "subject": told.alert.id,
        "time": told.at,
        "datacontenttype": "application/json",
        "data": {
            "why": told.why,
            "state": told.state,
            "version": told.version,
            "drill": told.drill,
            "actor": told.actor,
            "assignee": told.assignee,
            "to": told.to,
            "url": told.url,
            "acknowledge_url": told.acknowledge_url,
            "alert_schema": SCHEMA_ID,
            "alert": msgspec.to_builtins(told.alert),
        },
    }


def signature(secret: str, id_: str, timestamp: int, body: bytes) -> str:
    """The value of ``webhook-signature``.

    Parameters
    ----------
    secret : str
        As configured; what follows ``whsec_`` is base64.
    id_ : str
        The value of ``webhook-id``.
    timestamp : int
        Seconds since the epoch, the value of ``webhook-timestamp``.
    body : bytes

    Examples
    --------
    The example of the Standard Webhooks specification's libraries:

    >>> signature("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek",
    ...           1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = f"{id_}.{timestamp}.".encode() + body
    digest = hmac.new(secret_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def secret_key(secret: str) -> bytes:
    """The bytes of a secret: base64 after ``whsec_``, else the text itself."""
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        return secret.encode()


def header_id(key: str) -> str:
    """A key as the value of a header: our keys are ASCII; whatever else there is is hashed."""
    if key.isascii() and key.isprintable() and "." not in key and " " not in key:
        return key
    return hashlib.sha256(key.encode()).hexdigest()


def _batch_key(batch: Sequence[Notification]) -> str:
    keys = "\n".join(told.key for told in batch)
    return f"batch:{hashlib.sha256(keys.encode()).hexdigest()}"
