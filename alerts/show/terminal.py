"""An alert in a terminal, in Arabic and English.

For terminals without Arabic a text is wrapped in logical order, then every line by itself is
shaped, reordered and set to the right.  Terminals that do so themselves, files and pipes get the
text as it is.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from alerts.playbook.records import LANGUAGES, Bilingual, Language
from alerts.playbook.text import FSI, PDI, defang, strip_controls
from alerts.records import Alert
from alerts.show.script import direction, does_bidi, printable, visual_line
from alerts.texts import Phrases, load_phrases
from models.records import Evidence

Languages = Literal["both", "ar", "en"]
Arabic = Literal["auto", "visual", "logical"]

_MAX_WIDTH = 100
_LABEL_WIDTH = 28
_EVIDENCE = 3
_EVIDENCE_CHARS = 240
_NAME_CHARS = 40
_QUOTE = "│"
_STYLES = {
    "critical": "bold white on #b3261e",
    "warning": "bold black on #f2b01e",
    "watch": "bold white on #1f5fa8",
}


def print_alert(
    alert: Alert,
    console: Console,
    *,
    language: Languages = "both",
    arabic: Arabic = "auto",
    timezone: str | None = None,
) -> None:
    """Print an alert for the engineer on call.

    Parameters
    ----------
    alert : Alert
    console : rich.console.Console
    language : {"both", "ar", "en"}
    arabic : {"auto", "visual", "logical"}
        ``visual`` shapes and reorders Arabic here, ``logical`` leaves it to the terminal, ``auto``
        decides by the console and the environment.
    timezone : str, optional
        IANA name of the brand's time zone, shown beside UTC.

    Examples
    --------
    >>> from rich.console import Console
    >>> print_alert(alert, Console(), language="en")  # doctest: +SKIP
    """
    languages = LANGUAGES if language == "both" else (language,)
    visual = arabic == "visual"
    if arabic == "auto":
        visual = console.is_terminal and not does_bidi(os.environ)
    _Printer(console, languages, visual=visual).alert(alert, timezone)


def headline(alert: Alert, language: Language) -> str:
    """Say in one line of plain text what an alert is about.

    Parameters
    ----------
    alert : Alert
    language : {"ar", "en"}
    """
    severity = getattr(_phrases().say(f"severities.{alert.severity}"), language)
    title = strip_controls(getattr(alert.title, language))
    return f"{severity.upper()} {alert.score}/100 · {title} · {alert.id}"


@cache
def _phrases() -> Phrases:
    return load_phrases()


class _Printer:
    """Writes to one console in some languages."""

    def __init__(self, console: Console, languages: tuple[Language, ...], *, visual: bool) -> None:
        self._console = console
        self._languages = languages
        self._visual = visual
        self._only: Language | None = languages[0] if len(languages) == 1 else None
        self._width = max(20, min(console.width, _MAX_WIDTH))

    # sections -------------------------------------------------------------------------------

    def alert(self, alert: Alert, timezone: str | None) -> None:
        self._head(alert, timezone)
        told = alert.explanation
        self._heading("what")
        weighed = (told.corrected, told.reach, told.intensity)
        for sentence in (told.observed, *weighed, told.expected, told.split, told.about):
            if sentence is not None:
                self._say(sentence)
        self._reasons(alert)
        self._groups(alert)
        if told.narratives:
            self._heading("narratives")
        for sentence in told.narratives:
            self._say(sentence, bullet="•")
        if told.defence is not None:
            self._heading("defence")
            self._say(told.defence)
        self._score(alert)
        self._heading("gates")
        for gate in told.gates:
            self._say(gate.sentence, bullet="✓" if gate.passed else "✗")
        self._heading("stops")
        for stop in told.would_have_stopped_it:
            self._say(stop, bullet="•")
        if alert.evidence:
            self._heading("evidence")
        for item in alert.evidence[:_EVIDENCE]:
            self._mention(item)
        self._messages(alert)

    def _reasons(self, alert: Alert) -> None:
        if alert.explanation.reasons:
            self._heading("reasons")
        for sentence in alert.explanation.reasons:
            self._say(sentence, bullet="•")

    def _groups(self, alert: Alert) -> None:
        if alert.groups:
            self._heading("groups")
        for group, sentence in zip(alert.groups, alert.explanation.groups):
            self._say(sentence, bullet="•")
            for post in group.evidence[0].posts:
                at = datetime.fromtimestamp(post.published_ms / 1000, UTC)
                self._line(f"{FSI}{_name(post.account)}{PDI} · {FSI}{at:%H:%M:%S} UTC{PDI}")
                self._quote(post.text)

    def _head(self, alert: Alert, timezone: str | None) -> None:
        severity = self._joined(_phrases().say(f"severities.{alert.severity}"), upper=True)
        state = self._joined(_phrases().say(f"states.{alert.state}"))
        badge = [
            (f" {self._inline(severity)} ", _STYLES[alert.severity]),
            (f"  {alert.score}/100  ", "bold"),
            (f"{self._inline(state)}  {alert.id}", "dim"),
        ]
        if self._visual and self._only == "ar":
            badge.reverse()
            badge.insert(0, (" " * (self._width - sum(cell_len(text) for text, _ in badge)), ""))
        self._console.print()
        self._write(Text.assemble(*badge))
        self._say(alert.title, style="bold")
        for name in ("opened", "updated", "resolved"):
            at = getattr(alert, f"{name}_at")
            if at is not None:
                self._line(f"{self._label(name)}: {_when(at, timezone)}")

    def _score(self, alert: Alert) -> None:
        self._heading("score")
        parts = alert.explanation.parts
        for part in parts:
            self._row(part.sentence, f"{part.weight:3.0f} × {part.value:.4f} = {part.points:6.2f}")
        total = round(sum(part.points for part in parts), 2)
        self._row(_phrases().say("show.sum"), f"{'':12} = {total:6.2f}")
        scale = "  ".join(
            f"{self._joined(_phrases().say(f'severities.{name}'))} {FSI}≥ {least}{PDI}"
            for name, least in alert.explanation.severity_from.items()
        )
        self._line(f"{FSI}{alert.score}/100{PDI}  ({scale})")

    def _mention(self, item: Evidence) -> None:
        at = datetime.fromtimestamp(item.published_ms / 1000, UTC)
        label = _phrases().say("show.reach")
        reach = label.ar if self._only == "ar" else label.en
        facts = (_name(item.platform), _name(item.handle or item.name or "–"), f"{at:%H:%M} UTC")
        isolated = " · ".join(f"{FSI}{fact}{PDI}" for fact in facts)
        self._line(f"{isolated} · {reach} {item.reach:,}")
        self._quote(item.text)

    def _quote(self, said: str) -> None:
        text = _cut(strip_controls(said), _EVIDENCE_CHARS)
        self._block(defang(text), direction(text), bullet=_QUOTE)

    def _messages(self, alert: Alert) -> None:
        posts = [
            m
            for m in alert.playbook.messages
            if m.kind == "holding" and m.channel == "x" and m.language in self._languages
        ]
        if posts:
            self._heading("messages")
        for m in posts:
            name = getattr(_phrases().say("messages.holding"), m.language)
            count = f"X {m.length}/{m.limit}" + (f" ({m.post}/{m.posts})" if m.posts > 1 else "")
            line = f"{name} · {FSI}{count} {'✓' if m.fits else '✗'}{PDI}"
            self._block(line, m.language, style="dim")
            self._block(m.text, m.language, bullet=_QUOTE)
        if posts:
            self._say(_phrases().say("show.approval"), style="italic")

    # lines ----------------------------------------------------------------------------------

    def _heading(self, name: str) -> None:
        label = _phrases().say(f"show.{name}")
        self._console.print()
        if not self._visual:
            text = " · ".join(getattr(label, language) for language in self._languages[::-1])
            self._write(Text(f"── {text} ──", "bold cyan"))
            return
        left = f"{label.en} " if "en" in self._languages else ""
        right = f" {self._inline(label.ar)}" if "ar" in self._languages else ""
        room = self._width - cell_len(left) - cell_len(right)
        if room < 0:
            self._say(label, style="bold cyan")
        else:
            self._write(Text(f"{left}{'─' * room}{right}", "bold cyan"))

    def _say(self, sentence: Bilingual, *, bullet: str = "", style: str = "") -> None:
        for language in self._languages:
            self._block(getattr(sentence, language), language, bullet=bullet, style=style)

    def _line(self, text: str) -> None:
        self._block(text, self._only or "en", style="dim")

    def _block(self, text: str, language: Language, *, bullet: str = "", style: str = "") -> None:
        """A paragraph: wrapped in logical order, then every line as the terminal needs it."""
        margin = f"{bullet} " if bullet else ""
        for i, line in enumerate(self._wrapped(text, self._width - cell_len(margin))):
            mark = margin if i == 0 or bullet == _QUOTE else " " * len(margin)
            shown = mark + line
            if self._visual:
                shown = mark + visual_line(line, language)
                if language == "ar":
                    shown = visual_line(line, "ar") + mark[::-1]
                    shown = " " * (self._width - cell_len(shown)) + shown
            self._write(Text(shown.rstrip(), style))

    def _wrapped(self, text: str, width: int) -> Iterator[str]:
        for paragraph in printable(text).split("\n"):
            for line in Text(paragraph).wrap(self._console, width):
                yield line.plain.rstrip()

    def _row(self, label: Bilingual, numbers: str) -> None:
        """A line of arithmetic: English to its left, Arabic to its right."""
        right = self._inline(label.ar)
        if self._only == "ar":
            pad = " " * (_LABEL_WIDTH - cell_len(right)) if self._visual else ""
            line = f"{numbers}   {pad}{right}"
            line = " " * (self._width - cell_len(line)) + line if self._visual else line
        else:
            line = f"{label.en:<{_LABEL_WIDTH}} {numbers}"
            if self._only is None:
                room = self._width - cell_len(line) - cell_len(right) if self._visual else 0
                line += " " * max(room, 3) + right
        self._write(Text(line))

    def _write(self, line: Text) -> None:
        self._console.print(line, soft_wrap=True)

    def _inline(self, text: str) -> str:
        """A few words, shaped for a line that is not reordered again."""
        return visual_line(text, self._only or "en") if self._visual else text

    def _joined(self, words: Bilingual, *, upper: bool = False) -> str:
        shown = {"ar": words.ar, "en": words.en.upper() if upper else words.en}
        return " · ".join(shown[language] for language in self._languages)

    def _label(self, name: str) -> str:
        return self._joined(_phrases().say(f"show.{name}"))


def _cut(text: str, chars: int) -> str:
    return text if len(text) <= chars else text[: chars - 1].rstrip() + "…"


def _name(text: str) -> str:
    """Name of an account or a platform, as a stranger chose it."""
    return defang(_cut(strip_controls(text), _NAME_CHARS))


def _when(at: str, timezone: str | None) -> str:
    moment = datetime.fromisoformat(at)
    shown = f"{FSI}{moment:%Y-%m-%d %H:%M} UTC{PDI}"
    if timezone is None:
        return shown
    local = moment.astimezone(ZoneInfo(timezone))
    return f"{FSI}{local:%Y-%m-%d %H:%M} {timezone}{PDI} ({shown})"
