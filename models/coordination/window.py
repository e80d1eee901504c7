"""A day of one brand's mentions by what they share: near-duplicate texts, links, hashtags, media.

A mention is held alone until a second one shares something with it; then the shared thing becomes
a `Trace`.  Memory is bounded by ``capacity`` mentions, whatever is sent.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from models.coordination.pace import Pace
from models.coordination.text import Text
from models.coordination.trace import Quote, Trace
from models.coordination.traces import Key, Words, hash64, keys_of
from models.records import Float32, Mention, UInt32
from models.vocabulary import Vocabulary

DAY_MS = 86_400_000
_WITH_LINK_BITS = 8.0  # what a link or an image adds to what a text tells
_LEAST_BITS = 30.0  # a text that tells less is written twice by chance
_SAME = 0.7
_MOST_READ = 512  # texts that are kept ready to be compared
_SAMPLE_CHARS = 280
_NEVER_MS = -1 << 62
_NO_BITS: Float32 = np.empty(0, dtype=np.float32)
_TURN = 32  # texts, after which what was noted becomes known


class Account(Struct, eq=False, gc=False):
    """Who posted, as far as the platform tells."""

    shown: str
    handle: str | None
    created_ms: int | None
    platform: str = ""
    held: int = 0

    @property
    def numbered(self) -> bool:
        """Whether its handle ends in a row of digits."""
        handle = self.handle
        return handle is not None and len(handle) > 4 and handle[-4:].isdigit()


class Held(Struct, eq=False, gc=False):
    """A mention in the window; nothing that it holds leads back to it."""

    quote: Quote
    text: Text | None  # if it tells enough to be compared
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
        self._names: dict[tuple[str, str], int] = {}  # where an account is, by platform
        self.numbered = 0  # accounts whose handle ends in a row of digits
        self.now_ms = 0
        self.pace = Pace(span_ms)
        self._seen = 0
        self._capacity = capacity
        self._held: deque[Held] = deque()
        self._at_ms = array("q", [_NEVER_MS]) * capacity  # of what is held, in a ring
        self._count = 0  # of all that was held
        self._vocabulary = Vocabulary()
        self._read: deque[Text] = deque()
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
            if trace.oldest_ms < before_ms:
                trace.forget(before_ms)
            if len(trace.joined) > 1:
                yield trace

    def add(self, mentions: Sequence[Mention], words: Words) -> Iterator[float]:
        """Hold mentions one by one; after each, how much more there is to look at."""
        first = 0
        while first < len(mentions):
            last = min(len(mentions), first + _TURN - self._seen % _TURN)
            yield from self._turn(mentions[first:last], words, first)
            self._seen += last - first
            if self._seen % _TURN == 0:
                self._vocabulary.turn()
            first = last

    def _turn(self, mentions: Sequence[Mention], words: Words, first: int) -> Iterator[float]:
        """Hold mentions between which nothing is learnt."""
        at = words.starts[first : first + len(mentions) + 1]
        low, high = at[0], at[-1]
        hashes = words.hashes[low:high]
        bits = self._vocabulary.bits(hashes, words.bits[low:high]) if low < high else _NO_BITS
        tells = np.diff(np.concatenate([[0], np.cumsum(bits, dtype=np.float64)])[at - low]).tolist()
        bands = words.bands[first : first + len(mentions)].tolist()
        begins = (at - low).tolist()
        for row, mention in enumerate(mentions):
            own = slice(begins[row], begins[row + 1])
            said = hashes[own]
            at_ms = int(mention.published_at.timestamp() * 1000)
            self.now_ms = max(self.now_ms, at_ms)
            self.pace.count(at_ms)
            # of a repost that says of what, the text tells nothing more
            most = 0.0 if mention.repost_of else tells[row] + _WITH_LINK_BITS
            text = Text(said, bits[own], bands[row]) if most >= _LEAST_BITS else None
            yield self._add(mention, at_ms, said, text, tells[row])

    def _add(
        self, mention: Mention, at_ms: int, words: UInt32, text: Text | None, tells: float
    ) -> float:
        self._drop()
        account = self._account(mention)
        if account is None:
            return 0.0
        keys = keys_of(mention)
        # no attacker can foresee these, and they are never kept beyond this process
        hashes = tuple(map(hash, keys))
        quote = Quote(
            mention.id, account, at_ms, mention.text[:_SAMPLE_CHARS], mention.kind == "repost"
        )
        link = next((h for key, h in zip(keys, hashes) if key.kind == "link"), None)
        if tells < _LEAST_BITS and not (link or mention.media):
            text = None
        held = Held(quote, text, hashes, link)
        weight = self._share_text(held, text) if text is not None else 0.0
        if held.trace is None:
            self._vocabulary.learn(words)
        for key, known in zip(keys, hashes):
            weight += self._share_key(key, known, held)
        self._held.append(held)
        self._at_ms[self._count % self._capacity] = at_ms
        self._count += 1
        return weight

    def _account(self, mention: Mention) -> int | None:
        author = mention.author
        name = author and (author.id or author.handle)
        if not author or not name:
            return None
        known = self._names.get((mention.platform, name))
        if known is None:
            # in 63 bits, as traces hold it
            known = hash64(f"{mention.platform}|{name}") >> 1
            self._names[mention.platform, name] = known
            created = author.created_at
            account = self.accounts[known] = Account(
                name,
                author.handle,
                int(created.timestamp() * 1000) if created else None,
                mention.platform,
            )
            self.numbered += account.numbered
        self.accounts[known].held += 1
        return known

    def _share_text(self, held: Held, text: Text) -> float:
        best, most = self._likest(text)
        for band in text.bands:
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
        firsts: dict[int, float] = {}  # how much it has in common with the first of a trace
        for other in found.values():
            assert other.text is not None  # it has bands
            if text.equals(other.text):
                return other, 1.0
            alike = self._alike(text, other.text)
            first = other.trace.text if other.trace is not None else None
            if first is not None and alike < _SAME:
                # a chain of changes would join what is different
                if id(first) not in firsts:
                    firsts[id(first)] = self._alike(text, first)
                alike = firsts[id(first)]
            if alike > most:
                best, most = other, alike
        return best, most

    def _alike(self, text: Text, other: Text) -> float:
        for each in (text, other):
            if each.read():
                self._read.append(each)
                if len(self._read) > _MOST_READ:
                    self._read.popleft().put_away()
        return text.alike(other)

    def _share_key(self, key: Key, place: int, held: Held) -> float:
        known = self._keys.get(place)
        if known is None:
            self._keys[place] = held
            return 0.0
        if isinstance(known, Held):
            at_ms = known.quote.at_ms
            trace = Trace(key.kind, key.hash, key.shown, at_ms, at_ms, oldest_ms=at_ms)
            trace.join(known.quote)
            self._keys[place] = self._shared[place] = known = trace
        return known.join(held.quote)

    def _drop(self) -> None:
        """Let go of what is older than the window or beyond its capacity."""
        before_ms = self.now_ms - self.span_ms
        held = self._held
        while held and (len(held) >= self._capacity or held[0].quote.at_ms < before_ms):
            self._at_ms[(self._count - len(held)) % self._capacity] = _NEVER_MS
            gone = held.popleft()
            self._let_go(gone, gone.quote.at_ms)

    def _let_go(self, gone: Held, at_ms: int) -> None:
        if gone.text is not None:
            self.texts -= 1
            for band in gone.text.bands:
                if self._bands.get(band) is gone:
                    del self._bands[band]
        for key in gone.keys:
            known = self._keys.get(key)
            if known is gone or (isinstance(known, Trace) and known.ends_with(at_ms)):
                del self._keys[key]
                self._shared.pop(key, None)
        if gone.trace is not None and gone.trace.ends_with(at_ms):
            self._shared.pop(gone.trace.hash, None)
        account = self.accounts[gone.quote.account]
        account.held -= 1
        if not account.held:
            self.numbered -= account.numbered
            del self.accounts[gone.quote.account]
            del self._names[account.platform, account.shown]
