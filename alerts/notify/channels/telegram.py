"""Telegram: a message in its HTML, through a bot."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from alerts.notify.channel import Taken, cut_utf16, links_of, words
from alerts.notify.content import Content, phrases
from alerts.notify.errors import DeliveryError
from alerts.notify.http import Sender
from alerts.notify.records import Notification
from alerts.playbook.records import LANGUAGES, Bilingual, Language

_MOST_UNITS = 4_096  # UTF-16 code units, after the entities are parsed
_PART_UNITS = 1_500
_LINE_UNITS = 300
_QUOTE_UNITS = 180
_CHAT = re.compile(r"-?[0-9]{1,20}|@[A-Za-z0-9_]{1,64}")


class TelegramSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The bot, and the chat it writes to."""

    token: str
    chat: str
    url: str = "https://api.telegram.org"
    languages: tuple[Language, ...] = LANGUAGES


class Telegram:
    """Sends messages with ``sendMessage``.

    References
    ----------
    https://core.telegram.org/bots/api#sendmessage
    """

    def __init__(self, settings: TelegramSettings, sender: Sender) -> None:
        self._settings = settings
        self._sender = sender
        self._taken = Taken()

    def send(self, batch: Sequence[Notification]) -> str:
        """Send one message to the chat, or to each of the people an escalation names.

        People who are no chats, as the names of a calendar, are told in the chat.
        """
        settings = self._settings
        named = batch[0].to if len(batch) == 1 else ()
        chats = [chat for chat in named if _CHAT.fullmatch(chat)] or [settings.chat]
        message = message_of(words(batch), settings.languages)
        failures: list[DeliveryError] = []
        for chat in chats:
            if self._taken.by(chat, batch):
                continue
            try:
                self._sender.post(
                    f"{settings.url.rstrip('/')}/bot{settings.token}/sendMessage",
                    msgspec.json.encode({"chat_id": chat, **message}),
                    {"content-type": "application/json"},
                )
            except DeliveryError as error:
                failures.append(error)
            else:
                self._taken.add(chat, batch)
        if failures:  # whoever took it is passed over when it is tried, or replayed, again
            first = next((error for error in failures if error.retry), failures[0])
            reached = len(chats) - len(failures)
            some = f"messages: {reached}, refused: {len(failures)} ({first.reason})"
            raise DeliveryError(
                some if reached else first.reason,
                retry=first.retry,
                retry_after_s=first.retry_after_s,
            )
        return f"messages: {len(chats)}"


def message_of(shown: Content, languages: Sequence[Language]) -> dict[str, Any]:
    """A message without its chat."""
    room = _MOST_UNITS - 100 - (_quotes_units(shown) if shown.quotes else 0)
    each = min(_PART_UNITS, room // max(len(languages), 1))
    parts = [_part(shown, language, each) for language in languages]
    parts += [_quoted(shown, languages)] if shown.quotes else []
    message: dict[str, Any] = {
        "text": "\n\n".join(parts),
        "parse_mode": "HTML",
        "link_preview_options": {"is_disabled": True},
    }
    buttons = _buttons(shown, languages)
    return {**message, "reply_markup": {"inline_keyboard": [buttons]}} if buttons else message


def escape(text: str) -> str:
    """Text as Telegram's HTML shows it.

    Examples
    --------
    >>> escape('<a href="x">')
    '&lt;a href=&quot;x&quot;&gt;'
    """
    return html.escape(text, quote=True).replace("&#x27;", "&#39;")


def _part(shown: Content, language: Language, most: int) -> str:
    """What is told in one language; whole lines only, as many as there is room for."""

    def of(both: Bilingual) -> str:
        text: str = getattr(both, language)
        return text

    head = cut_utf16(of(shown.subject), _LINE_UNITS)
    lines = [f"<b>{escape(head)}</b>"]
    rest = [of(shown.notice)] if shown.notice else []
    rest += [of(sentence) for sentence in shown.sentences]
    rest += [f"{of(fact.label)}: {of(fact.value)}" for fact in shown.facts]
    rest += [f"{of(phrases().say('first_steps'))}:"] if shown.steps else []
    rest += [f"• {of(step)}" for step in shown.steps]
    used = _units(head)
    for line in rest:
        line = cut_utf16(line, _LINE_UNITS)
        used += _units(line) + 1
        if used > most:
            break
        lines.append(escape(line))
    return "\n".join(lines)


def _quoted(shown: Content, languages: Sequence[Language]) -> str:
    label = phrases().say("evidence")
    said = " · ".join(getattr(label, language) for language in languages)
    quotes = [
        f"<blockquote>{escape(cut_utf16(quote.text, _QUOTE_UNITS))}\n"
        f"{escape(cut_utf16(quote.source, _QUOTE_UNITS))}</blockquote>"
        for quote in shown.quotes
    ]
    return "\n".join([f"<b>{escape(said)}</b>", *quotes])


def _quotes_units(shown: Content) -> int:
    return 60 + len(shown.quotes) * (2 * _QUOTE_UNITS + 2)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def _buttons(shown: Content, languages: Sequence[Language]) -> list[dict[str, str]]:
    return [
        {"text": " · ".join(getattr(label, each) for each in languages), "url": url}
        for _, label, url in links_of(shown)
    ]
