"""Microsoft Teams: an adaptive card with buttons, through a workflow's webhook.

Everything but links stands in text runs (RichTextBlock), which know no Markdown, so that nobody's
words become a link, a picture or a mention.
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

_MOST_BYTES = 27_000  # of 28 KB
_LINE_CHARS = 1_000
_SHORT_CHARS = 200


class TeamsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The workflow's webhook, whose address is a secret."""

    url: str
    languages: tuple[Language, ...] = LANGUAGES


class Teams:
    """Posts cards to a workflow ("when a Teams webhook request is received").

    References
    ----------
    https://adaptivecards.io/explorer/ and
    https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
    """

    def __init__(self, settings: TeamsSettings, sender: Sender) -> None:
        self._settings = settings
        self._sender = sender

    def send(self, batch: Sequence[Notification]) -> str:
        """Post one card."""
        body = encoded(words(batch), self._settings.languages)
        answer = self._sender.post(
            self._settings.url, body, {"content-type": "application/json; charset=utf-8"}
        )
        return f"answered {answer.status}"


def encoded(shown: Content, languages: Sequence[Language]) -> bytes:
    """A message as bytes, without quotes and with shorter lines where it would be too large."""
    body = b""
    for quotes, most in ((shown.quotes, _LINE_CHARS), ((), _LINE_CHARS), ((), _SHORT_CHARS)):
        lesser = msgspec.structs.replace(shown, quotes=quotes)
        body = msgspec.json.encode(message_of(lesser, languages, most))
        if len(body) <= _MOST_BYTES:
            break
    return body


def message_of(
    shown: Content, languages: Sequence[Language], most: int = _LINE_CHARS
) -> dict[str, Any]:
    """A message that holds one adaptive card."""
    body = [_part(shown, language, most) for language in languages]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.5",
        "body": [*body, *_quoted(shown, languages, most)],
        "actions": _actions(shown, languages),
        "msteams": {"width": "Full"},
        "fallbackText": cut(getattr(shown.subject, languages[0]), most),
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _part(shown: Content, language: Language, most: int) -> dict[str, Any]:
    def of(both: Bilingual) -> str:
        return cut(getattr(both, language), most)

    items = [_run(of(shown.subject), weight="Bolder", size="Medium")]
    items += [_run(of(shown.notice), color="Attention", weight="Bolder")] if shown.notice else []
    items += [_run(of(sentence)) for sentence in shown.sentences]
    items += [_run(f"{of(fact.label)}: {of(fact.value)}", isSubtle=True) for fact in shown.facts]
    if shown.steps:
        items.append(_run(of(phrases().say("first_steps")), weight="Bolder"))
        items += [_run(f"• {of(step)}") for step in shown.steps]
    return {"type": "Container", "rtl": language == "ar", "separator": True, "items": items}


def _quoted(shown: Content, languages: Sequence[Language], most: int) -> list[dict[str, Any]]:
    if not shown.quotes:
        return []
    label = phrases().say("evidence")
    said = " · ".join(getattr(label, language) for language in languages)
    items = [_run(said, weight="Bolder")]
    for quote in shown.quotes:
        items += [_run(cut(quote.text, most)), _run(quote.source, isSubtle=True, size="Small")]
    return [{"type": "Container", "style": "emphasis", "separator": True, "items": items}]


def _run(text: str, **style: Any) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _actions(shown: Content, languages: Sequence[Language]) -> list[dict[str, Any]]:
    return [
        {
            "type": "Action.OpenUrl",
            "title": " · ".join(getattr(label, each) for each in languages),
            "url": url,
        }
        for _, label, url in links_of(shown)
    ]
