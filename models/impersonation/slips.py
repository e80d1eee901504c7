"""Slips of fingers and memory and eye: whether an edit is one that people make or fall for."""

from __future__ import annotations

from functools import cache

from models.impersonation.confusables import shape

_BIT_MIN = 7  # letters of a name in which a single wrong bit is told from another word
_VOWELS = frozenset("aeiouy")
_KEYBOARDS = (
    ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm"),
    ("1234567890", "qwertzuiop", "asdfghjkl", "yxcvbnm"),
    ("1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn"),
)


def is_doubled(word: str, name: str) -> bool:
    """Whether a letter was written twice.

    Examples
    --------
    >>> is_doubled("visaa", "visa"), is_doubled("visat", "visa")
    (True, False)
    """
    at = next((i for i, (x, y) in enumerate(zip(word, name)) if x != y), len(name))
    return len(word) > len(name) and word[at] == word[at - 1]


def is_slip(word: str, name: str) -> bool:
    """Whether a letter was swapped with the next one, or replaced in a way that is explained.

    By a neighbour on the keyboard, a vowel by another, a letter by one that looks like it; in
    longer names also by one that is a bit away (bit-squatting).  Both are equally long.

    Examples
    --------
    >>> is_slip("oramge", "orange"), is_slip("orxnge", "orange")
    (True, False)
    """
    if sorted(word) == sorted(name):
        return True
    x, y = next((x, y) for x, y in zip(word, name) if x != y)
    if y in _near().get(x, "") or (x in _VOWELS and y in _VOWELS) or shape(x) == shape(y):
        return True
    return not x.isascii() or (len(name) >= _BIT_MIN and (ord(x) ^ ord(y)).bit_count() == 1)


@cache
def _near() -> dict[str, str]:
    """Keys beside each key, on the rows of the three Latin keyboards."""
    near: dict[str, set[str]] = {}
    for rows in _KEYBOARDS:
        for r, row in enumerate(rows):
            for c, key in enumerate(row):
                beside = [row[i] for i in (c - 1, c + 1) if 0 <= i < len(row)]
                beside += [b[i] for b in rows[r + 1 : r + 2] for i in (c - 1, c) if 0 <= i < len(b)]
                beside += [b[i] for b in rows[max(r - 1, 0) : r] for i in (c, c + 1) if i < len(b)]
                near.setdefault(key, set()).update(beside)
    return {key: "".join(sorted(keys)) for key, keys in near.items()}
