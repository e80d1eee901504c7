"""A day of one brand's mentions by what they share: near-duplicate texts, links, hashtags, media.

A mention is held alone until a second one shares something with it; then the shared thing becomes
a `Trace`.  Of a mention that has nothing to share only its account and its time are kept.  Memory
is bounded by ``capacity`` mentions, whatever is sent.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

import numpy as np

from models.coordination.accounts import Account, Accounts, name_of
from models.coordination.ages import Ages
from models.coordination.copies import Copies
from models.coordination.held import Held
from models.coordination.pace import Pace
from models.coordination.sharing import Sharing
from models.coordination.text import Text
from models.coordination.trace import Trace
from models.coordination.traces import Key, Words, hash64, keys_of
from models.records import Float32, Mention
from models.vocabulary import Vocabulary

DAY_MS = 86_400_000
_WITH_LINK_BITS = 8.0  # what a link or an image adds to what a text tells
_LEAST_BITS = 30.0  # a text that tells less is written twice by chance
_SAMPLE_CHARS = 280
_NEVER_MS = -1 << 62
_NO_KEYS: tuple[int, ...] = ()
_NO_BITS: Float32 = np.empty(0, dtype=np.float32)
# mentions, after which what was noted becomes known, and from how many on
_TURNS = ((32, 0), (64, 256), (128, 1024))


class TraceWindow:
    """Traces of one brand, of the latest ``span_ms`` and at most ``capacity`` mentions.

    Attributes
    ----------
    accounts : Accounts
        Who posted what is held.
    texts : int
        Texts held that tell enough to be compared.
    """

    def __init__(self, span_ms: int = DAY_MS, capacity: int = 8192) -> None:
        self.span_ms = span_ms
        self.accounts = Accounts()
        self.now_ms = 0
        self.pace = Pace(span_ms)
        self._seen = 0
        self._capacity = capacity
        self._held: deque[Held | Account] = deque()  # an account, of what has nothing to share
        self._at_ms = array("q", [_NEVER_MS]) * capacity  # of what is held, in a ring
        self._next = self._oldest = 0  # in the ring
        self._vocabulary = Vocabulary()
        self._copies = Copies(capacity)
        self._keys: dict[int, Held | Trace] = {}
        self._shared: dict[int, Trace] = {}
        self._changed: dict[Trace, None] = {}  # since the last look
        self._ages = Ages()
        self._sharing = Sharing()
        self._made = 0  # traces
        self.texts = 0
        # when, and until then how many pairs of texts there were, and how many near-duplicates
        self._chances = deque([(0, 0, 0)], maxlen=capacity)

    def __len__(self) -> int:
        return len(self._held)

    def keys_held(self) -> int:
        """How many keys are remembered, of texts and of other things."""
        return len(self._copies) + len(self._keys) + len(self._shared)

    def chances(self, at_ms: int) -> tuple[int, int]:
        """How many pairs of texts that were held at the same time there were until then.

        Returns
        -------
        (pairs, met)
            From the beginning; those that met were near-duplicates.
        """
        at = bisect_left(self._chances, at_ms, key=itemgetter(0))
        return self._chances[max(at - 1, 0)][1:]

    def traces_held(self) -> int:
        """How many things are shared, by two mentions and more."""
        return len(self._shared)

    def published(self, first_ms: int, last_ms: int) -> int:
        """How many of the mentions held were published then, the last moment included."""
        at_ms = np.frombuffer(self._at_ms, dtype=np.int64)
        return int(np.count_nonzero((at_ms >= first_ms) & (at_ms <= last_ms)))

    def sharing(self) -> Sharing:
        """What at least two accounts share, brought up to date."""
        before_ms = self.now_ms - self.span_ms
        for trace in self._ages.before(before_ms):
            if trace.forget(before_ms):
                self._changed[trace] = None
            self._ages.put(trace)
        self._sharing.update(self._changed)
        self._changed = {}
        return self._sharing

    def add(self, mentions: Sequence[Mention], words: Words) -> Iterator[float]:
        """Hold mentions one by one; after each, how much more there is to look at."""
        first = 0
        while first < len(mentions):
            turn = max(many for many, seen in _TURNS if seen <= self._seen)
            last = min(len(mentions), first + turn - self._seen % turn)
            yield from self._turn(mentions[first:last], words, first)
            self._seen += last - first
            if self._seen % turn == 0:
                self._vocabulary.turn()
            first = last

    def _turn(self, mentions: Sequence[Mention], words: Words, first: int) -> Iterator[float]:
        """Hold mentions between which nothing is learnt."""
        names = [name_of(mention) for mention in mentions]
        keyed = [keys_of(mention) for mention in mentions]
        tells, read = self._texts(words, first, first + len(mentions))
        telling = [
            row
            for row, mention in enumerate(mentions)
            if names[row] and _telling(mention, keyed[row], tells[row])
        ]
        texts = dict(zip(telling, map(read, telling)))
        if texts:
            self._copies.read(list(texts.values()), words.bands[first:][telling])
        new = bytearray(len(mentions))  # which of them say what nobody said
        capacity, held = self._capacity, self._held
        for row, mention in enumerate(mentions):
            at_ms = int(mention.published_at.timestamp() * 1000)
            if at_ms > self.now_ms:
                self.now_ms = at_ms
            self.pace.count(at_ms)
            if held and (
                len(held) >= capacity or self._at_ms[self._oldest] < self.now_ms - self.span_ms
            ):
                self._drop()
            name = names[row]
            if not name:
                yield 0.0
                continue
            account = self.accounts.posting(mention, name)
            keys, said, weight = keyed[row], texts.get(row), 0.0
            if keys or said is not None:
                one = _held(mention, account, at_ms, keys, said)
                weight = self._share(one, keys)
                new[row] = one.trace is None
                held.append(one)
            else:
                new[row] = True
                held.append(account)
            self._at_ms[self._next] = at_ms
            self._next = (self._next + 1) % capacity
            yield weight
        self._learn(words, first, new)

    def _learn(self, words: Words, first: int, new: bytearray) -> None:
        """Take note of what the new ones of some texts say."""
        at = words.starts[first : first + len(new) + 1]
        hashes, many = words.hashes[at[0] : at[-1]], sum(new)
        if len(hashes) and many < len(new):
            hashes = hashes[np.frombuffer(new, np.bool_).repeat(at[1:] - at[:-1])]
        self._vocabulary.learn(hashes, many)

    def _texts(
        self, words: Words, first: int, last: int
    ) -> tuple[list[float], Callable[[int], Text]]:
        """How much each of some texts tells, and what reads one of them, by its place."""
        starts = words.starts[first : last + 1]
        hashes = words.hashes[starts[0] : starts[-1]]
        bits = _NO_BITS
        if len(hashes):
            bits = self._vocabulary.bits(hashes, words.bits[starts[0] : starts[-1]])
        of = np.arange(last - first).repeat(starts[1:] - starts[:-1])
        tells = np.bincount(of, bits, last - first).tolist()
        at = (hashes.itemsize * (starts - starts[0])).tolist()
        all_words, all_bits = hashes.tobytes(), bits.tobytes()

        def read(row: int) -> Text:
            own = slice(at[row], at[row + 1])
            return Text(all_words[own], all_bits[own], tells[row])

        return tells, read

    def _share(self, held: Held, keys: Sequence[Key]) -> float:
        """Join a mention with those that share something with it; what that adds."""
        weight = 0.0 if held.said is None else self._share_text(held)
        for key, place in zip(keys, held.keys):
            known = self._keys.get(place)
            if known is None:
                self._keys[place] = held
                continue
            if isinstance(known, Held):
                trace = self._trace(key.kind, key.hash, key.shown, known)
                self._keys[place] = self._shared[place] = known = trace
            weight += self._join(known, held)
        return weight

    def _share_text(self, held: Held) -> float:
        best, most = self._copies.hold(held)
        _, pairs, met = self._chances[-1]
        same = len(best.trace.joined) if best and best.trace else int(best is not None)
        self._chances.append((self.now_ms, pairs + self.texts, met + same))
        self.texts += 1
        if best is None:
            return 0.0
        trace = best.trace
        if trace is None:
            first = best.quote()
            key = hash64(f"text|{first.id}|{first.account}|{first.at_ms}|{first.text}")
            self._end(key)  # of another mention that claims to be the same
            trace = best.trace = self._shared[key] = self._trace("text", key, first.text, best)
            trace.text, trace.link = best.said, best.link
        held.trace = trace
        if held.link != trace.link:
            trace.link = None
        return self._join(trace, held, most)

    def _trace(self, kind: str, known: int, shown: str, first: Held) -> Trace:
        """A new trace, with the first that left it."""
        at_ms = first.at_ms
        self._made += 1
        trace = Trace(kind, known, shown, at_ms, at_ms, oldest_ms=at_ms, number=self._made)
        self._ages.put(trace)
        self._join(trace, first)
        return trace

    def _join(self, trace: Trace, held: Held, alike: float = 1.0) -> float:
        self.accounts.share(held.account)
        late = held.at_ms < trace.oldest_ms
        weight = trace.join(held.quote(), alike)
        if trace.held:  # a text that came late may lead to one that was let go
            self._changed[trace] = None
            if late:
                self._ages.put(trace)
        return weight

    def _drop(self) -> None:
        """Let go of what is older than the window or beyond its capacity."""
        before_ms, capacity = self.now_ms - self.span_ms, self._capacity
        held, times_ms, oldest = self._held, self._at_ms, self._oldest
        while held and (len(held) >= capacity or times_ms[oldest] < before_ms):
            at_ms = times_ms[oldest]
            times_ms[oldest] = _NEVER_MS
            oldest = (oldest + 1) % capacity
            gone = held.popleft()
            if isinstance(gone, Held):
                self._let_go(gone, at_ms)
                gone = gone.account
            self.accounts.let_go(gone, at_ms >= before_ms)
        self._oldest = oldest

    def _let_go(self, gone: Held, at_ms: int) -> None:
        if gone.said is not None:
            self.texts -= 1
            self._copies.let_go()
        for key in gone.keys:
            known = self._keys.get(key)
            if known is gone:  # alone until now
                del self._keys[key]
            elif isinstance(known, Trace) and known.ends_with(at_ms):
                del self._keys[key]
                self._end(key)
        trace = gone.trace
        if trace is not None and trace.held and trace.ends_with(at_ms):
            self._end(trace.hash)

    def _end(self, key: int) -> None:
        """Let go of a trace that nothing held has left."""
        trace = self._shared.pop(key, None)
        if trace is not None:
            trace.held = False
            self._ages.remove(trace)
            if trace.known:
                self._changed[trace] = None
            else:
                self._changed.pop(trace, None)


def _telling(mention: Mention, keys: Sequence[Key], tells: float) -> bool:
    """Whether a text tells enough; of a repost that says of what, it tells nothing more."""
    if tells + _WITH_LINK_BITS < _LEAST_BITS or mention.repost_of:
        return False
    return tells >= _LEAST_BITS or bool(mention.media) or any(key.kind == "link" for key in keys)


def _held(
    mention: Mention, account: Account, at_ms: int, keys: Sequence[Key], said: Text | None
) -> Held:
    hashes, link = _NO_KEYS, None
    if keys:
        # no attacker can foresee these, and they are never kept beyond this process
        hashes = tuple(map(hash, keys))
        for key, known in zip(keys, hashes):
            if key.kind == "link":
                link = known
                break
    text = mention.text if len(mention.text) <= _SAMPLE_CHARS else mention.text[:_SAMPLE_CHARS]
    repost = mention.kind == "repost"
    return Held(mention.id, account, at_ms, text, repost, hashes, link, said)
