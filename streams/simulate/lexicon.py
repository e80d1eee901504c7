"""Templates compiled for speed: escaped for JSON once, in eight spellings, as bound formats.

A format takes ``(name, arabic_name, slot_a, slot_b)``.  All formats of both languages stand in one
list; a mention holds an index into it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from streams.simulate.data import load
from streams.simulate.rows import LANGS, SENTIMENTS, STYLES, IntArray
from streams.simulate.spelling import respell

SLOT_SIZE = 64  # every slot's table is cycled to this length, so that a byte draws from it
NO_SLOT = 0
_SLOT = re.compile(r"\{(\w+)\}")

Format = tuple[Callable[..., str], int, int]  # bound str.format, slot kinds a and b


def escape(text: str) -> str:
    """Return the text as it stands inside a JSON string."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return json.dumps(text, ensure_ascii=False)[1:-1]


def lines(block: str) -> list[str]:
    """Split a block of one text a line."""
    return [line for line in block.splitlines() if line]


def cycle(values: list[str]) -> list[str]:
    """Repeat the values up to `SLOT_SIZE`."""
    return [values[i % len(values)] for i in range(SLOT_SIZE)]


class Lexicon:
    """All texts of the simulation.

    Attributes
    ----------
    formats : list of Format
        Every template in every spelling.
    openers, closers, emoji, tags : list of str
        What may stand around a template; entry 0 is nothing.
    """

    def __init__(self) -> None:
        texts = [load(f"texts_{lang}") for lang in LANGS]
        self.formats: list[Format] = []
        self._tables: dict[str, list[list[list[str]]]] = {}
        self._kinds = {"": NO_SLOT}
        for text in texts:
            for kind in (k for tables in text["slots"].values() for k in tables):
                self._kinds.setdefault(kind, len(self._kinds))
        topics = sorted({name.split(".")[0] for text in texts for name in text["pools"]})
        self._topics = {topic: i for i, topic in enumerate(topics)}
        shape = (len(LANGS), len(topics), len(SENTIMENTS))
        self._base = np.zeros(shape, np.int64)
        self._size = np.zeros(shape, np.int64)
        self._compile(texts)
        people = load("people")
        self.openers, self._openers = _decor(texts, "openers", "{} ")
        self.closers, self._closers = _decor(texts, "closers", " {}")
        emoji = [people["emoji"][sentiment] for sentiment in SENTIMENTS]
        self.emoji, self._emoji = _stack([emoji, emoji], " {}")
        tags = [[lines(text["decor"]["tags"])] * len(SENTIMENTS) for text in texts]
        self.tags, self._tags = _stack(tags, " {}")

    def _compile(self, texts: list[dict[str, Any]]) -> None:
        for lang, text in enumerate(texts):
            for topic, t in self._topics.items():
                for s, sentiment in enumerate(SENTIMENTS):
                    block = text["pools"].get(f"{topic}.{sentiment}")
                    if block is None:  # rare moods of a topic sound like any other day
                        block = text["pools"][f"organic.{sentiment}"]
                    pool = lines(block)
                    self._base[lang, t, s] = len(self.formats)
                    self._size[lang, t, s] = len(pool)
                    for style in range(STYLES):
                        spelled = (respell(line, lang, style, text) for line in pool)
                        if topic == "news":  # headlines are written one way, without a stop
                            spelled = (line for line in pool)
                        self.formats.extend(self._format(line) for line in spelled)

    def _format(self, line: str) -> Format:
        found = dict.fromkeys(_SLOT.findall(line))
        slots = [slot for slot in found if slot not in ("brand", "brand_ar")]
        places = {"brand": 0, "brand_ar": 1} | {slot: 2 + i for i, slot in enumerate(slots)}
        spec = _SLOT.sub(lambda match: f"{{{places[match[1]]}}}", escape(line))
        kinds = [self._kinds[slot] for slot in slots] + [NO_SLOT] * 2
        return spec.format, kinds[0], kinds[1]

    def templates(self, topic: str, lang: Any, sentiment: Any, style: Any, draw: Any) -> IntArray:
        """Return an index into `formats` for each mention; ``draw`` is any large number."""
        t = self._topics[topic]
        size = self._size[lang, t, sentiment]
        return np.asarray(self._base[lang, t, sentiment] + style * size + draw % size)

    def decor(self, kind: str, lang: Any, sentiment: Any, draw: Any) -> IntArray:
        """Return an index into one of the lists around a template, never 0."""
        spans = {
            "opener": self._openers,
            "closer": self._closers,
            "emoji": self._emoji,
            "tag": self._tags,
        }[kind]
        return np.asarray(spans[lang, sentiment, 0] + draw % spans[lang, sentiment, 1])

    def slots(self, industry: str, fixed: dict[str, int]) -> list[list[list[str]]]:
        """Return the slot tables of an industry, by language and slot kind.

        Parameters
        ----------
        industry : str
        fixed : dict
            Slot kind -> the number of the one entry that this scenario is about.
        """
        tables = []
        for lang, base in zip(LANGS, self._industry_slots(industry), strict=True):
            of_lang = list(base)
            found = load(f"texts_{lang}")["slots"][industry]
            for kind, entry in fixed.items():
                values = lines(found[kind])
                of_lang[self._kinds[kind]] = cycle([escape(values[entry % len(values)])])
            tables.append(of_lang)
        return tables

    def _industry_slots(self, industry: str) -> list[list[list[str]]]:
        if industry not in self._tables:
            self._tables[industry] = []
            for lang in LANGS:
                slots = load(f"texts_{lang}")["slots"]
                of_lang = [cycle([""]) for _ in self._kinds]
                for kind, block in (slots["common"] | slots[industry]).items():
                    of_lang[self._kinds[kind]] = cycle([escape(v) for v in lines(block)])
                self._tables[industry].append(of_lang)
        return self._tables[industry]


def _decor(texts: list[dict[str, Any]], kind: str, form: str) -> tuple[list[str], IntArray]:
    return _stack(
        [[lines(text["decor"][f"{kind}.{s}"]) for s in SENTIMENTS] for text in texts], form
    )


def _stack(groups: list[list[list[str]]], form: str) -> tuple[list[str], IntArray]:
    """Lay lists by language and sentiment end to end; also return where each begins, how long."""
    flat = [""]
    spans = np.zeros((len(LANGS), len(SENTIMENTS), 2), np.int64)
    for lang, of_lang in enumerate(groups):
        for sentiment, values in enumerate(of_lang):
            spans[lang, sentiment] = len(flat), len(values)
            flat.extend(escape(form.format(value)) for value in values)
    return flat, spans


@cache
def lexicon() -> Lexicon:
    """Return the compiled lexicon."""
    return Lexicon()
