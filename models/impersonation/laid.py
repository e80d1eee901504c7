"""Words of a list laid end to end: found by one automaton, however many ways there are to cut."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ahocorasick_rs import AhoCorasick, MatchKind

MAX_CHARS = 40  # of a text that is taken apart
LONGEST = 15  # letters of a word that is looked for


class Laid:
    """Finds the words of a list inside of text, and texts made of them alone.

    Parameters
    ----------
    words : iterable of str
        Those of more than 15 letters are left out.
    joints : iterable of str, optional
        Those of the words that may be a part of a longer text; all where it is not given.

    Examples
    --------
    >>> laid = Laid(["help", "desk", "helpdesk", "uk"])
    >>> laid.makes("helpdeskuk"), laid.makes("helpdeskus")
    (True, False)
    >>> list(laid.spans("helpdesk"))
    [(0, 4), (0, 8), (4, 8)]
    """

    def __init__(self, words: Iterable[str], joints: Iterable[str] | None = None) -> None:
        listed = list(dict.fromkeys(word for word in words if 0 < len(word) <= LONGEST))
        self._find = AhoCorasick(listed or ["\0"], matchkind=MatchKind.Standard)
        joining = None if joints is None else frozenset(joints)
        self._joins = [joining is None or word in joining for word in listed or ["\0"]]

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where words begin and end in a text."""
        for _, start, end in self._find.find_matches_as_indexes(text, overlapping=True):
            yield start, end

    def makes(self, text: str) -> bool:
        """Whether words, laid end to end, make the text; one of more than 40 letters is not."""
        if len(text) > MAX_CHARS:
            return False
        reached = {0}  # up to where words lead; the automaton tells of them by where they end
        for which, start, end in self._find.find_matches_as_indexes(text, overlapping=True):
            if start in reached and self._joins[which]:
                reached.add(end)
        return len(text) in reached
