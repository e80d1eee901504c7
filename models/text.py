"""Arabic and Latin text normalisation over whole batches.

A batch of texts becomes one array of code points, mapped through one table: a few nanoseconds a
character, where ``str.translate`` costs tens.  The mapping folds what Arabic writers leave out or
vary (tashkeel, tatweel, alef and hamza forms, alef maqsura, ta marbuta, Persian letter forms,
presentation forms, Arabic-Indic digits) and what attackers insert (bidi controls, zero-width
characters), after N. Habash, *Introduction to Arabic Natural Language Processing* (2010), ch. 3,
and Unicode UAX #15 for the compatibility forms.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from models.records import Bool, Int64, UInt32

TABLE_SIZE = 0x110000
_DELETE = 0xFFFFFFFF  # table value: this character is dropped
_EXPAND = 0xFFFFFFFE  # table value: this character becomes several (NFKC)

# Beyond lie ideographs and Hangul syllables, which map to themselves, and unassigned planes.
ASSIGNED = (
    *range(0x3400),
    *range(0xA000, 0xAC00),
    *range(0xF900, 0x20000),
    *range(0x2F800, 0x2FA20),
    *range(0xE0000, 0xE0200),
)

_FOLD = {
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ٲ": "ا", "ٳ": "ا",
    "ؤ": "و", "ئ": "ي", "ى": "ي", "ی": "ي", "ې": "ي", "ے": "ي",
    "ة": "ه", "ۀ": "ه", "ہ": "ه", "ھ": "ه", "ە": "ه", "ۃ": "ه",
    "ک": "ك", "ڪ": "ك", "گ": "ك",
    "ـ": None,  # tatweel
    "ء": None,  # a lone hamza is written or left out at will
    "…": ".", "™": None, "®": None, "©": None, "№": "#", "½": None, "ﷺ": None,
    "’": "'", "‘": "'", "“": '"', "”": '"', "،": ",", "؛": ";", "؟": "?",
    # blank, though Unicode calls them letters or symbols: Hangul fillers, Khmer vowels, Braille
    "\u115f": None, "\u1160": None, "\u3164": None, "\uffa0": None,
    "\u17b4": None, "\u17b5": None, "\u2800": " ",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CodeBatch:
    """Normalised texts as one array.

    Attributes
    ----------
    codes : uint32[total]
        Code points of all texts; every text is followed by one newline (code 10), which occurs
        nowhere else, so that patterns and n-grams never span two texts.
    starts : int64[n + 1]
        ``codes[starts[i]:starts[i + 1] - 1]`` is text ``i``.
    """

    codes: UInt32
    starts: Int64

    def __len__(self) -> int:
        return len(self.starts) - 1

    def take(self, rows: Int64) -> CodeBatch:
        """Some of the texts, by ascending row."""
        keep = np.zeros(len(self), dtype=np.bool_)
        keep[rows] = True
        lengths = np.diff(self.starts)
        starts = np.concatenate([[0], np.cumsum(lengths[keep])])
        return CodeBatch(self.codes[np.repeat(keep, lengths)], starts)

    def joined(self) -> str:
        """All texts as one string, indexed like ``codes``."""
        return self.codes.tobytes().decode("utf-32-le", "surrogatepass")

    def text(self, i: int) -> str:
        """Text ``i`` in normalised form."""
        part = self.codes[self.starts[i] : self.starts[i + 1] - 1]
        return part.tobytes().decode("utf-32-le", "surrogatepass")


def normalise(texts: Sequence[str]) -> CodeBatch:
    """Normalise texts for matching, learning and near-duplicate search.

    Lower-cases, folds Arabic letter variants, strips marks and invisible controls, turns every
    digit into ASCII and every run of white space into one space.  Punctuation stays.

    Examples
    --------
    >>> normalise(["مَدَارِسُ  الرِّيَاضِ", "ACME\u200b١٢"]).joined()
    'مدارس الرياض\\nacme12\\n'
    """
    table, expansions = _table()
    codes = _encode(texts)
    mapped = table.take(codes, mode="clip")
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    ends = np.cumsum(lengths + 1) - 1  # index of each text's closing newline
    mapped[ends] = 10  # a newline inside a text has become a space
    if (mapped == _EXPAND).any():
        mapped, ends = expansions.splice(codes, mapped, ends)
    mapped, ends = _without(mapped == _DELETE, mapped, ends)
    space = mapped == 32
    space[1:] &= space[:-1].copy()
    space[:1] = False
    mapped, ends = _without(space, mapped, ends)
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    starts[1:] = ends + 1
    return CodeBatch(mapped, starts)


def normalise_one(text: str) -> str:
    """Normalise a single text and strip it; for configuration, not for the hot path."""
    return normalise([text]).text(0).strip()


def _encode(texts: Sequence[str]) -> UInt32:
    return _code_points("\n".join([*texts, ""]))


def _code_points(text: str) -> UInt32:
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _without(drop: Bool, codes: UInt32, ends: Int64) -> tuple[UInt32, Int64]:
    dropped = np.flatnonzero(drop)
    if not len(dropped):
        return codes, ends
    return codes[~drop], ends - np.searchsorted(dropped, ends)


@dataclass(frozen=True, slots=True)
class _Expansions:
    """The few characters that NFKC makes several; expansion ``k`` is ``flat[at[k]:at[k + 1]]``."""

    chars: UInt32
    at: Int64
    flat: UInt32

    def splice(self, codes: UInt32, mapped: UInt32, ends: Int64) -> tuple[UInt32, Int64]:
        where = np.flatnonzero(mapped == _EXPAND)
        which = np.searchsorted(self.chars, codes[where])
        sizes = self.at[which + 1] - self.at[which]
        repeats = np.ones(len(mapped), dtype=np.int64)
        repeats[where] = sizes
        spliced = np.repeat(mapped, repeats)
        before = np.cumsum(sizes) - sizes  # characters from earlier expansions
        step = np.arange(sizes.sum()) - np.repeat(before, sizes)
        to = np.repeat(where - np.arange(len(where)) + before, sizes) + step
        spliced[to] = self.flat[np.repeat(self.at[which], sizes) + step]
        grown = np.concatenate(([0], np.cumsum(sizes - 1)))
        return spliced, ends + grown[np.searchsorted(where, ends)]


@cache
def _table() -> tuple[UInt32, _Expansions]:
    table = np.arange(TABLE_SIZE, dtype=np.uint32)
    for code in ASSIGNED:
        char = chr(code)
        category = unicodedata.category(char)
        if category in ("Cn", "Co", "Cs", "Lo", "So") and not unicodedata.decomposition(char):
            continue
        table[code] = _map_char(char, category)
    for char, to in _FOLD.items():
        table[ord(char)] = _DELETE if to is None else ord(to)
    chars = np.flatnonzero(table == _EXPAND).astype(np.uint32)
    parts = [table[_code_points(unicodedata.normalize("NFKC", chr(c)))] for c in chars]
    parts = [np.where(part == _EXPAND, np.uint32(32), part) for part in parts]
    at = np.zeros(len(chars) + 1, dtype=np.int64)
    np.cumsum([len(part) for part in parts], out=at[1:])
    return table, _Expansions(chars, at, np.concatenate(parts))


def _map_char(char: str, category: str) -> int:
    if category in ("Mn", "Me", "Cf"):
        return _DELETE
    if category in ("Cc", "Zs", "Zl", "Zp"):
        return 32
    if category == "Nd":
        return ord("0") + unicodedata.digit(char)
    folded = unicodedata.normalize("NFKD", char)
    folded = "".join(c for c in folded if unicodedata.category(c) not in ("Mn", "Me"))
    folded = "".join(_FOLD.get(c, c) or "" for c in folded.lower())
    if len(folded) < 2:
        return ord(folded) if folded else _DELETE
    return _EXPAND if unicodedata.normalize("NFKC", char) != char else ord(char)
