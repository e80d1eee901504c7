"""Bytes of strangers as text that can be looked at: what cannot be seen is written out."""

from __future__ import annotations

import unicodedata

_UNSEEN = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))
_MOST_MARKS = 3  # in a row; more would climb out of their line


def visible(raw: bytes, most: int = 2_000) -> str:
    r"""Bytes as text: what is no UTF-8, steers the reading order or cannot be seen as an escape.

    Parameters
    ----------
    raw : bytes
    most : int
        Bytes that are shown; an ellipsis stands for the rest.

    Examples
    --------
    >>> print(visible(b"\xff a\x00b \xe2\x80\xae"))
    \xff a\x00b \u202e
    """
    text = raw[:most].decode("utf-8", "backslashreplace")
    shown: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        unseen = (category in _UNSEEN and char not in "\n\t") or marks > _MOST_MARKS
        shown.append(char.encode("unicode_escape").decode() if unseen else char)
    return "".join(shown) + ("…" if len(raw) > most else "")
