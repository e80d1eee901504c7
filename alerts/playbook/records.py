"""Records of a playbook: what a file holds, the facts of an alert, and what rendering gives."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

import msgspec

SCHEMA_VERSION = 1

Language = Literal["ar", "en"]
Severity = Literal["watch", "warning", "critical"]
MessageKind = Literal["holding", "reply", "direct_message", "internal_briefing", "faq", "report"]
Channel = Literal[
    "x", "instagram", "facebook", "web", "email", "direct", "internal",
    "x_form", "instagram_form", "facebook_form", "abuse_desk",
]  # fmt: skip

LANGUAGES: tuple[Language, ...] = get_args(Language)
KINDS: tuple[MessageKind, ...] = get_args(MessageKind)
OPTIONAL_KINDS: tuple[MessageKind, ...] = ("report",)  # where there is somebody to report
TYPES = (
    "volume_spike",
    "negativity_spike",
    "service_outage",
    "coordinated_criticism",
    "impersonation",
    "phishing",
    "rumour",
)
PARTS = ("empathy", "facts", "unknown", "process", "commitment", "learn_more")

KIND_CHANNELS: dict[MessageKind, tuple[Channel, ...]] = {
    "holding": ("x", "instagram", "facebook", "web", "email"),
    "reply": ("x", "instagram", "facebook"),
    "direct_message": ("direct",),
    "internal_briefing": ("internal", "email"),
    "faq": ("web",),
    "report": ("x_form", "instagram_form", "facebook_form", "abuse_desk"),
}
"""Where each kind of message is published; a file may word any of these channels apart."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a template may say about one alert.

    ``terms`` and ``suspect`` come from mentions, so an attacker wrote them; everything else comes
    from the configuration or from our own counting.

    Attributes
    ----------
    brand_ar, brand_en : str
        Display names of the brand.
    alert_id : str
        Identifier of the alert.
    severity : {"watch", "warning", "critical"}
        Rendered as words by ``severity_ar`` and ``severity_en``.
    observed, negative : int
        Mentions, and negative mentions, in the window.
    expected : float
        Mentions expected in the window.
    ratio : float
        ``observed / expected``; infinite where nothing was expected.
    window_min : int
        Length of the window in minutes.
    negative_share : int
        Percent of the mentions that are negative.
    since, date : str
        Start of the rise in local time, ``HH:MM`` and ``YYYY-MM-DD``.
    timezone : str
        IANA name of the local time.
    crisis_score : int or float
        0 to 100.
    terms : tuple of str
        Most telling terms of the discussion.  Hostile.
    suspect : str or None
        Impostor's handle, or suspected link.  Hostile.
    help_url, support_handle, domain : str or None
        Official page, handle and domain of the brand.
    """

    brand_ar: str
    brand_en: str
    alert_id: str
    severity: Severity
    observed: int
    expected: float
    ratio: float
    window_min: int
    negative: int
    negative_share: int
    since: str
    date: str
    timezone: str
    crisis_score: int | float
    terms: tuple[str, ...] = ()
    suspect: str | None = None
    help_url: str | None = None
    support_handle: str | None = None
    domain: str | None = None


class Bilingual(msgspec.Struct, frozen=True):
    """One text in both languages."""

    ar: str
    en: str


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who has a task in the crisis."""

    id: str
    title: Bilingual


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One action; ``within_min`` counts from the alert."""

    id: str
    role: str
    within_min: int
    action: Bilingual


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A named piece of a message; ``key`` says where in the file it stands."""

    name: str
    text: str
    key: str


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message for one channel in one language, as templates."""

    kind: MessageKind
    channel: Channel
    language: Language
    segments: tuple[Segment, ...]


class Playbook(msgspec.Struct, frozen=True, kw_only=True):
    """One crisis type's steps and prepared messages, as templates."""

    schema: int
    type: str
    title: Bilingual
    summary: Bilingual
    roles: tuple[Role, ...]
    steps: tuple[Step, ...]
    say: tuple[Bilingual, ...]
    do_not_say: tuple[Bilingual, ...]
    messages: tuple[Message, ...]


class RenderedStep(msgspec.Struct, frozen=True, kw_only=True):
    """A step with the alert's facts and the title of its role."""

    id: str
    role: str
    role_title: Bilingual
    within_min: int
    action: Bilingual


class RenderedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message ready to be read and approved by a person.

    ``length`` and ``limit`` are in the channel's own unit (see ``alerts.playbook.channels``).  A
    thread is several of these, ``post`` of ``posts``; ``fits`` also says that the thread is not
    longer than allowed.
    """

    kind: MessageKind
    language: Language
    channel: Channel
    text: str
    length: int
    limit: int
    fits: bool
    post: int = 1
    posts: int = 1


class RenderedPlaybook(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook with an alert's facts: plain text, to be escaped by whatever shows it."""

    type: str
    alert_id: str
    title: Bilingual
    summary: Bilingual
    steps: tuple[RenderedStep, ...]
    say: tuple[Bilingual, ...]
    do_not_say: tuple[Bilingual, ...]
    messages: tuple[RenderedMessage, ...]


class Problem(msgspec.Struct, frozen=True, order=True):
    """Something a check found in a playbook file; ``line`` counts from 1.

    Examples
    --------
    >>> str(Problem("rumour.yaml", 7, "title.ar", "is empty"))
    'rumour.yaml:7: error: title.ar: is empty'
    """

    file: str
    line: int
    key: str
    message: str
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        where = f"{self.key}: " if self.key else ""
        return f"{self.file}:{self.line}: {self.severity}: {where}{self.message}"


class PlaybookError(Exception):
    """A playbook that cannot be used.

    Attributes
    ----------
    file : pathlib.Path
        The file at fault.
    line : int
        Its line, from 1.
    what, what_to_do : str
        The mistake, and the way out of it.
    problems : tuple of Problem
        Every mistake that was found, the first included.
    """

    def __init__(
        self, file: Path, line: int, what: str, what_to_do: str, problems: tuple[Problem, ...] = ()
    ) -> None:
        super().__init__(f"{file}:{line}: {what}; {what_to_do}")
        self.file = file
        self.line = line
        self.what = what
        self.what_to_do = what_to_do
        self.problems = problems
