"""How many edits lead from one word to another."""

from __future__ import annotations


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
    a, b = _where_they_differ(a, b)
    if not a or not b:
        return len(a) + len(b)
    if limit == 1:  # they begin and end unlike: one letter is another, or two are swapped
        return 1 if len(a) == len(b) == 1 or (len(a) == 2 and a == b[::-1]) else 2
    far = limit + 1
    if len(set(a).difference(b)) > limit:  # an edit takes away one letter at most
        return far
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        row = [i] + [far] * len(b)
        for j in range(max(1, i - limit), min(len(b), i + limit) + 1):  # all else is farther
            y = b[j - 1]
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (x != y))
            if i > 1 and j > 1 and x == b[j - 2] and a[i - 2] == y:
                cost = min(cost, before[j - 2] + 1)
            row[j] = cost
        if min(row) > limit:
            return far
        before, last = last, row
    return min(last[-1], far)


def _where_they_differ(a: str, b: str) -> tuple[str, str]:
    """Both words without what they begin and end with in common."""
    start, most = 0, min(len(a), len(b))
    while start < most and a[start] == b[start]:
        start += 1
    end = 0
    while end < most - start and a[-1 - end] == b[-1 - end]:
        end += 1
    return a[start : len(a) - end], b[start : len(b) - end]
