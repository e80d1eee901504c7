"""Names inside of a label: whether what stands beside one makes it that name."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from models.impersonation.likeness import Inside, Name
from models.impersonation.words import (
    is_affix,
    is_bait,
    is_company,
    is_covered,
    is_known,
    is_plain,
    is_text,
    is_word,
    word_ends,
)

_HYPHENS = re.compile(r"[^\w]|_")
_BESIDE_DIGITS = re.compile(r"(?<=\d)(?=\D)|(?<=\D)(?=\d)")
_SURE = 6  # letters of a name that is one wherever it stands
_MIN_TRIMMED = 5
_PLURALS = ("s", "es")
_LONGEST_TRIM = 12
_MOST_TRIMS = 2  # of each end


class Label(NamedTuple):
    """A label of a host as its reader sees it.

    Attributes
    ----------
    text : str
        Folded, with its hyphens.
    word : str
        Its letters and digits.
    cuts : list of int
        Where in the word there is a hyphen, a digit beside a letter, or an end; in order.
    """

    text: str
    word: str
    cuts: list[int]


def label_of(folded: str) -> Label:
    """A folded label, cut.

    Examples
    --------
    >>> label_of("my-bank24").cuts
    [0, 2, 6, 8]
    """
    if folded.isalpha():
        return Label(folded, folded, [0, len(folded)])
    word = _HYPHENS.sub("", folded)
    cuts = {0, len(word)}
    for i, hyphen in enumerate(_HYPHENS.finditer(folded)):
        cuts.add(hyphen.start() - i)
    cuts.update(found.start() for found in _BESIDE_DIGITS.finditer(word))
    return Label(folded, word, sorted(cuts))


def in_label(label: Label, inside: Inside, *, below: bool) -> tuple[str, float] | None:
    """The reason that a name inside of a label is, and how much of its weight counts.

    Parameters
    ----------
    label : Label
    inside : Inside
        Where the name stands in the label's letters and digits.
    below : bool
        In a subdomain, where honest hosts seldom have names: fewer letters are enough.
    """
    word = label.word
    left, right = (
        "" if beside == inside.name.text else beside for beside in _beside(label, inside)
    )  # a name said twice is as good as once
    right = "" if left and right in _PLURALS else right
    name = inside.name
    if not left and not right:
        return _whole_part(label.text, name)
    if right in _PLURALS and not left and inside.end + len(right) == len(word):
        return None if inside.name.is_plain else ("combosquat", 1.0)
    if not _is_sure(name) and is_covered(word, inside.start, inside.end):
        return None
    size = len(name.text)
    if size < 3:
        return None
    if is_affix(left) and is_affix(right):
        weak = name.is_plain and (size < 5 or is_company(left + right))
        return ("combosquat", 0.6 if weak else 1.0)
    if name.is_plain:
        return None
    if name.is_name_too and not below and is_text(left or "the") and is_text(right or "the"):
        return None
    if below and size > 3:
        return ("name_in_domain", 1.0)
    return _coined(name, left, right)


def _is_sure(name: Name) -> bool:
    return len(name.text) >= _SURE + 2 and not name.is_plain


def _coined(name: Name, left: str, right: str) -> tuple[str, float] | None:
    """A name that is no word: the shorter it is, the more must speak for it."""
    size = len(name.text)
    at_edge = not left or not right
    if size >= _SURE or (size == _SURE - 1 and (at_edge or is_affix(left) or is_affix(right))):
        is_short = size < _SURE and name.is_name_too
        is_end = size == _SURE and not left and len(right) < 3  # a longer word, such as Yamatoya
        return ("name_in_domain", 0.9 if is_short or is_end else 1.0)
    if not at_edge:
        return None
    if size == 4:
        by_chance = left or (name.is_in_words and not is_text(right))
        return ("name_in_domain", 0.8 if by_chance else 1.0)
    return ("name_in_domain", 0.6 if name.is_in_words else 0.8)


def _whole_part(label: str, name: Name) -> tuple[str, float] | None:
    """The name stands between hyphens, dots or digits."""
    others = [part for part in re.split(r"[\W_0-9]+", label) if part and part not in name.text]
    if all(map(is_affix, others)):
        return ("combosquat", 1.0 if _goes_with(name, others) else 0.6)
    if name.is_plain or len(name.text) < 3:
        return ("name_in_domain", 0.5)
    if len(name.text) == 3 and name.is_in_words:
        return ("name_in_domain", 0.8)
    return ("name_in_domain", 0.9 if name.is_name_too and len(name.text) < _SURE else 1.1)


def _goes_with(name: Name, others: list[str]) -> bool:
    """Whether words beside a name make it the brand's: for plain words they must be telling."""
    if name.is_plain:
        is_said = len(name.text) > 4 and not all(map(is_company, others))
        return is_said or any(map(is_bait, others))
    return len(name.text) > 3 or (len(name.text) == 3 and bool(others))


def _beside(label: Label, inside: Inside) -> tuple[str, str]:
    """Letters before and after the name, up to a hyphen, a digit or the end."""
    cuts, word = label.cuts, label.word
    left = cuts[bisect_right(cuts, inside.start) - 1]
    right = cuts[bisect_left(cuts, inside.end)]
    return word[left : inside.start], word[inside.end : right]


def trimmed(label: str) -> Iterator[str]:
    """Pieces of a label that may be a misspelt name: between hyphens, or beside a word.

    Examples
    --------
    >>> "seressto" in trimmed("seresstoofficial")
    True
    """
    parts = [part for part in re.split(r"[\W_]+", label) if part]
    if len(parts) > 1:
        yield from (part for part in parts if len(part) >= _MIN_TRIMMED and not is_word(part))
    for part in parts:
        bare = part.strip("0123456789")
        if bare != part and len(bare) >= _MIN_TRIMMED and not is_word(bare):
            yield bare
        yield from _without_word(part)


def _without_word(part: str) -> Iterator[str]:
    """A part without the longest word that begins or ends it."""
    size = len(part)
    begins, ends = word_ends(part)
    most = min(_LONGEST_TRIM, size - _MIN_TRIMMED)
    ends = [n for n in ends if n <= most and _is_beside(part[-n:], size - n)]
    begins = [n for n in begins if n <= most and _is_beside(part[:n], size - n)]
    yield from (part[:-n] for n in ends[:_MOST_TRIMS])
    yield from (part[n:] for n in begins[:_MOST_TRIMS])


def _is_beside(word: str, left: int) -> bool:
    """A word that goes with names, or, where enough letters are left, any longer one."""
    return is_known(word) or (left > _SURE and len(word) > 4 and is_plain(word))
