"""Stage 1: from mentions to observations; stateless, in micro-batches.

Brands, language and sentiment are found over whole batches of code points; sentiment is computed
only for mentions that are about a brand.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.impersonation.findings import Suspect
from models.impersonation.suspects import SuspectFinder, mention_key, profile
from models.language import LANGUAGES, detect
from models.matcher import BrandMatcher
from models.records import LABELS, Brand, Float32, Judgement, Mention, Observations
from models.sentiment.predictor import Sentiment, predict
from models.text import CodeBatch, normalise

_NEGATIVE, _NEUTRAL, _POSITIVE = range(3)
_SURE = 0.5  # one doubtful text, reposted a thousand times, must not look like a crisis
# what a review's stars say outweighs what a model reads in its words
_BY_RATING = {
    _NEGATIVE: (0.90, 0.08, 0.02),
    _NEUTRAL: (0.20, 0.60, 0.20),
    _POSITIVE: (0.02, 0.08, 0.90),
}


class ScoreStage:
    """Finds what mentions are about, in which language, and how they speak.

    Parameters
    ----------
    brands : sequence of Brand
        Their order gives the brand indices of the observations.
    sentiment : Predictor or TextPredictor
    """

    def __init__(self, brands: Sequence[Brand], sentiment: Sentiment) -> None:
        self._matcher = BrandMatcher(brands)
        self._suspects = SuspectFinder(brands)
        self._sentiment = sentiment
        self._own_handles = [frozenset(h.casefold() for h in b.handles) for b in brands]
        self._own_accounts = [
            frozenset((a.platform.casefold(), a.id) for a in b.accounts) for b in brands
        ]

        # tables are built at first use: now, not at the first mention
        predict(sentiment, ["."], normalise(["."]))
        detect(normalise(["."]))

    def score(self, mentions: Sequence[Mention]) -> Observations:
        """One observation for each brand that a mention is about, or a suspect of, in order."""
        batch = normalise([m.text for m in mentions])
        matches = self._matcher.match(batch, [m.links for m in mentions])
        pairs = list(zip(matches.row.tolist(), matches.brand.tolist()))
        suspects = self._find_suspects(mentions)
        passing = suspects.keys() - set(pairs) if suspects else set()
        if passing:
            pairs = sorted([*pairs, *passing])
        row, brand = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
        rows, position = np.unique(row, return_inverse=True)
        about = [mentions[i] for i in rows.tolist()]
        part = batch if len(about) == len(mentions) else batch.take(rows)
        probabilities = self._probabilities(part, about)
        languages = detect(part)
        found = [about[i] for i in position.tolist()]
        published = [round(m.published_at.timestamp() * 1000) for m in about]
        keys = [mention_key(m.platform, m.id) for m in about]
        own = np.array([self._is_own(b, m) for b, m in zip(brand.tolist(), found)], dtype=bool)
        told = {i: suspects[pair] for i, pair in enumerate(pairs) if pair in suspects}
        for i in np.flatnonzero(own).tolist():
            if (shown := profile(found[i])) is not None:
                told[i] = (shown,)
        return Observations(
            brand=brand,
            published_ms=np.array(published, dtype=np.int64)[position],
            key=np.array(keys, dtype=np.uint64)[position],
            platform=[m.platform for m in found],
            label=_labels(probabilities)[position],
            negative=probabilities[position, _NEGATIVE],
            positive=probabilities[position, _POSITIVE],
            reach=np.array([_reach(m) for m in about], dtype=np.int64)[position],
            own=own | np.array([pair in passing for pair in pairs], dtype=bool) if passing else own,
            lang=[LANGUAGES[languages[i]] for i in position.tolist()],
            mention=found,
            suspects=told,
        )

    def relist(self, added: Sequence[Judgement]) -> None:
        """Take other allow and block lists beside those of the brands; from any thread."""
        self._suspects.relist(added)

    def _find_suspects(
        self, mentions: Sequence[Mention]
    ) -> dict[tuple[int, int], tuple[Suspect, ...]]:
        """Authors and links that resemble a brand, by index of the mention and the brand."""
        found: dict[tuple[int, int], tuple[Suspect, ...]] = {}
        for i, suspects in self._suspects.find_many(mentions).items():
            for brand, suspect in suspects:
                if not self._is_own(brand, mentions[i]):
                    found[i, brand] = (*found.get((i, brand), ()), suspect)
        return found

    def _probabilities(self, batch: CodeBatch, mentions: Sequence[Mention]) -> Float32:
        if not mentions:
            return np.empty((0, len(LABELS)), dtype=np.float32)
        # stars outweigh words: a model that is dear need not read those that have them
        texts = [m.text if m.rating is None else "" for m in mentions]
        probabilities = predict(self._sentiment, texts, batch)
        for i, mention in enumerate(mentions):
            if mention.rating is not None:
                stars = mention.rating
                label = _NEGATIVE if stars <= 2 else _POSITIVE if stars >= 4 else _NEUTRAL
                probabilities[i] = _BY_RATING[label]
        return probabilities

    def _is_own(self, brand: int, mention: Mention) -> bool:
        author = mention.author
        if author is None:
            return False
        if author.handle and author.handle.removeprefix("@").casefold() in self._own_handles[brand]:
            return True
        return (mention.platform.casefold(), author.id) in self._own_accounts[brand]


def _labels(probabilities: Float32) -> npt.NDArray[np.int8]:
    """The likeliest label; but what is not more likely negative than not is not counted so."""
    milder = np.argmax(probabilities[:, 1:], axis=1) + 1
    return np.where(probabilities[:, _NEGATIVE] >= _SURE, _NEGATIVE, milder).astype(np.int8)


def _reach(mention: Mention) -> int:
    """How many may have seen it: views where the platform counts them, else followers."""
    views = mention.engagement.views if mention.engagement else 0
    followers = (mention.author.followers or 0) if mention.author else 0
    return min(max(views, followers), 1 << 40)
