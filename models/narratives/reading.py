"""From mentions to posts of narratives: informative words, shared things, sources and stance."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple
from zlib import crc32

import numpy as np

from models.coordination.accounts import name_of
from models.coordination.traces import canonical_link, links_of
from models.narratives.claims import shipped_claims
from models.narratives.clusters import Vector, key_word
from models.narratives.narrative import Post
from models.records import Brand, Mention, UInt32
from models.text import normalise_one
from models.tokens import PLAIN_BITS, Tokens, tokens_of
from models.vocabulary import Vocabulary

_TURN = 32  # texts, after which new words become known
_LEAST_WORD_BITS = 3.0  # words of one text in eight or more are no topic
_LINK_BITS, _TAG_BITS, _NUMBER_BITS = 8.0, 6.0, 5.0
_MOST_KEYS = 16
_SAMPLE_CHARS = 280
_NUMBER = re.compile(r"(?<![\w@/=.#])\d[\d.,٬٫]{2,14}\d(?!\w)")
_TAG = re.compile(r"#(\w+)")
_YEARS = range(1900, 2101)


class Columns(NamedTuple):
    """What is known of each mention of a batch, beside the mention."""

    languages: Sequence[str]
    negative: Sequence[bool] | None
    own: Sequence[bool] | None


class Read(NamedTuple):
    """A mention as it was read; ``keys`` are links, hashtags and numbers with what they tell."""

    mention: Mention
    post: Post
    words: UInt32
    keys: dict[int, float]


class PostReader:
    """Reads the mentions of one brand.

    Parameters
    ----------
    brand : Brand, optional
        Whose names tell nothing, and whose domains are official.
    news : sequence of str
        Hosts of news that are taken for a source.

    Attributes
    ----------
    ignored : frozenset of str
        Words of the brand's names.
    """

    def __init__(self, brand: Brand | None, news: Sequence[str]) -> None:
        names = [*brand.names, *brand.keywords, *brand.handles] if brand else []
        self.ignored = frozenset(w for n in names for w in normalise_one(n).split())
        self.vocabulary = Vocabulary()
        self._names = np.unique(tokens_of(names).hashes)
        self._domains = tuple(d.lower() for d in brand.domains) if brand else ()
        self._news = tuple(host.lower() for host in news)
        self._claims = shipped_claims()
        self._seen = 0

    def read(self, mentions: Sequence[Mention], columns: Columns, tokens: Tokens) -> Iterator[Read]:
        """Each mention with what it says; words count as new until the turn is over."""
        stances = self._claims.stances(tokens).tolist()
        for row, words, vector in self._vectors(tokens):
            yield self._post(mentions[row], row, columns, stances[row], words, vector)

    def _vectors(self, tokens: Tokens) -> Iterator[tuple[int, UInt32, Vector]]:
        """Each text's row, its words but for plain ones, and its vector."""
        once = tokens.distinct(tokens.bits > PLAIN_BITS)
        starts, first, count = once.starts.tolist(), 0, len(once)
        while first < count:
            last = min(count, first + _TURN - self._seen % _TURN)
            low, high = starts[first], starts[last]
            hashes = once.hashes[low:high]
            bits = self.vocabulary.bits(hashes, once.bits[low:high])
            keep = (bits >= _LEAST_WORD_BITS) & ~np.isin(hashes, self._names)
            words, weights = hashes[keep].tolist(), bits[keep].tolist()
            kept = np.concatenate([[0], np.cumsum(keep)])[once.starts[first : last + 1] - low]
            at = kept.tolist()
            for i, row in enumerate(range(first, last)):
                part = slice(at[i], at[i + 1])
                own = once.hashes[starts[row] : starts[row + 1]]
                yield row, own, Vector(words[part], weights[part])
            self._seen += last - first
            if self._seen % _TURN == 0:
                self.vocabulary.turn()
            first = last

    def _post(
        self,
        mention: Mention,
        row: int,
        columns: Columns,
        stance: int,
        words: UInt32,
        vector: Vector,
    ) -> Read:
        author, account = mention.author, name_of(mention) or ""
        own = columns.own is not None and bool(columns.own[row])
        links = [canonical_link(link) for link in links_of(mention)]
        official, news, keys = self._sources(links)
        _add_keys(mention.text, keys)
        post = Post(
            mention.id,
            mention.platform,
            account,
            _hash32(f"{mention.platform}|{account}"),
            author.handle if author else None,
            author.followers if author else None,
            int(mention.published_at.timestamp() * 1000),
            mention.text[:_SAMPLE_CHARS],
            columns.languages[row],
            stance,
            None if columns.negative is None else bool(columns.negative[row]),
            own or official,
            news or mention.platform == "news",
            words.tobytes(),
            vector,
            own,
        )
        return Read(mention, post, words, keys)

    def _sources(self, links: list[str]) -> tuple[bool, bool, dict[int, float]]:
        """Whether links lead to the brand, and to known news; those that do not lead to it."""
        official = news = False
        keys: dict[int, float] = {}
        for link in links:
            host = link.partition("/")[0].partition("?")[0]
            if _on(host, self._domains):
                official = True
            else:
                news = news or _on(host, self._news)
                if len(keys) < _MOST_KEYS:
                    keys[key_word(_hash32(link))] = _LINK_BITS
        return official, news, keys


def _add_keys(text: str, keys: dict[int, float]) -> None:
    """Add the hashtags and numbers of a text."""
    if "#" in text:
        for tag in _TAG.findall(text)[:_MOST_KEYS]:
            keys[key_word(_hash32("#" + tag.lower()))] = _TAG_BITS
    for written in _NUMBER.findall(text)[:_MOST_KEYS]:
        number = int("".join(filter(str.isdecimal, written)))  # digits of any script
        if number >= 1000 and number not in _YEARS:
            keys[key_word(_hash32(str(number)))] = _NUMBER_BITS


def _hash32(text: str) -> int:
    return crc32(text.encode("utf-8", "replace")) * 0x9E3779B1 & 0xFFFFFFFF


def _on(host: str, domains: Sequence[str]) -> bool:
    return any(host == domain or host.endswith("." + domain) for domain in domains)
