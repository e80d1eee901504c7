"""What a notification says, once for all channels: the same facts in both languages.

Whatever strangers wrote is in ``quotes`` and ``terms``-bearing sentences alone, stripped and
defanged; escaping for a format is the channel's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import msgspec

import alerts.texts
from alerts.notify.records import Notification
from alerts.playbook.records import Bilingual, Language
from alerts.playbook.text import FSI, PDI, defang, strip_controls
from alerts.records import Alert
from alerts.texts import Phrases, load_phrases

_QUOTES = 3
_QUOTE_CHARS = 280
_NAME_CHARS = 60
_STEPS = 3
_STATES = ("open", "acknowledged", "resolved")
MOST_LISTED = 10  # alerts that a digest names


class Fact(msgspec.Struct, frozen=True):
    """A labelled value, the value alike in both languages or told in each."""

    label: Bilingual
    value: Bilingual


class Quote(msgspec.Struct, frozen=True):
    """A mention by a stranger, harmless as plain text only."""

    text: str
    source: str


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """A notification in words.

    Attributes
    ----------
    mark : str
        ``DRILL / تدريب`` or ``TEST / تجربة``, or empty.
    subject : Bilingual
        One line with the mark, the severity and what happened to whom.
    happened : Bilingual
        What this notification is about: opened, resolved, acknowledged by whom.
    title : Bilingual
        The alert in one line.
    notice : Bilingual or None
        That this is a drill or a test.
    sentences, steps : tuple of Bilingual
    facts : tuple of Fact
    quotes : tuple of Quote
    url, acknowledge_url : str or None
    open_label : Bilingual
        What the link at ``url`` says.
    """

    mark: str
    subject: Bilingual
    happened: Bilingual
    title: Bilingual
    notice: Bilingual | None
    sentences: tuple[Bilingual, ...]
    facts: tuple[Fact, ...]
    steps: tuple[Bilingual, ...]
    quotes: tuple[Quote, ...]
    url: str | None
    acknowledge_url: str | None
    open_label: Bilingual


@cache
def phrases() -> Phrases:
    """Sentences of notifications."""
    return load_phrases(Path(alerts.texts.__file__).with_name("notify.yaml"))


@cache
def _explained() -> Phrases:
    return load_phrases()


def content(told: Notification) -> Content:
    """Say a notification in words.

    Parameters
    ----------
    told : Notification
    """
    alert = told.alert
    mark = mark_of(told)
    happened = _happened(told)
    ended = told.why == "resolved"
    return Content(
        mark=mark,
        subject=_marked(mark, happened, _subject(alert)),
        happened=happened,
        title=_clean(alert.title),
        notice=_notice(told),
        sentences=() if ended else tuple(_sentences(alert)),
        facts=tuple(_facts(told)),
        steps=() if ended else tuple(_steps(alert)),
        quotes=() if ended else tuple(_quotes(alert)),
        url=told.url,
        acknowledge_url=told.acknowledge_url if told.state == "open" else None,
        open_label=phrases().say("open"),
    )


def digest(batch: Sequence[Notification]) -> Content:
    """Say several notifications in one message: a line each.

    Parameters
    ----------
    batch : sequence of Notification
        Two or more.
    """
    marks = {mark_of(told) for told in batch}
    mark = marks.pop() if len(marks) == 1 else ""
    count = {"count": f"{len(batch):,}"}
    title = phrases().say("digest", count)
    lines = []
    for told in batch[:MOST_LISTED]:
        own = "" if mark else mark_of(told)
        lines.append(_marked(own, _happened(told), _subject(told.alert)))
    if len(batch) > MOST_LISTED:
        rest = {"count": f"{len(batch) - MOST_LISTED:,}"}
        lines.append(phrases().say("digest.more", rest))
    return Content(
        mark=mark,
        subject=_marked(mark, title),
        happened=title,
        title=title,
        notice=phrases().say("drill") if mark and batch[0].drill else None,
        sentences=tuple(lines),
        facts=(),
        steps=(),
        quotes=(),
        url=next((told.list_url for told in batch if told.list_url), None),
        acknowledge_url=None,
        open_label=phrases().say("open_list"),
    )


def mark_of(told: Notification) -> str:
    """The mark of a drill or a test, in both languages; empty for what is real.

    Examples
    --------
    >>> phrases().say("marks.drill").ar
    'تدريب'
    """
    if told.drill:
        both = phrases().say("marks.drill")
    elif is_test(told):
        both = phrases().say("marks.test")
    else:
        return ""
    return f"{both.en} / {both.ar}"


def is_test(told: Notification) -> bool:
    """Whether it is about an alert that there is not (``nadhir notify test``)."""
    return told.why == "test" or told.alert.type == "test"


def severity_word(alert: Alert) -> Bilingual:
    """Its severity in both languages."""
    return _explained().say(f"severities.{alert.severity}")


def person(name: str) -> str:
    """The name of a person, as a user chose it."""
    return _cut(strip_controls(name), _NAME_CHARS)


def plain(shown: Content, language: Language) -> list[str]:
    """The paragraphs of a message of plain text.

    Parameters
    ----------
    shown : Content
    language : {"ar", "en"}
    """

    def of(both: Bilingual) -> str:
        text: str = getattr(both, language)
        return text

    say = phrases().say
    lines = [of(shown.subject)]
    lines += [of(shown.notice)] if shown.notice else []
    lines += [of(sentence) for sentence in shown.sentences]
    lines += [f"{of(fact.label)}: {of(fact.value)}" for fact in shown.facts]
    if shown.steps:
        lines += [f"{of(say('first_steps'))}:"] + [f"- {of(step)}" for step in shown.steps]
    if shown.quotes:
        lines += [f"{of(say('evidence'))}:"]
        lines += [f"> {FSI}{quote.text}{PDI} ({quote.source})" for quote in shown.quotes]
    if shown.acknowledge_url:
        lines.append(f"{of(say('acknowledge'))}: {shown.acknowledge_url}")
    if shown.url:
        lines.append(f"{of(shown.open_label)}: {shown.url}")
    return lines


def _happened(told: Notification) -> Bilingual:
    what = phrases().say(f"why.{told.why}")
    if told.why == "assigned" and told.assignee:
        what = phrases().say("to", {"assignee": _isolated(told.assignee)}, what=what)
    if told.actor:
        what = phrases().say("by", {"actor": _isolated(told.actor)}, what=what)
    return what


def _subject(alert: Alert) -> Bilingual:
    words = severity_word(alert)
    severity = Bilingual(ar=words.ar, en=words.en.upper())
    facts = {"score": alert.score}
    return phrases().say("subject", facts, severity=severity, title=_clean(alert.title))


def _marked(mark: str, *parts: Bilingual) -> Bilingual:
    shown = {
        language: " · ".join(getattr(part, language) for part in parts) for language in ("ar", "en")
    }
    return Bilingual(**{k: f"[{mark}] {text}" if mark else text for k, text in shown.items()})


def _notice(told: Notification) -> Bilingual | None:
    if is_test(told):
        return phrases().say("test")
    return phrases().say("drill") if told.drill else None


def _sentences(alert: Alert) -> list[Bilingual]:
    said = alert.explanation
    found = (said.observed, said.expected, said.split, said.about)
    return [sentence for sentence in found if sentence is not None]


def _facts(told: Notification) -> list[Fact]:
    alert, say = told.alert, phrases().say
    word, score = severity_word(alert), f"{alert.score}/100"
    rows = [
        ("severity", Bilingual(ar=f"{word.ar} ({score})", en=f"{word.en} ({score})")),
        ("state", say(f"states.{told.state}") if told.state in _STATES else None),
        ("brand", _same(alert.brand)),
        ("since", _same(_when(alert.since))),
        ("assignee", _same(_isolated(told.assignee)) if told.assignee else None),
        ("number", _same(f"{FSI}{alert.id}{PDI}")),
    ]
    return [Fact(say(name), value) for name, value in rows if value is not None]


def _steps(alert: Alert) -> list[Bilingual]:
    return [
        phrases().say(
            "step",
            action=step.action,
            role=step.role_title,
            within=_explained().say("show.within", time=_explained().duration(step.within_min)),
        )
        for step in alert.playbook.steps[:_STEPS]
    ]


def _quotes(alert: Alert) -> list[Quote]:
    quotes = []
    for item in alert.evidence[:_QUOTES]:
        text = _cut(defang(strip_controls(item.text)), _QUOTE_CHARS)
        names = (item.platform, item.handle or item.name or "–")
        source = " · ".join(
            f"{FSI}{_cut(defang(strip_controls(name)), _NAME_CHARS)}{PDI}" for name in names
        )
        quotes.append(Quote(text, source))
    return quotes


def _clean(both: Bilingual) -> Bilingual:
    return Bilingual(ar=strip_controls(both.ar), en=strip_controls(both.en))


def _when(at: str) -> str:
    moment = datetime.fromisoformat(at).astimezone(UTC)
    return f"{FSI}{moment:%Y-%m-%d %H:%M} UTC{PDI}"


def _same(text: str) -> Bilingual:
    return Bilingual(ar=text, en=text)


def _isolated(name: str) -> str:
    return f"{FSI}{person(name)}{PDI}"


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1].rstrip() + "…"
