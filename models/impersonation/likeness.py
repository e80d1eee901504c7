"""Which names a word is like, out of thousands: candidates by index, then the distance.

Exact names and outlines (`confusables.shape`) are keys of a table; for typing errors each
name is kept under every form with one letter left out (W. Garbe, SymSpell, 2012), long names also
with two, so that two words within that many edits share a key.  Names inside of longer text are
found by an Aho-Corasick automaton over all of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Literal, NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind

from models.impersonation.confusables import outline, shape
from models.impersonation.deletions import DeletionTable, deletions
from models.impersonation.distance import edits
from models.impersonation.prefilter import Prefilter
from models.impersonation.slips import is_doubled, is_slip
from models.impersonation.words import found_in_words, is_plain, is_text, is_word, may_be_name

MAX_WORD_CHARS = 40
_NO_ASCII = re.compile(r"[^\x00-\x7f]*")
_TWO_EDITS_MOST = 22  # and the longest for which that is looked up
_TWO_EDITS = 8  # letters of a name in which two edits are still one
_TYPO_MIN = 4
_OUTLINE = 3  # letters from which on a name may be misspelt or outlined
_INSIDE_MIN = 2
_SENTENCE = 14  # letters of a name that is itself made of words

Hit = tuple[int, int, int]  # which text of a name, and where it begins and ends
How = Literal["same", "shape", "typo", "typos"]


class Name(NamedTuple):
    """A name of a brand, folded, letters and digits alone.

    Attributes
    ----------
    text : str
    brand : int
        Index of the brand.
    is_plain : bool
        An English word that is nobody's name, such as ``line``: alone it says nothing.
    is_name_too : bool
        A word that is a name as well, such as ``apple``.
    is_in_words : bool
        Its letters stand inside of words, as ``ubs`` in ``clubs``.
    """

    text: str
    brand: int
    is_plain: bool
    is_name_too: bool
    is_in_words: bool


class Likeness(NamedTuple):
    """A name and how a word is like it."""

    name: Name
    how: How


class Inside(NamedTuple):
    """A name and where in a text it stands."""

    name: Name
    start: int
    end: int


def telling(hits: list[Hit], cuts: Collection[int], most: int) -> list[Hit]:
    """What is looked at of too many names inside of a text: those at cuts, and the longest."""
    if len(hits) <= most:
        return hits
    cut = frozenset(cuts)
    at_cuts = [hit for hit in hits if hit[1] in cut or hit[2] in cut]
    at_cuts.sort(key=lambda hit: (-(hit[1] in cut) - (hit[2] in cut), hit[1] - hit[2], hit))
    if len(at_cuts) < most:
        others = set(hits).difference(at_cuts)
        at_cuts += sorted(others, key=lambda hit: (hit[1] - hit[2], hit))
    return at_cuts[:most]


def name_of(text: str, brand: int) -> Name:
    """A name with what the word list says of it."""
    return names_for([(text, brand)])[0]


def names_for(texts: Sequence[tuple[str, int]]) -> list[Name]:
    """Names of brands with what the word list says of them.

    Parameters
    ----------
    texts : sequence of (str, int)
        A name, folded, and the index of its brand.
    """
    common = found_in_words(text for text, _ in texts)
    return [
        Name(text, brand, is_plain(text), may_be_name(text), text in common)
        for text, brand in texts
    ]


def _put(table: dict[str, tuple[Name, ...]], keys: Iterable[str], name: Name) -> None:
    alone = (name,)  # one tuple for its hundreds of keys
    for key in keys:
        table[key] = table[key] + alone if key in table else alone


class NameIndex:
    """Names of all brands, to be asked what a word is like.

    Parameters
    ----------
    names : iterable of Name
        Of any number of brands.

    Attributes
    ----------
    names : list of Name
        Those of two letters or more.
    prefilter : Prefilter
        Rules out many words at once.

    Examples
    --------
    >>> index = NameIndex([name_of("paypal", 0), name_of("netflix", 1)])
    >>> [(found.name.text, found.how) for found in index.like("netfliix")]
    [('netflix', 'typo')]
    >>> [found.name.text for hit in index.hits("mypaypalhelp") for found in index.named(hit)]
    ['paypal']
    """

    def __init__(self, names: Iterable[Name]) -> None:
        self.names = [name for name in dict.fromkeys(names) if len(name.text) >= _INSIDE_MIN]
        self._same: dict[str, list[Name]] = {}
        self._shapes: dict[str, list[Name]] = {}
        self._one: dict[str, tuple[Name, ...]] = {}
        for name in self.names:
            self._same.setdefault(name.text, []).append(name)
            self._add_typos(name)
        longer = [name for name in self.names if _TWO_EDITS <= len(name.text) <= _TWO_EDITS_MOST]
        self._two = DeletionTable((name.text, name) for name in longer)
        self._outlines = frozenset(map(outline, self._same))
        thirds = [(t, len(t) // 3) for t in self._same if len(t) >= _TWO_EDITS]
        self._firsts = frozenset(text[:third] for text, third in thirds)
        self._lasts = frozenset(text[-third:] for text, third in thirds)
        self._middles = frozenset(text[third : len(text) - third] for text, third in thirds)
        halves = [(t, (len(t) - 1) // 2) for t in self._same if len(t) >= _TYPO_MIN]
        self._begins = frozenset(text[:half] for text, half in halves)
        self._ends = frozenset(text[-half:] for text, half in halves)
        self._texts = list(self._same)
        self._automaton = AhoCorasick(self._texts, matchkind=MatchKind.Standard)
        self._telling = AhoCorasick([t for t in self._texts if len(t) >= _OUTLINE] or ["\0"])
        misspelt = [t for t in self._texts if _TYPO_MIN <= len(t) <= MAX_WORD_CHARS]
        self.prefilter = Prefilter(self._outlines, misspelt, self._shapes.keys(), self._telling)

    def _add_typos(self, name: Name) -> None:
        if len(name.text) < _TYPO_MIN - 1 or len(name.text) > MAX_WORD_CHARS:
            return
        self._shapes.setdefault(shape(name.text), []).append(name)
        if len(name.text) >= _TYPO_MIN:
            _put(self._one, deletions(name.text), name)

    def has_inside(self, text: str) -> bool:
        """Whether a name of three letters or more occurs in a text."""
        return bool(self._telling.find_matches_as_indexes(text[:400]))

    def may_be_like(self, word: str) -> bool:
        """Whether `like` can find something within one edit: quick, and seldom wrong with yes."""
        if not _OUTLINE <= len(word) <= MAX_WORD_CHARS:
            return word in self._same
        if self._has_typo_key(word) or outline(word) in self._outlines:
            return True
        return ("rn" in word or "vv" in word or "cl" in word) and shape(word) in self._shapes

    def may_be_near(self, word: str) -> bool:
        """Whether `like_many` can find something: quick, and oftener wrong with yes."""
        if not _OUTLINE <= len(word) <= MAX_WORD_CHARS:
            return word in self._same
        return self._has_half(word) or self._has_third(word) or shape(word) in self._shapes

    def has_shape(self, word: str) -> bool:
        """Whether a word has the outlines of a name."""
        plain = word if _NO_ASCII.fullmatch(word) else shape(word)  # a shape is of Latin letters
        return plain in self._shapes

    def _has_typo_key(self, word: str) -> bool:
        return self._has_half(word) and not self._one.keys().isdisjoint(deletions(word))

    def _has_half(self, word: str) -> bool:
        """One edit leaves the begin or end of a name as it was: only then keys are worth making."""
        size = len(word)
        for half in range(max((size - 2) // 2, 1), size // 2 + 1):
            if word[:half] in self._begins or word[-half:] in self._ends:
                return True
        return False

    def same(self, word: str) -> Sequence[Name]:
        """Names that are just this word."""
        return self._same.get(word, ())

    def hits(self, text: str) -> list[Hit]:
        """Where names occur in a text; a text longer than 400 is cut.

        They are numbers, to be `named`: there may be many, by the way they overlap.
        """
        return self._automaton.find_matches_as_indexes(text[:400], overlapping=True)

    def named(self, hit: Hit) -> list[Inside]:
        """The names that stand at a place."""
        which, start, end = hit
        return [Inside(name, start, end) for name in self._same[self._texts[which]]]

    def like(self, word: str, *, odd: bool = False) -> list[Likeness]:
        """Names that a word is, looks like, or misspells by one edit; each brand's name once.

        Parameters
        ----------
        word : str
            Folded; longer than 40 characters it is like nothing.
        odd : bool
            It was written with letters of another script: whoever does that means a likeness.
        """
        return [Likeness(name, how) for name, how in self._like(word, odd).items()]

    def like_many(self, words: Sequence[str], odd: Collection[int] = ()) -> list[list[Likeness]]:
        """The same of many words, and what long ones misspell by two edits.

        Parameters
        ----------
        words : sequence of str
        odd : collection of int
            Indexes of those that were written with letters of another script.
        """
        found = [self._like(word, i in odd) for i, word in enumerate(words)]
        long = [i for i, word in enumerate(words) if self._has_third(word)]
        for i, names in zip(long, self._two.find([words[i] for i in long]) if long else ()):
            for name in names:
                if name not in found[i] and _may_be_two(words[i], name.text):
                    found[i][name] = "typos"
        return [[Likeness(name, how) for name, how in each.items()] for each in found]

    def _like(self, word: str, odd: bool) -> dict[Name, How]:
        found: dict[Name, How] = dict.fromkeys(self.same(word), "same")
        if not _TYPO_MIN - 1 <= len(word) <= MAX_WORD_CHARS:
            return found
        for name in self._shapes.get(shape(word), ()):
            if odd or _may_be_shape(word, name):
                found.setdefault(name, "shape")
        for key in self._one.keys() & deletions(word) if self._has_half(word) else ():
            for name in self._one[key]:
                if name not in found and _may_be_typo(word, name):
                    found[name] = "typo"
        return found

    def _has_third(self, word: str) -> bool:
        """Two edits nearly always leave the first, last or middle third of a name as it was."""
        if not _TWO_EDITS - 2 <= len(word) <= _TWO_EDITS_MOST:
            return False
        thirds, middles = _thirds_and_middles(len(word))
        if any(word[:third] in self._firsts or word[-third:] in self._lasts for third in thirds):
            return True
        return not self._middles.isdisjoint([word[start:end] for start, end in middles])


@cache
def _thirds_and_middles(size: int) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """What two edits may leave of a word of so many letters: thirds, and where the middle is."""
    thirds = tuple(range((size - 2) // 3, (size + 2) // 3 + 1))
    starts = [(start, third) for third in thirds for start in range(third - 1, third + 2)]
    middles = [(start, start + third + more) for start, third in starts for more in range(3)]
    return thirds, tuple(dict.fromkeys(middles))


def _may_be_shape(word: str, name: Name) -> bool:
    """A short name must keep its letters: only digits may stand for them."""
    if len(name.text) <= _TYPO_MIN and not (
        any(map(str.isdigit, word)) and len(word) == len(name.text)
    ):
        return False
    return not is_word(word) and abs(len(word) - len(name.text)) <= max(1, len(name.text) // 4)


def _may_be_typo(word: str, name: Name) -> bool:
    """Whether one edit leads from the name to the word, and a slip explains it better."""
    if (len(name.text) < _TWO_EDITS and is_word(word)) or edits(word, name.text, 1) > 1:
        return False
    if len(name.text) < _TWO_EDITS + 2 and is_text(word):
        return False
    if len(name.text) == _TYPO_MIN:
        return is_doubled(word, name.text) or sorted(word) == sorted(name.text)
    return len(word) != len(name.text) or is_slip(word, name.text)


def _may_be_two(word: str, name: str) -> bool:
    """Two edits are many for a short name, and words are not misspelt names."""
    if (len(name) == _TWO_EDITS and len(word) < len(name)) or edits(word, name, 2) > 2:
        return False
    return len(name) >= _SENTENCE or not is_text(word.rstrip("0123456789"))
