"""What is being said about one brand, as narratives that live across windows; which are rumours.

A narrative is topical and broader than near-duplicate text: mentions whose informative words point
the same way.  What one brand's public always says tells little (models.vocabulary.Vocabulary).
Narratives of two languages are joined where they share links, hashtags or numbers that are rare.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log2

from models.coordination.traces import hash64
from models.narratives.clusters import Clusters
from models.narratives.narrative import HOUR_MS, Narrative, Pace, Post
from models.narratives.reading import Columns, PostReader, Read
from models.narratives.rumour import look, worth_a_look
from models.records import Brand, Mention, UInt32
from models.tokens import Tokens, tokens_of

CAPACITY = 160  # narratives, of which most are of a single mention
LEAST_MENTIONS, LEAST_ACCOUNTS = 5, 3  # of a narrative that is told
_SLACK = 1.25
_LEAST_BITS = 8.0  # a text that tells less has no topic
_COMMON = 8  # clusters, from which a link, hashtag or number joins nobody
_JOIN_SHARE, _JOIN_LEAST = 0.3, 2
_SETTLE = frozenset((3, 8, 24, 64, 128))  # mentions, after which a narrative is compared again
_LOOSE = 0.4  # cosine below which the place of what is reposted is looked for anew
_SAME = 0.9  # cosine from which a text is said again
_LEARN_FIRST = 8  # texts, after which a narrative teaches a word again when it has doubled
_GROWN, _GROWN_EVERY = 16, 4  # texts, after which each fourth is enough to follow a narrative
_REMEMBERED = 2048  # mentions of a generation, whose reposts and replies are known
_FADE_H = 12.0  # an idle narrative loses half of its standing


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
    pace : Pace, optional
        What is known of the brand's mentions before the first one here.
    since_ms : int, optional
        When the mentions given here begin, where ``pace`` knows of earlier ones.

    Attributes
    ----------
    dropped : int
        Narratives that were told and then let go, because there were too many.
    passed : int
        Others that were let go: what one or two people said.
    without : int
        Mentions that say too little to have a topic.

    Examples
    --------
    >>> Narratives().narratives
    []
    """

    def __init__(
        self,
        brand: Brand | None = None,
        news: Sequence[str] = (),
        capacity: int = CAPACITY,
        *,
        pace: Pace | None = None,
        since_ms: int | None = None,
    ) -> None:
        if capacity < 1:
            raise ValueError(f"capacity={capacity}: expected at least 1")
        self.now_ms = 0
        self.dropped = self.passed = self.without = 0
        self.pace = pace
        self.since_ms = since_ms
        self.clusters = Clusters(int(_SLACK * capacity) + 1)
        self._reader = PostReader(brand, news)
        self._capacity = capacity
        self._of: dict[int, Narrative] = {}  # by cluster
        self._where: dict[int, int] = {}  # cluster by mention, of two generations
        self._older: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.clusters)

    @property
    def ignored(self) -> frozenset[str]:
        """Words of the brand's names, which tell nothing of a topic."""
        return self._reader.ignored

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
        new = []
        for read in self._reader.read(mentions, Columns(languages, negative, own), tokens):
            narrative = self._take(read)
            if narrative is not None and self._judge(narrative):
                new.append(narrative)
        return new

    def holder(self, platform: str, mention_id: str) -> Narrative | None:
        """The narrative of a mention that was taken in, if it is remembered."""
        number = self._known(platform, mention_id)
        return None if number is None else self._of[number]

    def near(self, narrative: Narrative, post: Post) -> float:
        """How near a mention is to what its narrative has become."""
        own = [number for number, n in self._of.items() if n is narrative]
        return max((self.clusters.likeness(number, post.vector) for number in own), default=0.0)

    def _take(self, read: Read) -> Narrative | None:
        mention, post = read.mention, read.post
        self.now_ms = max(self.now_ms, post.at_ms)
        if self.pace is None:
            self.pace = Pace(post.at_ms)
        self.pace.add(post.at_ms)
        keys = self._rare(read)
        known = number = self._known(mention.platform, mention.repost_of)
        # what once joined a narrative loosely may belong to one that has formed since
        if known is None or self.clusters.likeness(known, post.vector) < _LOOSE:
            number = self._place(post, read.words)
            number = known if number is None else number
        if number is None:
            number = self._known(mention.platform, mention.in_reply_to)
        if number is None:
            if sum(post.vector.weights) < _LEAST_BITS or post.own:
                self.without += 1
                return None
            self._reader.vocabulary.learn(read.words)
            number = self.clusters.open(post.vector)
            key = hash64(f"{post.platform}|{post.id}")
            self._of[number] = Narrative(f"n-{key:016x}", Pace(post.at_ms), post.at_ms)
        narrative = self._of[number]
        narrative.add(post)
        narrative.note(keys)
        self._remember(mention, number)
        self._settle(number)
        return narrative

    def _rare(self, read: Read) -> list[int]:
        """Links, hashtags and numbers that are not everybody's; they become part of the vector."""
        if not read.keys:
            return []
        rare = {k: bits for k, bits in read.keys.items() if self.clusters.holders(k) <= _COMMON}
        read.post.vector.extend(rare)
        return list(rare)

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
                self._reader.vocabulary.learn(words)
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
        return look(narrative, self.pace, self.now_ms, self.since_ms)

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
