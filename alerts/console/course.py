"""What happened to an alert, in order, and who has which step of its playbook."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

from alerts.console.language import N_
from alerts.playbook.records import RenderedStep
from alerts.service.records import AuditEntry, CommentView

Mark = Literal["mine", "done", "open"]
MARKS: tuple[Mark, ...] = get_args(Mark)
# A step is marked by a comment, so that who has it is told and kept as everything else is that
# people write about an alert; the last one counts.
_MARK = re.compile(r"step ([a-z0-9_-]{1,40}): (mine|done|open)")

ACTIONS: Mapping[str, str] = {
    "opened": N_("Alert opened"),
    "raised": N_("Severity raised"),
    "retyped": N_("Type of crisis became clear"),
    "resolved": N_("Resolved"),
    "reopened": N_("Reopened"),
    "updated": N_("Updated"),
    "acknowledged": N_("Acknowledged"),
    "unacknowledged": N_("Given back"),
    "assigned": N_("Assigned"),
    "escalated": N_("Called more people"),
    "judged": N_("Verdict"),
    "commented": N_("Comment"),
    "step": N_("Step of the playbook"),
    "message_edited": N_("Message edited"),
    "message_approved": N_("Message approved"),
    "message_withdrawn": N_("Approval taken back"),
    "message_sent": N_("Message published"),
    "message_locked": N_("Message locked: the facts changed"),
}


class Happening(NamedTuple):
    """One entry: when, who, what; the rest where it applies."""

    at: str
    who: str
    action: str
    details: Mapping[str, Any]
    text: str | None = None


class StepStand(NamedTuple):
    """A step, and who has or did it."""

    step: RenderedStep
    mark: Mark
    who: str | None
    at: str | None


def mark_text(step: str, mark: Mark) -> str:
    """The comment that marks a step.

    Examples
    --------
    >>> _MARK.fullmatch(mark_text("verify", "done")).groups()
    ('verify', 'done')
    """
    return f"step {step}: {mark}"


def course_of(entries: Iterable[AuditEntry], comments: Iterable[CommentView]) -> list[Happening]:
    """What happened, the newest first; comments with what they say."""
    found = [
        Happening(e.at, e.actor, e.action, e.details) for e in entries if e.action != "commented"
    ]
    for comment in comments:
        marked = _MARK.fullmatch(comment.text)
        action, details = "commented", {}
        if marked:
            action, details = "step", {"step": marked[1], "mark": marked[2]}
        found.append(Happening(comment.at, comment.author, action, details, comment.text))
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def steps_of(steps: Sequence[RenderedStep], comments: Iterable[CommentView]) -> list[StepStand]:
    """Each step as its latest mark says."""
    marks: dict[str, tuple[Mark, CommentView]] = {}
    for comment in comments:
        said = _MARK.fullmatch(comment.text)
        for known in MARKS:
            if said and said[2] == known:
                marks[said[1]] = known, comment
    stands = []
    for step in steps:
        found = marks.get(step.id)
        if found is None or found[0] == "open":
            stands.append(StepStand(step, "open", None, None))
        else:
            mark, by = found
            stands.append(StepStand(step, mark, by.author, by.at))
    return stands


def changed_since(entries: Iterable[AuditEntry], version: int) -> list[Happening]:
    """What others did after a version was seen, the oldest first."""
    return [
        Happening(e.at, e.actor, e.action, e.details)
        for e in entries
        if isinstance(seen := e.details.get("version"), int) and seen > version
    ]
