"""An alert's page: all that is known and done about it, and what the last press of a button did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from alerts.api.parts import Parts
from alerts.console.chart import figure_of, gauge_of
from alerts.console.console import parts
from alerts.console.course import ACTIONS, Happening, changed_since, course_of, steps_of
from alerts.console.form import Form
from alerts.console.language import N_
from alerts.console.show import show
from alerts.console.who import Visitor
from alerts.lifecycle import ON_ACT
from alerts.playbook.channels import LIMITS, length
from alerts.playbook.records import KINDS, MessageKind
from alerts.service.errors import Conflict, Invalid, Stale
from alerts.service.message_records import MessageView
from alerts.service.records import AuditEntry, Summary

_ENTRIES = 200  # of the audit trail, in one reading
_READINGS = 10  # at most; an alert with more shows its newest through the API

DONE: Mapping[str, str] = {
    "acknowledge": N_("You have this alert. Calls and escalation stop."),
    "unacknowledge": N_("You gave the alert back; escalation begins anew."),
    "resolve": N_("The alert is resolved."),
    "reopen": N_("The alert is open again."),
    "assign": N_("The alert was assigned."),
    "escalate": N_("More people are being called."),
    "verdict": N_("Your verdict is noted."),
    "comment": N_("Your comment is there."),
    "step": N_("The step is marked."),
    "silence": N_("Such alerts are silenced."),
    "end": N_("The silence is over."),
    "edit": N_("The message is a draft with your text."),
    "approve": N_("Your approval is noted."),
    "withdraw": N_("The approvals were taken back."),
    "sent": N_("It is noted that the message was published."),
}
_REVERSE = {
    "acknowledge": "unacknowledge",
    "unacknowledge": "acknowledge",
    "resolve": "reopen",
    "reopen": "resolve",
}


class Undo(NamedTuple):
    """The form that takes the last act back."""

    action: str
    fields: Sequence[tuple[str, str]]


class Said(NamedTuple):
    """What is told on top of the page: that it was done, and how to undo it."""

    sentence: str
    undo: Undo | None


class Lost(NamedTuple):
    """An act that was not carried out: what others did meanwhile, and the form as it was."""

    act: str
    possible: bool
    changes: Sequence[Happening]
    action: str
    fields: Sequence[tuple[str, str]]
    version: int
    error: Stale | Conflict | Invalid


def alert_page(
    request: Request,
    visitor: Visitor,
    id_: str,
    *,
    status: int = 200,
    lost: Lost | None = None,
) -> Response:
    """The page of an alert.

    Raises
    ------
    Missing
    """
    held = parts(request)
    detail = held.desk.alert(id_)
    alert = detail.alert
    entries = trail(held, id_)
    messages = held.desk.messages(id_).messages
    return show(
        request,
        "alert.html.j2",
        visitor,
        status=status,
        headers={"HX-Push-Url": f"/alerts/{id_}"} if lost else None,
        address=f"/alerts/{id_}",
        detail=detail,
        alert=alert,
        summary=detail.summary,
        figure=figure_of(alert),
        gauge=gauge_of(alert),
        total=round(sum(part.points for part in alert.explanation.parts), 2),
        course=course_of(entries, detail.comments),
        steps=steps_of(alert.playbook.steps, detail.comments),
        messages=by_kind(messages),
        limits=LIMITS,
        length=length,
        told=held.desk.told_of(id_),
        actions=ACTIONS,
        may={act for (state, act) in ON_ACT if state == detail.summary.state}
        if visitor.may("responder")
        else set(),
        said=said_of(request, detail.summary, messages),
        lost=lost,
        deeds=DONE,
    )


def trail(held: Parts, id_: str) -> list[AuditEntry]:
    """The audit trail of an alert."""
    found: list[AuditEntry] = []
    for _ in range(_READINGS):
        after = found[-1].seq if found else 0
        page = held.desk.audit(after=after, limit=_ENTRIES, alert=id_).entries
        found += page
        if len(page) < _ENTRIES:
            break
    return found


def by_kind(messages: Sequence[MessageView]) -> list[tuple[MessageKind, list[MessageView]]]:
    """Messages by kind; each channel's languages beside each other, the tightest channel first."""
    channels = list(LIMITS)
    return [
        (kind, sorted(found, key=lambda m: (channels.index(m.channel), m.language)))
        for kind in KINDS
        if (found := [m for m in messages if m.kind == kind])
    ]


def said_of(request: Request, now: Summary, messages: Sequence[MessageView]) -> Said | None:
    """What the address says was done just now; it is shown, and offered to be undone."""
    asked = request.query_params
    did = asked.get("done", "")
    if did not in DONE:
        return None
    me = request.state.visitor.name
    if did == "acknowledge" and now.acknowledged_by != me:
        return None  # a link that somebody sent may claim anything
    if did in _REVERSE and (now.state, _REVERSE[did]) not in ON_ACT:
        return None
    here = f"/alerts/{now.id}"
    seen = ("version", str(now.version))
    undo = None
    if did in _REVERSE:
        undo = Undo(f"{here}/{_REVERSE[did]}", [seen])
    elif did == "assign":
        undo = Undo(f"{here}/assign", [seen, ("assignee", asked.get("before", "")[:80])])
    elif did == "silence" and asked.get("silence", "").replace("-", "").isalnum():
        undo = Undo(f"{here}/silences/{asked['silence'][:80]}/end", [])
    elif did == "step" and asked.get("step", "").replace("-", "").replace("_", "").isalnum():
        undo = Undo(f"{here}/steps/{asked['step'][:40]}", [("to", asked.get("before", "open"))])
    elif did == "approve" and (message := _message(asked.get("message", ""), messages)):
        seen = ("version", str(message.version))
        undo = Undo(f"{here}/messages/{message.name}/withdraw", [seen])
    return Said(DONE[did], undo)


def _message(name: str, messages: Sequence[MessageView]) -> MessageView | None:
    """What withdrawing would give back as it was: approved by one person, not yet published."""
    return next(
        (m for m in messages if m.name == name and m.state != "sent" and len(m.approvals) == 1),
        None,
    )


def lost_act(
    request: Request,
    visitor: Visitor,
    id_: str,
    form: Form,
    act: str,
    error: Stale | Conflict | Invalid,
) -> Response:
    """The page, saying why an act was not carried out; what was typed is kept in it."""
    held = parts(request)
    now = held.desk.alert(id_).summary
    version = now.version
    if isinstance(error, Stale) and error.current is None:  # a message's
        version = error.version
    changes = changed_since(trail(held, id_), form.version()) if _of_alert(error) else []
    possible = isinstance(error, Stale) and (
        act not in {name for _, name in ON_ACT} or (now.state, act) in ON_ACT
    )
    lost = Lost(act, possible, changes, request.url.path, form.fields(), version, error)
    status = 412 if isinstance(error, Stale) else 409 if isinstance(error, Conflict) else 422
    return alert_page(request, visitor, id_, status=status, lost=lost)


def _of_alert(error: Stale | Conflict | Invalid) -> bool:
    """Whether it is the alert that is otherwise than it was seen, and not one of its messages."""
    if isinstance(error, Conflict):
        return error.current is not None and not error.faults
    return isinstance(error, Stale) and error.current is not None
