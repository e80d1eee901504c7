"""Look-alike letters: what a word is read as, whatever code points it is written with.

Two forms of a text.  `fold` undoes the scripts: accents, width, letters of other alphabets that
look Latin (UTS #39, *Unicode Security Mechanisms*, section 4), Arabic letter variants, hidden
controls.  `shape` goes on: digits read as letters, letters that are told apart only by looking
twice (rn and m, c and e).  Equal folds look the same, equal shapes nearly so.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from string import ascii_lowercase

from models.text import ASSIGNED, normalise

_FILE = Path(__file__).parents[1] / "artifacts" / "confusables.tsv"
_NAMED = re.compile(
    r"LATIN (?:SMALL |CAPITAL )?LETTER (?:SMALL CAPITAL |SCRIPT |DOTLESS )?([A-Z])(?: WITH .*)?"
)
_ORTHOGRAPHIC = (range(0xC0, 0x250), range(0x250, 0x2B0), range(0x1D00, 0x1DC0),
                 range(0x1E00, 0x1F00), range(0x2C60, 0x2C80), range(0xA720, 0xA800))  # fmt: skip
_SIGNED = (0x1F130, 0x1F150, 0x1F170)  # alphabets in squares and circles
_FLAG_A = 0x1F1E6  # two such letters are a flag, one is a letter
_NO_FLAG = re.compile(
    "(?<![\U0001f1e6-\U0001f1ff])[\U0001f1e6-\U0001f1ff](?![\U0001f1e6-\U0001f1ff])"
)
_SPACES = re.compile(" {2,}")
_LEET = str.maketrans("013457$@!|i", "oleastsalll")
# pairs of letters first, then classes; the order is that of the replacements
_PAIRS = re.compile(r"vv|cl|dl|lb|lh|lk|lc|rn|rr|nn|nr|rm|mn|nm")
_PAIR_OF = {"vv": "w", "cl": "b", "dl": "b", "lb": "b", "lh": "h", "lk": "k", "lc": "k"}
_CLASSES = str.maketrans("duqcmr89z26", "bvgennbgssb")
_ALIKE = {code: chr(to).translate(_CLASSES) for code, to in _LEET.items()}
_ALIKE = {code: chr(to) for code, to in _CLASSES.items()} | _ALIKE


@cache
def _table() -> dict[int, str]:
    """What each letter of another alphabet, or with a stroke or hook, is taken for."""
    table: dict[int, str] = {}
    for block in _ORTHOGRAPHIC:
        for code in block:
            named = _NAMED.fullmatch(unicodedata.name(chr(code), ""))
            if named:
                table[code] = named[1].lower()
    for first in _SIGNED:
        table.update((first + i, letter) for i, letter in enumerate(ascii_lowercase))
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            to, letters = line.split("\t")
            table.update((ord(letter), to) for letter in letters)
    return _cyrillic(table) | table


def _cyrillic(table: dict[int, str]) -> dict[int, str]:
    """Small letters as their capitals look (т, н), else as they sound by their names (б, л)."""
    found: dict[int, str] = {}
    for code in range(0x430, 0x450):
        sound = unicodedata.name(chr(code)).rpartition(" ")[2]
        vowel_first = len(sound) == 2 and sound[0] == "E"
        found[code] = table.get(ord(chr(code).upper()), sound[1 if vowel_first else 0].lower())
    return found


@cache
def _letters() -> dict[int, str]:
    """What each character is read as that is not read as itself."""
    # first our own table: normalisation knows no Latin look-alikes, only accents
    table = _table()
    plain = normalise([table.get(code) or chr(code) for code in ASSIGNED]).joined().translate(table)
    return {code: to for code, to in zip(ASSIGNED, plain.split("\n")) if to != chr(code)}


def fold(texts: Sequence[str]) -> list[str]:
    """Lower-case texts with every letter replaced by the one it is taken for.

    Parameters
    ----------
    texts : sequence of str
        Any Unicode.

    Examples
    --------
    >>> fold(["аpple", "ｐａｙpaƙ", "مـؤسّسة"])
    ['apple', 'paypak', 'موسسه']
    """
    return [text.lower() if text.isascii() else _fold(text) for text in texts]


def _fold(text: str) -> str:
    if max(text) >= chr(_FLAG_A):
        text = _NO_FLAG.sub(lambda found: ascii_lowercase[ord(found[0]) - _FLAG_A], text)
    read = text.translate(_letters())
    return _SPACES.sub(" ", read) if "  " in read else read


def shape(folded: str) -> str:
    """A folded text by its outlines: digits as letters, and classes of letters that look alike.

    Examples
    --------
    >>> shape("rnicros0ft") == shape("microsoft"), shape("paypal") == shape("paypol")
    (True, False)
    """
    pairs = _PAIRS.sub(lambda found: _PAIR_OF.get(found[0], "n"), folded.translate(_LEET))
    return pairs.translate(_CLASSES)


def outline(folded: str) -> str:
    """A folded text by its classes of letters alone: quicker than `shape`, which pairs letters.

    Examples
    --------
    >>> outline("paypa1") == outline("paypai")
    True
    """
    return folded.translate(_ALIKE)


def letters_only(text: str) -> str:
    """Letters and digits of a text, in order.

    Examples
    --------
    >>> letters_only("Wal-Mart, Inc.")
    'WalMartInc'
    """
    return "".join(filter(str.isalnum, text))
