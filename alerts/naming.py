"""People whom our own sentences name: found there as they are written, something else put in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec

from alerts.playbook.channels import MAX_POSTS, length
from alerts.playbook.records import Bilingual, RenderedMessage
from alerts.playbook.text import FSI, PDI, hostile, strip_controls
from alerts.records import Alert

HANDLE = re.compile(r"(?<![\w@.])@(\w(?:[\w.-]{0,98}\w)?)")  # ends before the full stop
_ISOLATED = re.compile(f"{FSI}([^{FSI}{PDI}]*){PDI}")
_CUTS = (40, 60, 80, 120)  # so many characters of a name, sentences show at most


def plain(handle: str) -> str:
    """A handle as it is compared.

    Examples
    --------
    >>> plain("@Amal_K")
    'amal_k'
    """
    return handle.removeprefix("@").casefold()


class Naming:
    """What is to stand for names of people, and for words of theirs.

    Parameters
    ----------
    instead : mapping of str to str
        By name as it is stored: a handle, a name, an id or a word.

    Examples
    --------
    >>> Naming({"rima1bank": "erased"}).text("The account \\u2068[at]Rima1bank\\u2069")
    'The account \\u2068erased\\u2069'
    """

    def __init__(self, instead: Mapping[str, str]) -> None:
        self._instead = dict(instead)
        self._handles = {plain(name): other for name, other in instead.items() if plain(name)}

    @cached_property
    def _isolated(self) -> dict[str, str]:
        """By what stands between isolates: defanged, cut, with the mark of a handle or without."""
        forms = {
            hostile(shown, cut)[1:-1].casefold(): other
            for shown, other in self._shown()
            for cut in _CUTS
        }
        forms.pop("", None)
        return forms

    @cached_property
    def _bare(self) -> dict[str, str]:
        """By what stands among other words, cut."""
        forms = {
            strip_controls(shown)[:cut].removeprefix("@"): other
            for shown, other in self._shown()
            for cut in _CUTS
        }
        forms.pop("", None)
        return forms

    @cached_property
    def _folded(self) -> dict[str, str]:
        return {form.casefold(): other for form, other in self._bare.items()}

    @cached_property
    def _words(self) -> re.Pattern[str]:
        every = "|".join(re.escape(n) for n in sorted(self._bare, key=len, reverse=True))
        return re.compile(rf"@?(?<!\w)(?:({every}))(?!\w)", re.IGNORECASE)

    def _shown(self) -> Iterator[tuple[str, str]]:
        for name, other in self._instead.items():
            for form in {plain(name), name.removeprefix("@")} - {""}:
                yield form, other
                yield f"@{form}", other

    def word(self, word: str) -> str:
        """What stands for a word, or the word."""
        return self._handles.get(plain(word), word)

    def text(self, words: str) -> str:
        """A sentence in which names stand apart, between isolates or behind an @."""
        if not self._handles:
            return words
        return HANDLE.sub(self._of_handle, _ISOLATED.sub(self._of_isolated, words))

    def loose(self, words: str) -> str:
        """A sentence in which names stand like other words; an id of digits may hit a figure."""
        if not self._bare:
            return words
        return self._words.sub(self._of_word, self.text(words))

    def _of_isolated(self, found: re.Match[str]) -> str:
        other = self._isolated.get(found[1].casefold())
        return found[0] if other is None else f"{FSI}{other}{PDI}"

    def _of_handle(self, found: re.Match[str]) -> str:
        other = self._handles.get(plain(found[1]))
        return found[0] if other is None else f"@{other}"

    def _of_word(self, found: re.Match[str]) -> str:
        return self._folded.get(found[1].casefold(), found[0])


def renamed(alert: Alert, naming: Naming) -> Alert:
    """An alert whose title, explanation and playbook name nobody of these."""
    explanation = reworded(alert.explanation, naming.text)
    said = reworded(alert.explanation.narratives, naming.loose)
    return msgspec.structs.replace(
        alert,
        title=reworded(alert.title, naming.text),
        explanation=msgspec.structs.replace(explanation, narratives=said),
        playbook=reworded(alert.playbook, naming.text),
    )


def reworded(held: Any, text: Callable[[str], str]) -> Any:
    """A record with every sentence in it changed; ids and figures stay."""
    if isinstance(held, Bilingual):
        return Bilingual(ar=text(held.ar), en=text(held.en))
    if isinstance(held, RenderedMessage):
        return _reworded_message(held, text(held.text))
    if isinstance(held, tuple):
        return tuple(reworded(each, text) for each in held)
    if isinstance(held, msgspec.Struct):
        values = {name: reworded(getattr(held, name), text) for name in held.__struct_fields__}
        return msgspec.structs.replace(held, **values)
    return held


def _reworded_message(message: RenderedMessage, text: str) -> RenderedMessage:
    if text == message.text:
        return message
    size = length(message.channel, text)
    fits = size <= message.limit and message.posts <= MAX_POSTS
    return msgspec.structs.replace(message, text=text, length=size, fits=fits)
