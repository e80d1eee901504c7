"""A day of one brand's mentions by what they share: near-duplicate texts, links, hashtags, media.

A mention is held alone until a second one shares something with it; then the shared thing becomes
a `Trace`.  Memory is bounded by ``capacity`` mentions, whatever is sent.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from models.coordination.pace import Pace
from models.coordination.trace import Quote, Text, Trace
from models.coordination.traces import Key, Words, hash64, keys_of
from models.records import Mention
from models.vocabulary import Vocabulary

DAY_MS = 86_400_000
_WITH_LINK_BITS = 8.0  # what a link or an image adds to what a text tells
_LEAST_BITS = 30.0  # a text that tells less is written twice by chance
_LEAST_COMMON, _MOST_BITS = 20.0, 8.0
_SAME = 0.7
_ALIKE = 0.4  # of what two texts tell, how much they must share
_SAMPLE_CHARS = 280
_NEVER_MS = -1 << 62
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
        self._at_ms = array("q", [_NEVER_MS]) * capacity  # of what is held, in a ring
        self._count = 0  # of all that was held
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

    def published(self, first_ms: int, last_ms: int) -> int:
        """How many of the mentions held were published then, the last moment included."""
        at_ms = np.frombuffer(self._at_ms, dtype=np.int64)
        return int(np.count_nonzero((at_ms >= first_ms) & (at_ms <= last_ms)))

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
        self._at_ms[self._count % self._capacity] = at_ms
        self._count += 1
        return weight

    def _account(self, mention: Mention, at_ms: int) -> int | None:
        author = mention.author
        name = author and (author.id or author.handle)
        if not author or not name:
            return None
        key = hash64(f"{mention.platform}|{name}") >> 1
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
            best.trace = Trace(
                "text", key, best.quote.text, at_ms, at_ms, best.text, best.link, oldest_ms=at_ms
            )
            best.trace.join(best.quote)
            self._shared[key] = best.trace
        held.trace = best.trace
        if held.link != held.trace.link:
            held.trace.link = None
        return held.trace.join(held.quote, most)

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
            trace = Trace(key.kind, key.hash, key.shown, at_ms, at_ms, oldest_ms=at_ms)
            trace.join(known.quote)
            self._keys[key.hash] = self._shared[key.hash] = known = trace
        return known.join(held.quote)

    def _drop(self) -> None:
        """Let go of what is older than the window or beyond its capacity."""
        before_ms = self.now_ms - self.span_ms
        held, bands = self._held, self._bands
        while held and (held[0].quote.at_ms < before_ms or len(held) >= self._capacity):
            self._at_ms[(self._count - len(held)) % self._capacity] = _NEVER_MS
            gone = held.popleft()
            self.texts -= bool(gone.text.bands)
            for band in gone.text.bands:
                if bands.get(band) is gone:
                    del bands[band]
            for key in gone.keys:
                known = self._keys.get(key)
                if known is gone or (
                    isinstance(known, Trace) and known.ends_with(gone.quote.at_ms)
                ):
                    del self._keys[key]
                    self._shared.pop(key, None)
            if gone.trace is not None and gone.trace.ends_with(gone.quote.at_ms):
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
