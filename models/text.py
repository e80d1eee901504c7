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

from models.records import Int64, UInt32

TABLE_SIZE = 0x110000
_DELETE = 0xFFFFFFFF  # table value: this character is dropped
_EXPAND = 0xFFFFFFFE  # table value: this character becomes several (NFKC)

# planes beyond hold ideographs, which map to themselves, and tags, which are invisible
_ASSIGNED = (*range(0x3400), *range(0xA000, 0xAC00), *range(0xF900, 0x12000),
             *range(0x1D400, 0x1D800), *range(0x1E000, 0x20000), *range(0xE0000, 0xE0200))  # fmt: skip

_FOLD = {
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ٲ": "ا", "ٳ": "ا",
    "ؤ": "و", "ئ": "ي", "ى": "ي", "ی": "ي", "ې": "ي", "ے": "ي",
    "ة": "ه", "ۀ": "ه", "ہ": "ه", "ھ": "ه", "ە": "ه", "ۃ": "ه",
    "ک": "ك", "ڪ": "ك", "گ": "ك",
    "ـ": None,  # tatweel
    "ء": None,  # a lone hamza is written or left out at will
    "…": ".", "™": None, "®": None, "©": None, "№": "#", "½": None, "ﷺ": None,
    "’": "'", "‘": "'", "“": '"', "”": '"', "،": ",", "؛": ";", "؟": "?",
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
    table = _table()
    codes = _encode(texts)
    mapped = table.take(codes, mode="clip")
    if (mapped == _EXPAND).any():
        texts = _expand_where_needed(texts, mapped)
        mapped = table.take(_encode(texts), mode="clip")
        mapped[mapped == _EXPAND] = 32
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    ends = np.cumsum(lengths + 1) - 1  # index of each text's closing newline
    mapped[ends] = 10  # a newline inside a text has become a space
    drop = mapped == _DELETE
    if drop.any():
        ends = ends - np.searchsorted(np.flatnonzero(drop), ends)
        mapped = mapped[~drop]
    space = mapped == 32
    double = np.zeros(len(mapped), dtype=np.bool_)
    double[1:] = space[1:] & space[:-1]
    if double.any():
        ends = ends - np.searchsorted(np.flatnonzero(double), ends)
        mapped = mapped[~double]
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    starts[1:] = ends + 1
    return CodeBatch(mapped, starts)


def normalise_one(text: str) -> str:
    """Normalise a single text and strip it; for configuration, not for the hot path."""
    return normalise([text]).text(0).strip()


def _encode(texts: Sequence[str]) -> UInt32:
    joined = "\n".join(texts) + "\n" if texts else ""
    return np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _expand_where_needed(texts: Sequence[str], mapped: UInt32) -> list[str]:
    """Apply NFKC to the few characters that become several, in the few texts that hold them."""
    ends = np.cumsum(np.fromiter(map(len, texts), dtype=np.int64, count=len(texts)) + 1)
    rows = set(np.searchsorted(ends, np.flatnonzero(mapped == _EXPAND), side="right").tolist())
    table = _table()
    return [
        "".join(unicodedata.normalize("NFKC", c) if table[ord(c)] == _EXPAND else c for c in text)
        if i in rows
        else text
        for i, text in enumerate(texts)
    ]


@cache
def _table() -> UInt32:
    table = np.arange(TABLE_SIZE, dtype=np.uint32)
    for code in _ASSIGNED:
        char = chr(code)
        category = unicodedata.category(char)
        if category in ("Cn", "Co", "Cs", "Lo", "So") and not unicodedata.decomposition(char):
            continue
        table[code] = _map_char(char, category)
    for char, to in _FOLD.items():
        table[ord(char)] = _DELETE if to is None else ord(to)
    return table


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
    if len(folded) == 1:
        return ord(folded)
    return _EXPAND if folded and unicodedata.normalize("NFKC", char) != char else ord(char)
