"""Accounts and links made to take long, by somebody who knows which brands are watched and how.

Each kind aims at one part of the work: names that overlap, so that many stand in one label; names
with a letter wrong, each of which must be compared; words that many others are made of; letters
of other scripts, punycode, characters that stand for many letters, and those never seen before.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Mapping, Sequence

from benchmarks.impersonation import SYLLABLES
from models.impersonation.words import lists
from models.records import Author

_CYRILLIC = str.maketrans("aeiopcysx", "аеіорсуѕх")
_LABEL, _HOST = 63, 246
_ANY = [c for c in range(0xA0, 0x20000) if unicodedata.category(chr(c))[0] not in "CZ"]


class Attacker:
    """Makes inputs out of the names of the watched brands.

    Parameters
    ----------
    names : sequence of str
        Lower case, made of the syllables of `benchmarks.impersonation`.
    rng : random.Random
    """

    def __init__(self, names: Sequence[str], rng: random.Random) -> None:
        self._names, self._rng = list(names), rng
        self._cut = [cut for name in names for cut in _syllables(name)]
        self._goes_on: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for cut in self._cut:
            self._goes_on.setdefault(cut[:2], []).append(cut)
        every = lists()
        self._words = sorted(w for w in every.support | every.place | every.topic if w.isascii())

    def overlapping(self, size: int) -> str:
        """Letters in which one name begins within another."""
        parts = list(self._rng.choice(self._cut))
        while sum(map(len, parts)) < size:
            further = self._goes_on.get(tuple(parts[-2:]))
            parts += self._rng.choice(further)[2:] if further else self._rng.choice(self._cut)
        return "".join(parts)[:size]

    def misspelt(self) -> str:
        """A name with a letter doubled, left out or swapped with the next."""
        name = self._name()
        at = self._rng.randrange(1, len(name) - 1)
        left, letter, right = name[:at], name[at], name[at + 1 :]
        return self._rng.choice(
            (left + 2 * letter + right, left + right, left + right[:1] + letter + right[1:])
        )

    def unseen(self, size: int) -> str:
        """So many different characters."""
        return "".join(map(chr, self._rng.sample(_ANY, size)))

    def accounts(self) -> Mapping[str, Callable[[], Author]]:
        """Makers of accounts, by what they try."""

        def of(handle: str, name: str, bio: str = "official fan account of news " * 20) -> Author:
            return Author(id="1", handle=handle[:256], name=name[:1024], bio=bio, verified=False)

        pick = self._rng.choice
        return {
            "names that overlap": lambda: of(self.overlapping(100), self.overlapping(100)),
            "the same in Cyrillic": lambda: of(
                self.overlapping(99).translate(_CYRILLIC), self.overlapping(99).translate(_CYRILLIC)
            ),
            "misspelt names": lambda: of(self._joined("_", 100), self._joined(" ", 100)),
            "words of support": lambda: of(
                "_".join([*self._some_words(14), self._name()]),
                " ".join([*self._some_words(14), self._name()]),
            ),
            "words in words": lambda: of("helpdesk" * 11 + self._name(), "helpdeskcare" * 3 + "x"),
            "eighteen letters in one": lambda: of(
                "\ufdfa" * 90 + self._name(), "\ufdfa " * 40 + self._name(), "\ufdfa" * 600
            ),
            "marks on letters": lambda: of(
                "".join(c + chr(pick(range(0x300, 0x370))) * 7 for c in self._name()),
                "".join(c + chr(pick(range(0x300, 0x370))) for c in self.overlapping(50)),
                "a" + "\u0301" * 599,
            ),
            "characters never seen": lambda: of(
                self.unseen(90) + self._name(), self.unseen(90) + self._name(), self.unseen(600)
            ),
        }

    def links(self) -> Mapping[str, Callable[[], str]]:
        """Makers of links, by what they try."""

        def host(*labels: str) -> str:
            return ".".join(label[:_LABEL].strip("-") for label in labels)[:_HOST].strip(".")

        def chain() -> str:
            return host(*(self.overlapping(60) for _ in range(4)))

        def cyrillic(size: int) -> str:
            return self.overlapping(size).translate(_CYRILLIC)

        def encoded() -> str:
            name = self._name().translate(_CYRILLIC)
            return f"xn--{name.encode('punycode').decode()}"

        return {
            "names that overlap": lambda: f"https://{chain()}.com/",
            "the same in percent signs": lambda: (
                f"https://{''.join(f'%{ord(c):02x}' for c in chain())}.com/"
            ),
            "the same with hidden characters": lambda: (
                f"https://{chr(0x200B).join(chain())}.com/{chr(0x202E) * 1500}"
            ),
            "the same in Cyrillic": lambda: (
                f"https://{host(*(cyrillic(20) for _ in '1' * 12))}.com/"
            ),
            "misspelt names and hyphens": lambda: (
                f"https://{host(*(self._joined('-', 63) for _ in '1234'))}.com/"
            ),
            "misspelt names as labels": lambda: (
                f"https://{host(*(self.misspelt() for _ in '1' * 14))}.com/"
            ),
            "names twice as labels": lambda: (
                f"https://{host(*(self._name() + self._name() for _ in '1' * 13))}.com/"
            ),
            "words around names": lambda: (
                f"https://{host(*(f'online{self._name()}payments' for _ in '1' * 12))}.com/"
            ),
            "punycode": lambda: f"https://{host(*(encoded() for _ in '1' * 13))}.com/",
            "eighteen letters in one": lambda: (
                f"https://{host(*(chr(0xFDFA) * 18 + self._name() for _ in '1' * 9))}.com/"
            ),
            "names before an @": lambda: (
                f"https://{':'.join(self._name() for _ in range(30))}@{chain()}.com/"
            ),
            "names in the path": lambda: (
                f"https://{self._name()}x.com/{'/'.join(self._name() for _ in range(300))}"
            ),
            "characters never seen": lambda: (
                f"https://{host(*(self.unseen(60) for _ in '1234'))}.com/{self.unseen(300)}"
            ),
        }

    def _name(self) -> str:
        return self._rng.choice(self._names)

    def _some_words(self, count: int) -> list[str]:
        return self._rng.choices(self._words, k=count)

    def _joined(self, sign: str, size: int) -> str:
        words: list[str] = []
        while len(sign.join(words)) < size:
            words.append(self.misspelt())
        return sign.join(words)[:size]


def _syllables(name: str) -> list[tuple[str, ...]]:
    """Every way in which syllables make a name."""
    if not name:
        return [()]
    return [
        (first, *rest)
        for first in SYLLABLES
        if name.startswith(first)
        for rest in _syllables(name[len(first) :])
    ]
