"""What is being said about one brand, as narratives that live across windows; which are rumours.

A narrative is topical and broader than near-duplicate text: mentions whose informative words point
the same way.  What one brand's public always says tells little (models.vocabulary.Vocabulary).
Narratives of two languages are joined where they share links, hashtags or numbers that are rare.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from math import log2
from zlib import crc32

import numpy as np

from models.claims import shipped_claims
from models.clusters import Clusters, Vector, key_word
from models.narrative import HOUR_MS, Narrative, Pace, Post
from models.records import Brand, Mention, UInt32
from models.rumour import look, worth_a_look
from models.text import normalise_one
from models.tokens import PLAIN_BITS, Tokens, tokens_of
from models.traces import canonical_link, hash64, links_of
from models.vocabulary import Vocabulary

CAPACITY = 160  # narratives, of which most are of a single mention
LEAST_MENTIONS, LEAST_ACCOUNTS = 5, 3  # of a narrative that is told
_SLACK = 1.25
_TURN = 32  # texts, after which new words become known
_LEAST_WORD_BITS = 3.0  # words of one text in eight or more are no topic
_LEAST_BITS = 8.0  # a text that tells less has no topic
_LINK_BITS, _TAG_BITS, _NUMBER_BITS = 8.0, 6.0, 5.0
_COMMON = 8  # clusters, from which a link, hashtag or number joins nobody
_JOIN_SHARE, _JOIN_LEAST = 0.3, 2
_SETTLE = frozenset((3, 8, 24, 64, 128))  # mentions, after which a narrative is compared again
_SAME = 0.9  # cosine from which a text is said again
_LEARN_FIRST = 8  # texts, after which a narrative teaches a word again when it has doubled
_GROWN, _GROWN_EVERY = 16, 4  # texts, after which each fourth is enough to follow a narrative
_REMEMBERED = 2048  # mentions of a generation, whose reposts and replies are known
_FADE_H = 12.0  # an idle narrative loses half of its standing
_SAMPLE_CHARS = 280
_NUMBER = re.compile(r"(?<![\w@/=.#])\d[\d.,٬٫]{2,14}\d(?!\w)")
_TAG = re.compile(r"#(\w+)")
_YEAR = range(1900, 2101)


class Narratives:
    """Narratives of one brand, in one pass over its mentions.

    Parameters
    ----------
    brand : Brand, optional
        Whose names tell nothing, and whose accounts and domains are official.
    news : iterable of str
        Hosts of news that are taken for a source.
    capacity : int
        How many narratives are held, those of a single mention included.

    Attributes
    ----------
    dropped : int
        Narratives that were told and then let go, because there were too many.
    passed : int
        Others that were let go: what one or two people said.
    without : int
        Mentions that say too little to have a topic.
    ignored : frozenset of str
        Words of the brand's names, which tell nothing of a topic.

    Examples
    --------
    >>> Narratives().narratives
    []
    """

    def __init__(
        self, brand: Brand | None = None, news: Sequence[str] = (), capacity: int = CAPACITY
    ) -> None:
        if capacity < 1:
            raise ValueError(f"capacity={capacity}: expected at least 1")
        self.now_ms = 0
        self.dropped = self.passed = self.without = 0
        self.pace: Pace | None = None
        self.clusters = Clusters(int(_SLACK * capacity) + 1)
        self._news = tuple(host.lower() for host in news)
        self._domains = tuple(d.lower() for d in brand.domains) if brand else ()
        names = [*brand.names, *brand.keywords, *brand.handles] if brand else []
        self.ignored = frozenset(w for n in names for w in normalise_one(n).split())
        self._names = np.unique(tokens_of(names).hashes)
        self._claims = shipped_claims()
        self._vocabulary = Vocabulary()
        self._capacity = capacity
        self._seen = 0
        self._of: dict[int, Narrative] = {}  # by cluster
        self._where: dict[int, int] = {}  # cluster by mention, of two generations
        self._older: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.clusters)

    def remembered(self) -> int:
        """Of how many mentions it is known which narrative they belong to."""
        return len(self._where) + len(self._older)

    @property
    def narratives(self) -> list[Narrative]:
        """Those that several accounts tell, in the order of their first mention."""
        every = {id(n): n for n in self._of.values() if _told(n)}
        return sorted(every.values(), key=lambda n: (n.first_ms, n.id))

    @property
    def samples(self) -> list[str]:
        """Texts of all narratives, as what is usually said."""
        every = {id(n): n for n in self._of.values()}
        return [said.post.text for n in every.values() for said in n.texts.values()]

    def observe(
        self,
        mentions: Sequence[Mention],
        languages: Sequence[str],
        negative: Sequence[bool] | None = None,
        own: Sequence[bool] | None = None,
        tokens: Tokens | None = None,
    ) -> list[Narrative]:
        """Take in mentions in order; the narratives that became rumours.

        Parameters
        ----------
        mentions : sequence of Mention
        languages : sequence of str
            One a mention, as `models.language.detect` gives them.
        negative : sequence of bool, optional
            Which are labelled negative.
        own : sequence of bool, optional
            Which the brand wrote itself.
        tokens : Tokens, optional
            Of the texts, where they are known.
        """
        tokens = tokens_of([m.text for m in mentions]) if tokens is None else tokens
        stances = self._claims.stances(tokens).tolist()
        new = []
        for row, key, words, vector in self._read(tokens):
            post, keys = self._post(
                mentions[row],
                languages[row],
                stances[row],
                None if negative is None else bool(negative[row]),
                own is not None and bool(own[row]),
                key,
                vector,
            )
            narrative = self._take(mentions[row], post, keys, words)
            if narrative is not None and self._judge(narrative):
                new.append(narrative)
        return new

    def near(self, narrative: Narrative, post: Post) -> float:
        """How near a mention is to what its narrative has become."""
        own = [number for number, n in self._of.items() if n is narrative]
        return max((self.clusters.likeness(number, post.vector) for number in own), default=0.0)

    def _read(self, tokens: Tokens) -> Iterator[tuple[int, bytes, UInt32, Vector]]:
        """Each text's row, what it says but for plain words, its words, and its vector."""
        once = tokens.distinct(tokens.bits > PLAIN_BITS)
        starts, first, count = once.starts.tolist(), 0, len(once)
        while first < count:
            last = min(count, first + _TURN - self._seen % _TURN)
            low, high = starts[first], starts[last]
            hashes = once.hashes[low:high]
            bits = self._vocabulary.bits(hashes, once.bits[low:high])
            bits = np.where(np.isin(hashes, self._names), np.float32(0), bits)
            keep = bits >= _LEAST_WORD_BITS
            words, weights = hashes[keep].tolist(), bits[keep].tolist()
            kept = np.concatenate([[0], np.cumsum(keep)])[once.starts[first : last + 1] - low]
            at = kept.tolist()
            for i, row in enumerate(range(first, last)):
                own = once.hashes[starts[row] : starts[row + 1]]
                part = slice(at[i], at[i + 1])
                yield row, own.tobytes(), own, Vector(words[part], weights[part])
            self._seen += last - first
            if self._seen % _TURN == 0:
                self._vocabulary.turn()
            first = last

    def _post(
        self,
        mention: Mention,
        language: str,
        stance: int,
        negative: bool | None,
        own: bool,
        key: bytes,
        vector: Vector,
    ) -> tuple[Post, list[int]]:
        text, author = mention.text, mention.author
        account = (author and (author.id or author.handle)) or ""
        official, news, weighed = own, mention.platform == "news", []
        for link in map(canonical_link, links_of(mention)):
            host = link.partition("/")[0].partition("?")[0]
            if _on(host, self._domains):
                official = True
            else:
                news = news or _on(host, self._news)
                weighed.append((key_word(_hash32(link)), _LINK_BITS))
        post = Post(
            mention.id,
            mention.platform,
            account,
            _hash32(f"{mention.platform}|{account}"),
            author.handle if author else None,
            author.followers if author else None,
            int(mention.published_at.timestamp() * 1000),
            text[:_SAMPLE_CHARS],
            language,
            stance,
            negative,
            official,
            news,
            key,
            vector,
            own,
        )
        return post, self._add_keys(text, weighed, vector)

    def _add_keys(self, text: str, weighed: list[tuple[int, float]], vector: Vector) -> list[int]:
        """Add links, hashtags and numbers to a vector where they are not everybody's."""
        if "#" in text:
            weighed += [
                (key_word(_hash32("#" + tag.lower())), _TAG_BITS) for tag in _TAG.findall(text)[:8]
            ]
        weighed += [
            (key_word(_hash32(number)), _NUMBER_BITS)
            for number in map(_plain_number, _NUMBER.findall(text)[:8])
            if number
        ]
        if not weighed:
            return []
        rare = {
            key: bits
            for key, bits in dict(weighed[:16]).items()
            if self.clusters.holders(key) <= _COMMON
        }
        vector.extend(rare)
        return list(rare)

    def _take(
        self, mention: Mention, post: Post, keys: list[int], words: UInt32
    ) -> Narrative | None:
        self.now_ms = max(self.now_ms, post.at_ms)
        if self.pace is None:
            self.pace = Pace(post.at_ms)
        self.pace.add(post.at_ms)
        number = self._known(mention.platform, mention.repost_of)
        if number is None:
            number = self._place(post, words)
        if number is None:
            number = self._known(mention.platform, mention.in_reply_to)
        if number is None:
            if sum(post.vector.weights) < _LEAST_BITS or post.own:
                self.without += 1
                return None
            self._vocabulary.learn(words)
            number = self.clusters.open(post.vector)
            key = hash64(f"{post.platform}|{post.id}")
            self._of[number] = Narrative(f"n-{key:016x}", Pace(post.at_ms), post.at_ms)
        narrative = self._of[number]
        narrative.add(post)
        narrative.note(keys)
        self._remember(mention, number)
        self._settle(number)
        return narrative

    def _place(self, post: Post, words: UInt32) -> int | None:
        """The cluster that a text belongs to by what it says; the text becomes part of it."""
        number, near = self.clusters.nearest(post.vector)
        if number is None:
            return None
        if near < _SAME and not post.own:
            size = self.clusters.size(number)
            # what one narrative repeats must not pass for what everybody says
            every = self._of[number].mentions
            if size < _LEARN_FIRST or every & (every - 1) == 0:
                self._vocabulary.learn(words)
            if size < _GROWN or every % _GROWN_EVERY == 0:
                self.clusters.add(number, post.vector)
        return number

    def _settle(self, number: int) -> None:
        """Merge what has become alike, join what is the same story, let go of the smallest."""
        narrative = self._of[number]
        count = narrative.mentions
        if count in _SETTLE or count % 256 == 0:
            other = self.clusters.alike(number)
            if other is not None:
                self._merge(number, other)
            self._join(narrative)
        if len(self.clusters) > _SLACK * self._capacity:
            self._let_go()

    def _merge(self, number: int, other: int) -> None:
        into, gone = self._of[number], self._of[other]
        self.clusters.merge(number, other)
        del self._of[other]
        if into is gone:
            into.clusters -= 1
        else:
            self._unite(into, gone)
            self._of[number].clusters -= 1

    def _unite(self, one: Narrative, other: Narrative) -> None:
        """Go on as one narrative, under the name of the older."""
        into, gone = sorted((one, other), key=lambda n: (n.first_ms, n.id))
        into.absorb(gone)
        for number, narrative in self._of.items():
            if narrative is gone:
                self._of[number] = into

    def _join(self, narrative: Narrative) -> None:
        """Join a narrative of another language that has the same rare link, hashtag or number."""
        for key in [k for k, n in narrative.keys.items() if _typical(n, narrative)]:
            if self.clusters.holders(key) > _COMMON:
                continue
            for other in list(self._of.values()):
                if (
                    other is not narrative
                    and _typical(other.keys.get(key, 0), other)
                    and _language(other) != _language(narrative)
                ):
                    self._unite(narrative, other)
                    return

    def _let_go(self) -> None:
        """Forget the narratives that are small and have been idle for long."""

        def standing(number: int) -> tuple[float, int]:
            narrative = self._of[number]
            idle_h = (self.now_ms - narrative.last_ms) / HOUR_MS
            return log2(1 + narrative.mentions) - idle_h / _FADE_H, number

        newest = int((_SLACK - 1) * self._capacity)  # these have had no time to grow
        order = sorted(sorted(self._of)[: len(self._of) - newest], key=standing)
        for number in order[: len(self._of) - self._capacity]:
            narrative = self._of.pop(number)
            self.clusters.remove(number)
            narrative.clusters -= 1
            if not narrative.clusters:
                told = _told(narrative)
                self.dropped += told
                self.passed += not told

    def _judge(self, narrative: Narrative) -> bool:
        if narrative.mentions < narrative.next_look or self.pace is None:
            return False
        narrative.next_look = narrative.mentions + max(2, narrative.mentions // 7)
        if not worth_a_look(narrative):
            return False
        return look(narrative, self.pace, self.now_ms)

    def _remember(self, mention: Mention, number: int) -> None:
        self._where[hash64(f"{mention.platform}|{mention.id}")] = number
        if mention.repost_of:
            self._where[hash64(f"{mention.platform}|{mention.repost_of}")] = number
        if len(self._where) >= _REMEMBERED:
            self._older, self._where = self._where, {}

    def _known(self, platform: str, mention_id: str | None) -> int | None:
        """The cluster of a mention that is answered or reposted."""
        if not mention_id:
            return None
        key = hash64(f"{platform}|{mention_id}")
        number = self._where.get(key)
        if number is None:
            number = self._older.get(key)
        return number if number in self._of else None


def _told(narrative: Narrative) -> bool:
    return narrative.mentions >= LEAST_MENTIONS and narrative.accounts.count >= LEAST_ACCOUNTS


def _typical(count: int, narrative: Narrative) -> bool:
    return count >= max(_JOIN_LEAST, _JOIN_SHARE * narrative.mentions)


def _language(narrative: Narrative) -> str:
    return max(narrative.languages, key=lambda name: (narrative.languages[name], name))


def _hash32(text: str) -> int:
    return crc32(text.encode("utf-8", "replace")) * 0x9E3779B1 & 0xFFFFFFFF


def _on(host: str, domains: Sequence[str]) -> bool:
    return any(host == domain or host.endswith("." + domain) for domain in domains)


def _plain_number(written: str) -> str:
    """Digits of a number that says something: no year, ASCII whatever the script."""
    digits = "".join(str(int(d)) for d in written if d.isdecimal())
    return "" if len(digits) < 4 or int(digits) in _YEAR else digits
