"""The life of an alert on the response side: one table says what may follow what.

Fusion says what the public does (`Happened`), people say what they do about it (`Act`); both are
looked up here and nowhere else.  Suppression is no state: it is derived from silences, from other
alerts, from the cooldown and from the mark of a drill, so that ending one of them forgets nothing.
docs/lifecycle.md draws the table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, get_args

import msgspec

from alerts.playbook.records import Severity
from alerts.records import Happened

Lifecycle = Literal["open", "acknowledged", "resolved"]
Act = Literal["acknowledge", "unacknowledge", "resolve", "reopen"]
Told = Literal[
    "opened", "raised", "retyped", "reopened", "resolved", "acknowledged", "unacknowledged"
]
Reason = Literal["silenced", "inhibited", "cooldown", "drill"]

STATES: tuple[Lifecycle, ...] = get_args(Lifecycle)
ACTS: tuple[Act, ...] = get_args(Act)
PAGING: frozenset[str] = frozenset(("opened", "raised", "reopened", "escalated", "unacknowledged"))
"""Notifications that ask somebody to come; an acknowledgement cancels those that still wait."""


class Step(msgspec.Struct, frozen=True):
    """Where a transition leads, and what receivers are told; ``why`` is None for nothing."""

    to: Lifecycle
    why: Told | None = None

    @property
    def pages(self) -> bool:
        """Whether somebody is asked to come."""
        return self.why in PAGING


class Refused(Exception):
    """An act that the state does not allow."""

    def __init__(self, act: Act, state: Lifecycle) -> None:
        super().__init__(f"{act} does not apply to an alert that is {state}")
        self.act = act
        self.state = state


ON_SIGNAL: Mapping[tuple[Lifecycle | None, Happened], Step] = MappingProxyType(
    {
        (None, "opened"): Step("open", "opened"),
        ("open", "raised"): Step("open", "raised"),
        # who took the milder alert has not taken this one
        ("acknowledged", "raised"): Step("open", "raised"),
        ("resolved", "raised"): Step("open", "reopened"),
        ("open", "retyped"): Step("open", "retyped"),
        ("acknowledged", "retyped"): Step("acknowledged", "retyped"),
        ("resolved", "retyped"): Step("resolved"),
        ("open", "resolved"): Step("resolved", "resolved"),
        ("acknowledged", "resolved"): Step("resolved", "resolved"),
        ("resolved", "resolved"): Step("resolved"),
        ("resolved", "reopened"): Step("open", "reopened"),
        # a person had reopened it before the public came back
        ("open", "reopened"): Step("open"),
        ("acknowledged", "reopened"): Step("acknowledged"),
    }
)
"""What a piece of news of fusion does to an alert; None is one that is not known yet."""

ON_ACT: Mapping[tuple[Lifecycle, Act], Step] = MappingProxyType(
    {
        ("open", "acknowledge"): Step("acknowledged", "acknowledged"),
        ("acknowledged", "unacknowledge"): Step("open", "unacknowledged"),
        ("open", "resolve"): Step("resolved", "resolved"),
        ("acknowledged", "resolve"): Step("resolved", "resolved"),
        ("resolved", "reopen"): Step("open", "reopened"),
    }
)
"""What a person may do; what is not here is refused."""


def acted(state: Lifecycle, act: Act) -> Step:
    """Where an act leads.

    Raises
    ------
    Refused
        If the state does not allow it.

    Examples
    --------
    >>> acted("open", "acknowledge").to
    'acknowledged'
    """
    try:
        return ON_ACT[state, act]
    except KeyError:
        raise Refused(act, state) from None


def told(state: Lifecycle | None, news: Sequence[Happened]) -> Step:
    """Where news of fusion lead, taken in order; one notification at most comes of them.

    Asking somebody to come outweighs the rest, and nobody is asked to come to what is over.

    Examples
    --------
    >>> told(None, ["opened"]).why, told("resolved", ["reopened", "raised"]).why
    ('opened', 'reopened')
    >>> told(None, ["opened", "resolved"])
    Step(to='resolved', why='resolved')
    """
    steps: list[Step] = []
    for event in news:
        if state is None and event != "opened":
            steps.append(ON_SIGNAL[None, "opened"])  # its beginning was not seen
            state = steps[-1].to
        if state is None or event != "opened":
            steps.append(ON_SIGNAL[state, event])
            state = steps[-1].to
    if state is None:
        raise ValueError("an alert that is not known yet needs news")
    if state == "open":
        paging = next((step.why for step in steps if step.pages), None)
        if paging is not None:
            return Step(state, paging)
    whys = [step.why for step in steps if step.why is not None and not step.pages]
    return Step(state, whys[-1] if whys else None)


class Suppression(msgspec.Struct, frozen=True, kw_only=True):
    """One reason for which nobody is told of an alert; ``by`` is the silence or the alert."""

    reason: Reason
    by: str | None = None


def suppressed(
    *,
    state: Lifecycle,
    severity: Severity,
    drill: bool,
    silences: Iterable[str],
    greater: str | None,
    resolved_ms: int | None,
    cooldown_ms: int,
    now_ms: int,
) -> tuple[Suppression, ...]:
    """Why receivers hear nothing of an alert; empty if they do.

    Parameters
    ----------
    silences : iterable of str
        Ids of the silences that match it now.
    greater : str or None
        Another open alert of the brand that is critical.
    resolved_ms : int or None
        Since then the same cause reopens this alert instead of opening another.

    Examples
    --------
    >>> found = suppressed(state="open", severity="watch", drill=False, silences=["s1"],
    ...                    greater="a-1", resolved_ms=None, cooldown_ms=0, now_ms=0)
    >>> [(s.reason, s.by) for s in found]
    [('silenced', 's1'), ('inhibited', 'a-1')]
    """
    found = [Suppression(reason="silenced", by=silence) for silence in silences]
    if greater is not None and severity != "critical" and state != "resolved":
        found.append(Suppression(reason="inhibited", by=greater))
    if state == "resolved" and resolved_ms is not None and now_ms < resolved_ms + cooldown_ms:
        found.append(Suppression(reason="cooldown"))
    if drill:
        found.append(Suppression(reason="drill"))
    return tuple(found)
