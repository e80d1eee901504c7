"""Which names a word is like, out of thousands: candidates by index, then the distance.

Exact names and outlines (`confusables.shape`) are keys of a table; for typing errors each
name is kept under every form with one letter left out (W. Garbe, SymSpell, 2012), long names also
with two, so that two words within that many edits share a key.  Names inside of longer text are
found by an Aho-Corasick automaton over all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from ahocorasick_rs import AhoCorasick, MatchKind

from models.impersonation.confusables import outline, shape
from models.impersonation.deletions import Deletions, deletions
from models.impersonation.prefilter import Prefilter
from models.impersonation.slips import is_doubled, is_slip, spans
from models.impersonation.words import found_in_words, is_plain, is_text, is_word, may_be_name

MAX_WORD_CHARS = 40
_TWO_EDITS_MOST = 22  # and the longest for which that is looked up
_TWO_EDITS = 8  # letters of a name in which two edits are still one
_TYPO_MIN = 4
_OUTLINE = 3  # letters from which on a name may be misspelt or outlined
_INSIDE_MIN = 2
_SENTENCE = 14  # letters of a name that is itself made of words

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


def edits(a: str, b: str, limit: int) -> int:
    """Optimal string alignment distance, or ``limit + 1`` if it is more.

    One edit puts in, leaves out, replaces or swaps with its neighbour a letter
    (F. Damerau, CACM 7(3), 1964).

    Examples
    --------
    >>> edits("tiwtter", "twitter", 2), edits("paypal", "google", 2)
    (1, 3)
    """
    if abs(len(a) - len(b)) > limit:
        return limit + 1
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        row = [i]
        for j, y in enumerate(b, start=1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
        before, last = last, row
    return min(last[-1], limit + 1)


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
    >>> [(found.name.text, found.start) for found in index.inside("mypaypalhelp")]
    [('paypal', 2)]
    """

    def __init__(self, names: Iterable[Name]) -> None:
        self.names = [name for name in dict.fromkeys(names) if len(name.text) >= _INSIDE_MIN]
        self._same: dict[str, list[Name]] = {}
        self._shapes: dict[str, list[Name]] = {}
        self._one: dict[str, tuple[Name, ...]] = {}
        two = Deletions[Name]()
        for name in self.names:
            self._same.setdefault(name.text, []).append(name)
            self._add_typos(name)
            if _TWO_EDITS <= len(name.text) <= _TWO_EDITS_MOST:
                two.put(deletions(name.text, 2), name)
        self._two = two.table()
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
        self.prefilter = Prefilter(self._texts, misspelt, self._shapes.keys(), self._telling)

    def _add_typos(self, name: Name) -> None:
        if len(name.text) < _TYPO_MIN - 1 or len(name.text) > MAX_WORD_CHARS:
            return
        self._shapes.setdefault(shape(name.text), []).append(name)
        if len(name.text) >= _TYPO_MIN:
            _put(self._one, deletions(name.text, 1), name)

    def has_inside(self, text: str) -> bool:
        """Whether a name of three letters or more occurs in a text."""
        return bool(self._telling.find_matches_as_indexes(text[:400]))

    def may_be_like(self, word: str) -> bool:
        """Whether `like` can find something within one edit: quick, and seldom wrong with yes."""
        if not _OUTLINE <= len(word) <= MAX_WORD_CHARS:
            return word in self._same
        if self._may_be_typo(word) or outline(word) in self._outlines:
            return True
        return ("rn" in word or "vv" in word or "cl" in word) and shape(word) in self._shapes

    def has_shape(self, word: str) -> bool:
        """Whether a word has the outlines of a name."""
        return shape(word) in self._shapes

    def _may_be_typo(self, word: str) -> bool:
        return self._has_half(word) and not self._one.keys().isdisjoint(deletions(word, 1))

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

    def inside(self, text: str) -> list[Inside]:
        """Every name that occurs in a text, and where; a text longer than 400 is cut."""
        hits = self._automaton.find_matches_as_indexes(text[:400], overlapping=True)
        return [
            Inside(name, start, end)
            for which, start, end in hits
            for name in self._same[self._texts[which]]
        ]

    def like(self, word: str, *, odd: bool = False, most_edits: int = 2) -> list[Likeness]:
        """Names that a word is, looks like, or misspells; each brand's name once.

        Parameters
        ----------
        word : str
            Folded; longer than 40 characters it is like nothing.
        odd : bool
            It was written with letters of another script: whoever does that means a likeness.
        most_edits : {1, 2}
            Two are looked for in long words alone, and take most of the time.
        """
        if not _TYPO_MIN - 1 <= len(word) <= MAX_WORD_CHARS:
            return [Likeness(name, "same") for name in self.same(word)]
        found: dict[Name, How] = dict.fromkeys(self.same(word), "same")
        for name in self._shapes.get(shape(word), ()):
            if odd or _may_be_shape(word, name):
                found.setdefault(name, "shape")
        for key in self._one.keys() & deletions(word, 1) if self._has_half(word) else ():
            for name in self._one[key]:
                if name not in found and _may_be_typo(word, name):
                    found[name] = "typo"
        if most_edits > 1 and _TWO_EDITS - 2 <= len(word) <= _TWO_EDITS_MOST:
            self._add_two(word, found)
        return [Likeness(name, how) for name, how in found.items()]

    def _may_be_two(self, word: str) -> bool:
        """Two edits nearly always leave the first, last or middle third of a name as it was."""
        thirds, middles = spans(len(word))
        if any(word[:third] in self._firsts or word[-third:] in self._lasts for third in thirds):
            return True
        return not self._middles.isdisjoint([word[start:end] for start, end in middles])

    def _add_two(self, word: str, found: dict[Name, How]) -> None:
        if not self._may_be_two(word):
            return
        for name in self._two.find(deletions(word, 2)):
            if name not in found and _may_be_two(word, name.text):
                found[name] = "typos"


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
