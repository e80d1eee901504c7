"""Slack: blocks with buttons, through an incoming webhook.

Words of strangers stand in rich text alone, whose text elements Slack shows as they are; all else
is mrkdwn, in which ``&``, ``<`` and ``>`` are escaped, so that no mention such as ``<!channel>``
comes about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from alerts.notify.channel import cut, links_of, words
from alerts.notify.content import Content, phrases
from alerts.notify.http import Sender
from alerts.notify.records import Notification
from alerts.playbook.records import LANGUAGES, Bilingual, Language

_HEADER_CHARS = 150
_SECTION_CHARS = 2_900  # of 3,000
_TEXT_CHARS = 3_000
_BUTTON_CHARS = 75
_URL_CHARS = 3_000
_MOST_BLOCKS = 50


class SlackSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The incoming webhook, whose address is a secret."""

    url: str
    languages: tuple[Language, ...] = LANGUAGES


class Slack:
    """Posts messages to an incoming webhook.

    References
    ----------
    https://docs.slack.dev/reference/block-kit/blocks
    """

    def __init__(self, settings: SlackSettings, sender: Sender) -> None:
        self._settings = settings
        self._sender = sender

    def send(self, batch: Sequence[Notification]) -> str:
        """Post one message."""
        message = message_of(words(batch), self._settings.languages)
        answer = self._sender.post(
            self._settings.url,
            msgspec.json.encode(message),
            {"content-type": "application/json; charset=utf-8"},
        )
        return f"answered {answer.status}"


def message_of(shown: Content, languages: Sequence[Language]) -> dict[str, Any]:
    """A message: blocks, and the text of the pop-up.

    Examples
    --------
    >>> escape("<!channel> & <@U1>")
    '&lt;!channel&gt; &amp; &lt;@U1&gt;'
    """
    blocks: list[dict[str, Any]] = []
    for language in languages:
        blocks += _told(shown, language)
    blocks += _quoted(shown, languages)
    buttons = _buttons(shown, languages)
    blocks += [{"type": "actions", "elements": buttons}] if buttons else []
    return {
        "text": _mrkdwn(getattr(shown.subject, languages[0]), _TEXT_CHARS),
        "blocks": blocks[:_MOST_BLOCKS],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def escape(text: str) -> str:
    """Text as mrkdwn shows it: Slack's three characters escaped, its marks made harmless."""
    for sign, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, entity)
    return text


def _mrkdwn(text: str, most: int) -> str:
    """Escaped and of at most so many characters, no entity cut in two."""
    shown = escape(text)
    while len(shown) > most:
        text = cut(text, len(text) - max(1, (len(shown) - most) // 5))
        shown = escape(text)
    return shown


def _told(shown: Content, language: Language) -> list[dict[str, Any]]:
    def of(both: Bilingual) -> str:
        text: str = getattr(both, language)
        return text

    head = cut(of(shown.subject), _HEADER_CHARS)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": head, "emoji": False}}
    ]
    lines = [of(shown.notice)] if shown.notice else []
    lines += [of(sentence) for sentence in shown.sentences]
    lines.append(" · ".join(f"{of(fact.label)}: {of(fact.value)}" for fact in shown.facts))
    if shown.steps:
        lines.append(f"{of(phrases().say('first_steps'))}:")
        lines += [f"• {of(step)}" for step in shown.steps]
    text = "\n".join(filter(None, lines))
    if text:
        section = {
            "type": "mrkdwn",
            "text": _mrkdwn(text, _SECTION_CHARS),
            "verbatim": True,
        }
        blocks.append({"type": "section", "text": section})
    return blocks


def _quoted(shown: Content, languages: Sequence[Language]) -> list[dict[str, Any]]:
    if not shown.quotes:
        return []
    label = phrases().say("evidence")
    said = " · ".join(getattr(label, language) for language in languages)
    parts: list[dict[str, Any]] = [
        {"type": "rich_text_section", "elements": [_literal(said, bold=True)]}
    ]
    for quote in shown.quotes:
        elements = [_literal(f"{quote.text}\n"), _literal(quote.source)]
        parts.append({"type": "rich_text_quote", "elements": elements})
    return [{"type": "rich_text", "elements": parts}]


def _literal(text: str, *, bold: bool = False) -> dict[str, Any]:
    return {"type": "text", "text": text, **({"style": {"bold": True}} if bold else {})}


def _buttons(shown: Content, languages: Sequence[Language]) -> list[dict[str, Any]]:
    buttons = []
    for name, label, url in links_of(shown):
        if len(url) > _URL_CHARS:
            continue
        text = cut(" · ".join(getattr(label, language) for language in languages), _BUTTON_CHARS)
        button: dict[str, Any] = {
            "type": "button",
            "action_id": name,
            "text": {"type": "plain_text", "text": text, "emoji": False},
            "url": url,
        }
        buttons.append({**button, "style": "primary"} if name == "acknowledge" else button)
    return buttons
