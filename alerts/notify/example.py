"""A notification that says it is a test, for ``nadhir notify test``."""

from __future__ import annotations

from alerts.notify.content import phrases
from alerts.notify.records import Notification, Why
from alerts.playbook.records import RenderedPlaybook
from alerts.records import SEVERITIES, Alert, Explanation, rfc3339


def example_notification(receiver: str, brand: str, now_ms: int, why: Why = "test") -> Notification:
    """A marked notification about an alert that there is not.

    Parameters
    ----------
    receiver, brand : str
    now_ms : int
        Milliseconds since the epoch; two tests at different times are two alerts.
    why : str, optional
        ``resolved`` for the end of the same.

    Examples
    --------
    >>> example_notification("slack", "acme", 0).key
    'test-0:1:test:slack'
    """
    at, version = rfc3339(now_ms), 1 if why == "test" else 2
    alert = _alert(f"test-{now_ms}", brand, at, resolved=why == "resolved")
    return Notification(
        key=f"{alert.id}:{version}:{why}:{receiver}",
        receiver=receiver,
        why=why,
        alert=alert,
        state=alert.state,
        version=version,
        at=at,
    )


def _alert(id_: str, brand: str, at: str, *, resolved: bool) -> Alert:
    say = phrases().say
    title, told = say("example.title"), say("test")
    return Alert(
        id=id_, brand=brand, type="test", severity=SEVERITIES[0], score=0,
        state="resolved" if resolved else "open", since=at, opened_at=at, updated_at=at,
        resolved_at=at if resolved else None, title=title,
        explanation=Explanation(
            observed=told, expected=title, about=None, gates=(), would_have_stopped_it=(),
            parts=(), severity_from={},
        ),
        kind="test", window_min=5, observed=0, expected=0.0, threshold=0, ratio=0.0, total=0,
        negative=0, negative_share=0.0, usual_negative_share=0.0, authors=0, reach=0,
        platforms={}, languages={}, terms=(), topics={}, evidence=(), signals=(), timeline=(),
        playbook=RenderedPlaybook(
            type="test", alert_id=id_, title=title, summary=told, steps=(), say=(),
            do_not_say=(), messages=(),
        ),
        last_signal_ms=0,
    )  # fmt: skip
