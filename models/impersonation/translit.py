"""One key for a name in Arabic and in Latin letters: the consonants both writings keep.

Vowels are mostly unwritten in Arabic and unsettled in Latin, and several letters share one
writing (k for ق and ك, h for ح, ه and خ), so a key is coarse: it finds candidates, and equal keys
say less than equal letters.  After K. Darwish et al., *Arabic Information Retrieval* (2014), ch. 4.
"""

from __future__ import annotations

import re
from functools import lru_cache


class _Kept(dict[int, str]):
    """A table of `str.translate` that drops what is not in it."""

    def __missing__(self, code: int) -> None:
        return None


_ARABIC = _Kept(str.maketrans({
    "ب": "b", "ت": "t", "ث": "t", "ج": "j", "ح": "h", "خ": "h", "د": "d", "ذ": "d", "ر": "r",
    "ز": "z", "س": "s", "ش": "s", "ص": "s", "ض": "d", "ط": "t", "ظ": "z", "غ": "j", "ف": "f",
    "ق": "k", "ك": "k", "ل": "l", "م": "m", "ن": "n", "ه": "h",
}))  # fmt: skip
_PAIRS = re.compile(r"sh|ch|th|kh|gh|dh|ph|ck|qu|x")
_PAIR_OF = {"sh": "s", "ch": "s", "th": "t", "kh": "h", "gh": "j", "dh": "d", "ph": "f", "ck": "k",
            "qu": "k", "x": "ks"}  # fmt: skip
# the digits of Arabizi stand for letters: 7 for ح, 3 for ع, which has no Latin letter
_LATIN = str.maketrans("pvgqc75698", "bfjkkhhtsk", "aeiouyw23'`-_ .")
_OTHER_LETTERS = re.compile("[^\\W\\d_\u0600-\u06ff]")
_BLOCK = re.compile("[\u0600-\u06ff]+")
_OTHERS = dict.fromkeys(c for c in range(128) if not chr(c).islower() and c != ord("\n"))
_ARTICLE = re.compile(r"\b(?:al|el)[ _-]?(?=\w{3})")
_DOUBLE = re.compile(r"(.)\1+")
MIN_KEY = 3


def is_arabic(text: str) -> bool:
    """Whether most letters of a folded text are Arabic ones."""
    if text.isascii():
        return False
    if not _OTHER_LETTERS.search(text):
        return any(map(str.isalpha, text))
    letters = "".join(filter(str.isalpha, text))
    return 2 * sum(map(len, _BLOCK.findall(letters))) > len(letters)


def sound_key(folded: str) -> str:
    """Consonants of a name, the same for both scripts; empty if there are fewer than three.

    Parameters
    ----------
    folded : str
        In the form of `models.impersonation.confusables.fold`.

    Examples
    --------
    >>> sound_key("نتفليكس"), sound_key("netflix"), sound_key("الراجحي"), sound_key("al rajhi")
    ('ntflks', 'ntflks', 'rjh', 'rjh')
    """
    if not folded.isascii() and is_arabic(folded):
        key = "".join(map(_arabic_key, folded.split()))
    else:
        key = "".join(c for c in _consonants(folded) if "a" <= c <= "z")
        key = key[:-1] if folded.endswith(("ah", "eh")) else key
    return key if len(key) >= MIN_KEY else ""


def latin_keys(lines: str) -> str:
    """Of each line of ASCII text its key, with what `sound_key` leaves out at the end.

    Examples
    --------
    >>> latin_keys("netflix\\nal rajhi").split("\\n"), sound_key("al rajhi")
    (['ntflks', 'rjh'], 'rjh')
    """
    return _consonants(lines).translate(_OTHERS)


def _consonants(folded: str) -> str:
    plain = _ARTICLE.sub("", folded)
    plain = _PAIRS.sub(lambda found: _PAIR_OF[found[0]], _DOUBLE.sub(r"\1", plain))
    return plain.translate(_LATIN)


@lru_cache(1 << 14)  # names are made of the same words
def _arabic_key(word: str) -> str:
    """Without the article, and a final ه: of a folded word it was ة more often than not."""
    word = word.removeprefix("ال")
    if len(word) > MIN_KEY and word.endswith("ه"):
        word = word[:-1]  # which Latin leaves out
    return word.translate(_ARABIC)
