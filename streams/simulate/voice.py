"""What is said about one brand, and by whom: columns for given times and moods."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from streams.simulate import rows as r
from streams.simulate.data import load
from streams.simulate.lexicon import SLOT_SIZE, Lexicon, lexicon
from streams.simulate.people import Population
from streams.simulate.rows import FloatArray, IntArray, Rows
from streams.simulate.spec import SimBrand, digest

SOCIAL, FORMAL = 0, 1  # registers
LINKS = ("", "/help", "/offers", "/news/142")  # entry 0: no link
NEWS_LINK = 4
_LIKES = 0.02
_LOW_STARS = np.array([1, 3, 4])  # by sentiment
_ONE_MORE = np.array([0.3, 0.0, 0.7])
_DELAY_MEDIAN_S, _DELAY_SIGMA = 900.0, 1.2
_FEW_REPOST = 0.15  # shape of the negative binomial: the smaller, the fewer posts draw reposts


@dataclass(frozen=True, slots=True)
class Shares:
    """A categorical distribution that is drawn from in bulk."""

    cumulative: FloatArray

    @classmethod
    def of(cls, shares: list[float]) -> Shares:
        """Normalise shares, in the order of their categories."""
        total = np.cumsum(np.asarray(shares, np.float64))
        return cls(total / total[-1])

    def draw(self, rng: np.random.Generator, n: int) -> IntArray:
        """Return ``n`` categories."""
        return np.searchsorted(self.cumulative, rng.random(n), side="right")


@dataclass(frozen=True, slots=True)
class _Habits:
    """The traffic section of scenarios.yaml as distributions."""

    platforms: dict[bool, Shares]  # by: social platforms only
    kinds: list[Shares]
    styles: Shares
    countries: Shares
    arabic: float
    posts_on_x: float  # share of the organic mentions that can be reposted

    @classmethod
    def load(cls) -> _Habits:
        traffic = load("scenarios")["traffic"]
        by_name = [traffic[key] for key in ("platforms", "social")]
        platforms = [[names.get(p, 0.0) for p in r.PLATFORMS] for names in by_name]
        kinds = [[traffic["kinds"][p].get(k, 0.0) for k in r.KINDS] for p in r.PLATFORMS]
        return cls(
            platforms={False: Shares.of(platforms[0]), True: Shares.of(platforms[1])},
            kinds=[Shares.of(shares) for shares in kinds],
            styles=Shares.of(traffic["styles"]),
            countries=Shares.of([0.55, *(0.45 * v for v in traffic["countries"].values())]),
            arabic=traffic["arabic"],
            posts_on_x=traffic["platforms"]["x"] * traffic["kinds"]["x"]["post"],
        )


class Voice:
    """Composes the mentions of one brand.

    Parameters
    ----------
    brand : SimBrand
    people : Population
    """

    def __init__(self, brand: SimBrand, people: Population) -> None:
        self.brand = brand
        self.people = people
        self._lexicon: Lexicon = lexicon()
        self._habits = _Habits.load()
        self._shift = digest("regulars", brand.id) % 1_000_003
        self._seq = 0

    def number(self, rows: Rows) -> None:
        """Give each row its number within the brand."""
        rows["seq"] = np.arange(self._seq, self._seq + len(rows))
        self._seq += len(rows)

    def compose(
        self,
        rng: np.random.Generator,
        times_s: IntArray,
        sentiment: IntArray,
        *,
        topic: str = "organic",
        label: str = "organic",
        social: bool = False,
    ) -> Rows:
        """Return a mention for each time.

        Parameters
        ----------
        rng : numpy.random.Generator
        times_s : int64[n]
            Sorted.
        sentiment : int64[n]
            Index into `rows.SENTIMENTS`.
        topic : str
            Which texts; ``organic`` also brings the news.
        label : str
            One of `rows.LABELS`.
        social : bool
            Social platforms only, no reviews and no news.
        """
        n = len(times_s)
        rows = np.zeros(n, r.ROW)
        rows["t"] = rows["arrive"] = times_s
        rows["label"] = r.LABEL_CODE[label]
        rows["parent"] = r.NO_PARENT
        rows["lang"] = rng.random(n) >= self._habits.arabic
        rows["platform"] = self._habits.platforms[social].draw(rng, n)
        rows["sentiment"] = sentiment
        news = rows["platform"] == r.NEWS
        if topic == "organic":
            rows["sentiment"][news] = r.SENTIMENTS.index("neutral")
        else:
            rows["platform"][news] = r.X
            news[:] = False
        rows["author"] = self.author(rng, rows)
        rows["country"] = self._habits.countries.draw(rng, n)
        self._say(rng, rows, topic)
        self._say_news(rng, rows, news)
        self._relate(rng, rows)
        self._count(rng, rows)
        self.number(rows)
        return rows

    def author(self, rng: np.random.Generator, rows: Rows) -> IntArray:
        """Draw an author for each row, of its platform and language."""
        return self.people.draw(rng, rows["platform"], rows["lang"], self._shift)

    def say(self, rng: np.random.Generator, rows: Rows, topic: str) -> None:
        """Replace what the rows say by texts on another topic, in the same mood."""
        rows["template"] = self._lexicon.templates(
            topic, rows["lang"], rows["sentiment"], 0, self._bits(rng, len(rows))
        )

    def tags(self) -> int:
        """Return how many common hashtags there are; a brand's own follow them."""
        return len(self._lexicon.tags)

    def template(self, topic: str, lang: Any, sentiment: int, style: Any, number: Any) -> IntArray:
        """Return one template's index, in each given spelling."""
        return self._lexicon.templates(topic, lang, sentiment, style, number)

    def _bits(self, rng: np.random.Generator, n: int) -> IntArray:
        return rng.integers(0, 2**31, n)

    def _say(self, rng: np.random.Generator, rows: Rows, topic: str) -> None:
        n = len(rows)
        style = self._habits.styles.draw(rng, n)
        lang, sentiment = rows["lang"], rows["sentiment"]
        draw = self._bits(rng, n)
        rows["template"] = self._lexicon.templates(topic, lang, sentiment, style, draw)
        rows["slot_a"], rows["slot_b"], rows["name"] = rng.integers(0, SLOT_SIZE, (3, n))
        social = rows["platform"] <= r.FACEBOOK
        rows["register"] = np.where(social, SOCIAL, FORMAL)
        for column, share in (("opener", 0.45), ("closer", 0.40), ("emoji", 0.28), ("tag", 0.12)):
            draw = self._bits(rng, n)
            value = self._lexicon.decor(column, lang, sentiment, draw)
            shown = rng.random(n) < share
            if column == "tag":
                shown &= social
            rows[column] = np.where(shown, value, 0)
        if topic in ("organic", "holiday"):
            linked = social & (rng.random(n) < 0.06)
            rows["link"] = np.where(linked, 1 + draw % (len(LINKS) - 1), 0)

    def _say_news(self, rng: np.random.Generator, rows: Rows, news: npt.NDArray[np.bool_]) -> None:
        """News outlets write headlines, with a link and without decoration."""
        if not news.any():
            return
        told = rows[news]
        self.say(rng, told, "news")
        for column in ("opener", "closer", "emoji", "tag"):
            told[column] = 0
        told["link"] = NEWS_LINK
        rows[news] = told

    def _relate(self, rng: np.random.Generator, rows: Rows) -> None:
        """Choose kinds, and whom a reply or quote answers: the brand, or an earlier mention."""
        n = len(rows)
        kinds = np.zeros(n, np.int64)
        draw = rng.random(n)
        for platform, shares in enumerate(self._habits.kinds):
            mine = rows["platform"] == platform
            kinds[mine] = np.searchsorted(shares.cumulative, draw[mine], side="right")
        rows["kind"] = kinds
        answers = kinds == r.REPLY
        to_brand = answers & (rng.random(n) < 0.7)
        rows["parent"][to_brand] = r.OFFICIAL
        rows["prefix"][to_brand & (rows["platform"] == r.X)] = r.PREFIX_BRAND
        earlier = (rng.random(n) * np.arange(n)).astype(np.int64)
        rest = (answers & ~to_brand) | (kinds == r.QUOTE)
        rest &= (np.arange(n) > 0) & (rows["platform"][earlier] == rows["platform"])
        rows["kind"][((kinds == r.QUOTE) | answers) & ~to_brand & ~rest] = r.POST
        chosen = np.flatnonzero(rest)
        # numbers are given next, in order, so a parent's is known already
        rows["parent"][chosen] = self._seq + earlier[chosen]
        rows["parent_class"][chosen] = r.classes(rows)[earlier[chosen]]
        rows["parent_author"][chosen] = rows["author"][earlier[chosen]]
        rows["prefix"][rest & answers & (rows["platform"] == r.X)] = r.PREFIX_PARENT

    def _count(self, rng: np.random.Generator, rows: Rows) -> None:
        n = len(rows)
        reviews = rows["kind"] == r.REVIEW
        stars = _LOW_STARS[rows["sentiment"]] + (rng.random(n) < _ONE_MORE[rows["sentiment"]])
        rows["rating"] = np.where(reviews, stars, 0)
        views = rng.lognormal(4.5, 1.5, n).astype(np.int64)
        rows["views"] = np.where(reviews, 0, np.minimum(views, 5_000_000))
        rows["likes"] = (rows["views"] * (_LIKES * 2 * rng.random(n))).astype(np.int64)

    def amplify(self, rng: np.random.Generator, rows: Rows, mean: float, at_most: int) -> Rows:
        """Return reposts of the posts on x, some minutes to hours later.

        Parameters
        ----------
        rng : numpy.random.Generator
        rows : Rows
        mean : float
            Mean number of reposts of a mention, on all platforms.
        at_most : int
            No post draws more.
        """
        posts = rows[(rows["platform"] == r.X) & (rows["kind"] == r.POST)]
        of_post = mean / self._habits.posts_on_x
        chance = _FEW_REPOST / (_FEW_REPOST + of_post)
        counts = rng.negative_binomial(_FEW_REPOST, chance, len(posts))
        parents = np.repeat(posts, np.minimum(counts, at_most))
        delay = rng.lognormal(np.log(_DELAY_MEDIAN_S), _DELAY_SIGMA, len(parents))
        return self.repost(rng, parents, parents["t"] + 1 + delay.astype(np.int64))

    def repost(self, rng: np.random.Generator, parents: Rows, times_s: IntArray) -> Rows:
        """Return one repost of each parent, by people drawn from the population."""
        made = parents.copy()
        made["t"] = made["arrive"] = times_s
        r.repeat_text(made, parents)
        made["author"] = self.author(rng, made)
        made["views"] = made["likes"] = 0
        self.number(made)
        return made
