"""A thing that several mentions share, and what each account did with it."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from msgspec import Struct

from models.coordination.text import Text

MOST_ACCOUNTS = 2000  # of a trace; more are counted
MOST_QUOTES = 8192  # of a trace, as many as a window holds
# what is kept of an account: who, when it shared the thing first and last, how often, how often as
# a post of its own, and how much the likest of these has in common with the first, in millionths
# of all that the two tell
ACCOUNT, FIRST_MS, LAST_MS, TIMES, COPIES, ALIKE = range(6)
WIDTH = 6
WHOLE = 1_000_000
_CASCADE = 8  # accounts, from which reposts are worth a look of their own


class Quote(Struct, frozen=True, gc=False):
    """A mention as evidence."""

    id: str
    account: int
    at_ms: int
    text: str
    repost: bool


@dataclass(slots=True, eq=False)
class Trace:
    """Something that several mentions share.

    Attributes
    ----------
    joined : dict
        Where in ``rows`` what an account did begins.
    rows : array of int
        ``WIDTH`` figures for each account.
    """

    kind: str  # text, link, tag, tags, media, repost, reply
    hash: int
    shown: str
    first_ms: int
    last_ms: int
    text: Text | None = None  # the first of near-duplicates
    link: int | None = None  # of a text: the one link that all mentions carry
    mentions: int = 0
    missed: int = 0
    joined: dict[int, int] = field(default_factory=dict)
    rows: array[int] = field(default_factory=lambda: array("q"))
    quotes: list[Quote] = field(default_factory=list)
    changes: int = 0
    oldest_ms: int = 0  # before which no account did its last
    bucket: int | None = None  # of `Ages`
    told: int = -1  # as amplified, after how many changes
    chance: float = 1.0  # of its copies, when they were last asked about
    number: int = 0  # in the order of their making
    held: bool = True  # in the window
    known: bool = False  # to have been looked at
    copiers: list[int] = field(default_factory=list)  # entries that are posts of their own, by time

    def join(self, quote: Quote, alike: float = 1.0) -> float:
        """Take in a mention; how much that adds to what there is to look at."""
        at_ms = quote.at_ms
        self.mentions += 1
        self.changes += 1
        if at_ms > self.last_ms:
            self.last_ms = at_ms
        elif at_ms < self.oldest_ms or at_ms < self.first_ms:
            self.oldest_ms = min(self.oldest_ms, at_ms)
            self.first_ms = min(self.first_ms, at_ms)
        count, at = len(self.joined), self.joined.get(quote.account)
        if at is None and count >= MOST_ACCOUNTS:
            self.missed += 1
            return 0.0
        if len(self.quotes) < MOST_QUOTES:
            self.quotes.append(quote)
        likeness = 0 if quote.repost else round(alike * WHOLE)
        if at is None:
            self.note(quote.account, at_ms, 1, int(not quote.repost), likeness)
            if not count:
                return 0.0
            own = self.kind == "text" and not quote.repost
            return 1.0 if own or count >= _CASCADE - 1 else 0.1
        rows = self.rows
        if at_ms > rows[at + LAST_MS]:
            rows[at + LAST_MS] = at_ms
        elif at_ms < rows[at + FIRST_MS]:
            rows[at + FIRST_MS] = at_ms
        rows[at + TIMES] += 1
        if not quote.repost:
            rows[at + COPIES] += 1
            rows[at + ALIKE] = max(rows[at + ALIKE], likeness)
        return 0.0

    def note(self, account: int, at_ms: int, times: int, copies: int = 0, alike: int = 0) -> None:
        """Add an account, and what it did."""
        self.joined[account] = len(self.rows)
        self.rows.extend((account, at_ms, at_ms, times, copies, alike))

    def ends_with(self, at_ms: int) -> bool:
        """Whether nothing came after this moment."""
        return self.last_ms <= at_ms

    def forget(self, before_ms: int) -> bool:
        """Drop accounts that have done nothing since; whether there were any."""
        last_ms = self.rows[LAST_MS::WIDTH]
        self.oldest_ms = min(last_ms, default=self.last_ms)
        if self.oldest_ms >= before_ms:
            return False
        rows, self.rows, self.joined = self.rows, array("q"), {}
        for at in range(0, len(rows), WIDTH):
            if rows[at + LAST_MS] >= before_ms:
                self.joined[rows[at + ACCOUNT]] = len(self.rows)
                self.rows += rows[at : at + WIDTH]
        self.changes += 1
        self.oldest_ms = min(self.rows[LAST_MS::WIDTH], default=self.last_ms)
        return True
