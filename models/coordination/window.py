"""A day of one brand's mentions by what they share: near-duplicate texts, links, hashtags, media.

A mention is held alone until a second one shares something with it; then the shared thing becomes
a `Trace`.  Memory is bounded by ``capacity`` mentions, whatever is sent.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from models.coordination.pace import Pace
from models.coordination.traces import Key, Words, hash64, keys_of
from models.records import Float32, Mention, UInt32
from models.vocabulary import Vocabulary

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
MOST_ACCOUNTS = 2000  # of a trace; more are counted
MOST_QUOTES = 1000  # of a trace
_WITH_LINK_BITS = 8.0  # what a link or an image adds to what a text tells
_LEAST_BITS = 30.0  # a text that tells less is written twice by chance
_LEAST_COMMON, _MOST_BITS = 20.0, 8.0
_SAME = 0.7
_CASCADE = 8  # accounts, from which reposts are worth a look of their own
_ALIKE = 0.4  # of what two texts tell, how much they must share
_SAMPLE_CHARS = 280
_TURN = 32  # texts, after which what was noted becomes known


@dataclass(slots=True)
class Account:
    """Who posted, as far as the platform tells."""

    shown: str
    handle: str | None
    created_ms: int | None
    held: int = 0

    @property
    def numbered(self) -> bool:
        """Whether its handle ends in a row of digits."""
        handle = self.handle or ""
        return len(handle) > 4 and handle[-4:].isdigit()


class Quote(NamedTuple):
    """A mention as evidence."""

    id: str
    account: int
    at_ms: int
    text: str
    repost: bool


@dataclass(slots=True)
class Joined:
    """What an account did with a trace.

    ``copies`` are posts of its own, not reposts; ``alike`` is how much the likest of these has in
    common with the first, of all that the two tell.
    """

    first_ms: int
    last_ms: int
    times: int = 0
    copies: int = 0
    alike: float = 0.0


class Text(NamedTuple):
    """A text: its words, how much each tells, and keys of near-duplicates if it tells enough."""

    words: UInt32
    bits: Float32
    bands: Sequence[int]


@dataclass(slots=True)
class Trace:
    """Something that several mentions share."""

    kind: str  # text, link, tag, tags, media, repost, reply
    hash: int
    shown: str
    first_ms: int
    last_ms: int
    text: Text | None = None  # the first of near-duplicates
    link: int | None = None  # of a text: the one link that all mentions carry
    mentions: int = 0
    missed: int = 0
    joined: dict[int, Joined] = field(default_factory=dict)
    quotes: list[Quote] = field(default_factory=list)
    changes: int = 0
    oldest_ms: int = 0  # before which no account did its last
    told: int = -1  # as amplified, after how many changes
    reading: tuple[int, object] | None = None  # of what is computed of it, after how many changes

    def join(self, held: Held, alike: float = 1.0) -> float:
        """Take in a mention; how much that adds to what there is to look at."""
        self.mentions += 1
        self.changes += 1
        self.oldest_ms = min(self.oldest_ms, held.quote.at_ms)
        self.first_ms = min(self.first_ms, held.quote.at_ms)
        self.last_ms = max(self.last_ms, held.quote.at_ms)
        if self.kind == "text" and held.link != self.link:
            self.link = None
        quote, weight = held.quote, 0.0
        mine = self.joined.get(quote.account)
        if mine is None:
            if len(self.joined) >= MOST_ACCOUNTS:
                self.missed += 1
                return 0.0
            mine = self.joined[quote.account] = Joined(quote.at_ms, quote.at_ms)
            own = self.kind == "text" and not quote.repost
            weight = 1.0 if own or len(self.joined) >= _CASCADE else 0.1
        if len(self.quotes) < MOST_QUOTES:
            self.quotes.append(quote)
        mine.first_ms = min(mine.first_ms, quote.at_ms)
        mine.last_ms = max(mine.last_ms, quote.at_ms)
        mine.times += 1
        if not quote.repost:
            mine.copies += 1
            mine.alike = max(mine.alike, alike)
        return weight if len(self.joined) > 1 else 0.0

    def ends_with(self, held: Held) -> bool:
        """Whether nothing came after this mention."""
        return self.last_ms <= held.quote.at_ms

    def forget(self, before_ms: int) -> None:
        """Drop accounts that have done nothing since."""
        if self.oldest_ms < before_ms:
            kept = {a: j for a, j in self.joined.items() if j.last_ms >= before_ms}
            self.changes += len(kept) != len(self.joined)
            self.joined = kept
            self.oldest_ms = min((j.last_ms for j in kept.values()), default=self.last_ms)


@dataclass(slots=True)
class Held:
    """A mention in the window."""

    quote: Quote
    text: Text
    keys: tuple[int, ...]
    link: int | None
    trace: Trace | None = None  # of its text


class Chances(NamedTuple):
    """Pairs of texts that were held at the same time, and those of them that met: near-duplicates.

    Counted from the beginning.
    """

    at_ms: int
    pairs: int
    met: int


class TraceWindow:
    """Traces of one brand, of the latest ``span_ms`` and at most ``capacity`` mentions."""

    def __init__(self, span_ms: int = DAY_MS, capacity: int = 8192) -> None:
        self.span_ms = span_ms
        self.accounts: dict[int, Account] = {}
        self.numbered = 0  # accounts whose handle ends in a row of digits
        self.now_ms = 0
        self.pace = Pace(span_ms)
        self._seen = 0
        self._capacity = capacity
        self._held: deque[Held] = deque()
        self._vocabulary = Vocabulary()
        self._bands: dict[int, Held] = {}
        self._keys: dict[int, Held | Trace] = {}
        self._shared: dict[int, Trace] = {}
        self.texts = 0  # held, that tell enough to be compared
        self._chances = deque([Chances(0, 0, 0)], maxlen=capacity)

    def __len__(self) -> int:
        return len(self._held)

    def keys_held(self) -> int:
        """How many keys are remembered, of texts and of other things."""
        return len(self._bands) + len(self._keys) + len(self._shared)

    def chances(self, at_ms: int) -> Chances:
        """How many pairs of texts were near-duplicates until then, of how many."""
        at = bisect_left(self._chances, at_ms, key=lambda c: c.at_ms)
        return self._chances[max(at - 1, 0)]

    def traces_held(self) -> int:
        """How many things are shared, by two mentions and more."""
        return len(self._shared)

    def times_ms(self) -> list[int]:
        """When what is held was published, ascending."""
        return sorted(held.quote.at_ms for held in self._held)

    def traces(self) -> Iterator[Trace]:
        """What at least two accounts share."""
        before_ms = self.now_ms - self.span_ms
        for trace in self._shared.values():
            trace.forget(before_ms)
            if len(trace.joined) > 1:
                yield trace

    def add(self, mentions: Sequence[Mention], words: Words) -> Iterator[float]:
        """Hold mentions one by one; after each, how much more there is to look at."""
        at_ms = [int(m.published_at.timestamp() * 1000) for m in mentions]
        first = 0
        while first < len(mentions):
            last = min(len(mentions), first + _TURN - self._seen % _TURN)
            low, high = words.starts[first], words.starts[last]
            bits = self._vocabulary.bits(words.hashes[low:high], words.bits[low:high])
            sums = np.concatenate([[0], np.cumsum(bits, dtype=np.float64)])
            at = words.starts[first : last + 1] - low
            tells = np.diff(sums[at]).tolist()
            for row in range(first, last):
                own = slice(at[row - first], at[row - first + 1])
                read = Text(words.hashes[low:high][own], bits[own], words.bands[row].tolist())
                self.now_ms = max(self.now_ms, at_ms[row])
                self.pace.count(at_ms[row])
                yield self._add(mentions[row], at_ms[row], read, tells[row - first])
            self._seen += last - first
            if self._seen % _TURN == 0:
                self._vocabulary.turn()
            first = last

    def _add(self, mention: Mention, at_ms: int, read: Text, tells: float) -> float:
        self._drop()
        account = self._account(mention, at_ms)
        if account is None:
            return 0.0
        keys = keys_of(mention)
        quote = Quote(
            mention.id, account, at_ms, mention.text[:_SAMPLE_CHARS], mention.kind == "repost"
        )
        link = next((key.hash for key in keys if key.kind == "link"), None)
        more = _WITH_LINK_BITS if link or mention.media else 0.0
        # of a repost that says of what, the text tells nothing more
        if tells + more < _LEAST_BITS or mention.repost_of:
            read = Text(read.words, read.bits, ())
        held = Held(quote, read, tuple(key.hash for key in keys), link)
        weight = self._share_text(held) if read.bands else 0.0
        if held.trace is None:
            self._vocabulary.learn(read.words)
        for key in keys:
            weight += self._share_key(key, held)
        self._held.append(held)
        return weight

    def _account(self, mention: Mention, at_ms: int) -> int | None:
        author = mention.author
        name = author and (author.id or author.handle)
        if not author or not name:
            return None
        key = hash64(f"{mention.platform}|{name}")
        known = self.accounts.get(key)
        if known is None:
            created = author.created_at
            known = self.accounts[key] = Account(
                name,
                author.handle,
                int(created.timestamp() * 1000) if created else None,
            )
            self.numbered += known.numbered
        known.held += 1
        return key

    def _share_text(self, held: Held) -> float:
        best, most = self._likest(held.text)
        for band in held.text.bands:
            self._bands[band] = held
        last = self._chances[-1]
        same = len(best.trace.joined) if best and best.trace else int(best is not None)
        self._chances.append(Chances(self.now_ms, last.pairs + self.texts, last.met + same))
        self.texts += 1
        if best is None:
            return 0.0
        if best.trace is None:
            key = hash64(f"text|{best.quote.id}|{best.quote.account}|{best.quote.at_ms}")
            at_ms = best.quote.at_ms
            best.trace = Trace("text", key, best.quote.text, at_ms, at_ms, best.text, best.link)
            best.trace.join(best)
            self._shared[key] = best.trace
        held.trace = best.trace
        return held.trace.join(held, most)

    def _likest(self, text: Text) -> tuple[Held | None, float]:
        """The near-duplicate that has most in common with a text, and how much that is."""
        found = {id(h): h for h in map(self._bands.get, text.bands) if h is not None}
        best, most = None, 0.0
        mine: dict[int, float] = {}
        for other in found.values():
            if _equal(text, other.text):
                return other, 1.0
            mine = mine or _weighed(text)
            alike = _alike(mine, other.text)
            first = other.trace.text if other.trace is not None else None
            if first is not None and alike < _SAME:
                # a chain of changes would join what is different
                alike = _alike(mine, first)
            if alike > most:
                best, most = other, alike
        return best, most

    def _share_key(self, key: Key, held: Held) -> float:
        known = self._keys.get(key.hash)
        if known is None:
            self._keys[key.hash] = held
            return 0.0
        if isinstance(known, Held):
            at_ms = known.quote.at_ms
            trace = Trace(key.kind, key.hash, key.shown, at_ms, at_ms)
            trace.join(known)
            self._keys[key.hash] = self._shared[key.hash] = known = trace
        return known.join(held)

    def _drop(self) -> None:
        """Let go of what is older than the window or beyond its capacity."""
        before_ms = self.now_ms - self.span_ms
        held, bands = self._held, self._bands
        while held and (held[0].quote.at_ms < before_ms or len(held) >= self._capacity):
            gone = held.popleft()
            self.texts -= bool(gone.text.bands)
            for band in gone.text.bands:
                if bands.get(band) is gone:
                    del bands[band]
            for key in gone.keys:
                known = self._keys.get(key)
                if known is gone or (isinstance(known, Trace) and known.ends_with(gone)):
                    del self._keys[key]
                    self._shared.pop(key, None)
            if gone.trace is not None and gone.trace.ends_with(gone):
                self._shared.pop(gone.trace.hash, None)
            account = self.accounts[gone.quote.account]
            account.held -= 1
            if not account.held:
                self.numbered -= account.numbered
                del self.accounts[gone.quote.account]


def _equal(one: Text, other: Text) -> bool:
    """Whether two texts have the same words; most that have not differ in a band."""
    return one.bands == other.bands and np.array_equal(one.words, other.words)


def _weighed(text: Text) -> dict[int, float]:
    return dict(zip(text.words.tolist(), text.bits.tolist()))


def _alike(mine: dict[int, float], text: Text) -> float:
    """How much of what two texts tell they share, or 0 if they are not near-duplicates."""
    other = _weighed(text)
    both = mine.keys() & other.keys()
    if len(both) * _MOST_BITS < _LEAST_COMMON:
        return 0.0
    common = sum(min(mine[word], other[word]) for word in both)
    every = sum(mine.values()) + sum(other.values()) - common
    return common / every if common >= max(_LEAST_COMMON, _ALIKE * every) else 0.0
