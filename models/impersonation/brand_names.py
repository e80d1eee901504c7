"""The names by which a brand is imitated: from its names, handles and domains."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import permutations

from models.impersonation.confusables import fold, letters_only
from models.impersonation.likeness import Name, names_for
from models.impersonation.translit import is_arabic
from models.impersonation.urls import parse_url
from models.impersonation.words import is_plain, is_word, lists
from models.records import Brand

_SPLIT = re.compile(r"[\W_]+")
_APOSTROPHE = re.compile(r"['’`´]")
_SYNONYMS = (("بنك", "مصرف"), ("مصرف", "بنك"))
_MOST_TURNED = 3  # words of a name that is said in another order
_MIN_TURNED, _MIN_WORD = 8, 3  # letters of that name, and of each of its words
_MIN_RETOLD = 5  # letters of an Arabic name
_MIN_BARE = 4  # letters of a word with its article
_MIN_PART = 4  # letters of what is left of a name without its common part


def names_of(brands: Sequence[Brand]) -> list[Name]:
    """Every name of every brand, folded, without spaces and signs.

    A legal form at the end and *The* in front are left out; ``smbc-card`` is known as ``smbc``
    too, as *card* says little, but ``union-bank`` not as ``union``, which says too little.

    Examples
    --------
    >>> found = names_of([Brand(id="b", names=("Marks & Morgan Ltd",), domains=("mm-card.com",))])
    >>> sorted(name.text for name in found)
    ['marksandmorgan', 'marksmorgan', 'mmcard', 'morganmarks']
    """
    found: dict[tuple[str, int], None] = {}
    for i, brand in enumerate(brands):
        for text in brand.names:
            found |= dict.fromkeys((variant, i) for variant in _retold(text))
        written = [*brand.names, *brand.handles]
        written += [text for a in brand.accounts for text in (a.handle, a.name) if text]
        for text in (*written, *_labels(brand)):
            for variant in _variants(text):
                found[variant, i] = None
    return names_for([(text, i) for text, i in found if len(text) > 1 and not text.isdigit()])


def _labels(brand: Brand) -> Iterator[str]:
    for domain in brand.domains:
        url = parse_url(domain)
        if url is not None and url.label:
            yield url.label


def _variants(text: str) -> Iterator[str]:
    for spelt in {text, text.replace("&", " and ")}:
        folded = _APOSTROPHE.sub("", fold([spelt])[0])
        parts = [part for part in _SPLIT.split(folded) if part]
        legal, kind = lists().legal, lists().kind
        while len(parts) > 1 and parts[-1] in legal and not is_plain("".join(parts[:-1])):
            parts.pop()
        if len(parts) > 1 and parts[0] == "the":
            yield "".join(parts)
            parts = parts[1:]
        whole = letters_only("".join(parts))
        yield whole
        kept = [part for part in parts if part not in kind]
        core = "".join(kept) if len(kept) < len(parts) else _without_kind(whole)
        # of Arabic we have no list that would tell a name from a word
        if len(core) >= _MIN_PART and core.isascii() and not is_word(core):
            yield core


def _retold(text: str) -> Iterator[str]:
    """A name with its words in another order, or with Arabic articles where it has none."""
    folded = _APOSTROPHE.sub("", fold([text])[0])
    parts = [part for part in _SPLIT.split(folded) if part and part not in lists().legal]
    if not parts:
        return
    telling = len("".join(parts)) >= _MIN_TURNED and min(map(len, parts)) >= _MIN_WORD
    if 2 <= len(parts) <= _MOST_TURNED and telling:
        yield from map("".join, permutations(parts))
    for word, other in _SYNONYMS:
        if word in parts:
            yield "".join(other if part == word else part for part in parts)
    if len("".join(parts)) < _MIN_RETOLD or not is_arabic("".join(parts)):
        return
    bare = [part.removeprefix("ال") if len(part) > _MIN_BARE else part for part in parts]
    yield "".join(bare)
    for i, word in enumerate(bare):
        other = word if word != parts[i] else f"ال{word}"
        yield "".join((*parts[:i], other, *parts[i + 1 :]))


def _without_kind(whole: str) -> str:
    for word in sorted(lists().kind, key=len, reverse=True):
        if whole.endswith(word) and len(word) > 2:
            return whole.removesuffix(word)
    return whole
