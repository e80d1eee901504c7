"""Stage 1: from mentions to observations; stateless, in micro-batches.

Brands, language and sentiment are found over whole batches of code points; sentiment is computed
only for mentions that are about a brand.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from models.language import LANGUAGES, detect
from models.matcher import BrandMatcher
from models.records import LABELS, Brand, Float32, Mention, Observations
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
        self._sentiment = sentiment
        self._own_handles = [frozenset(h.casefold() for h in b.handles) for b in brands]
        self._own_accounts = [
            frozenset((a.platform.casefold(), a.id) for a in b.accounts) for b in brands
        ]

        # tables are built at first use: now, not at the first mention
        predict(sentiment, ["."], normalise(["."]))
        detect(normalise(["."]))

    def score(self, mentions: Sequence[Mention]) -> Observations:
        """One observation for each brand that a mention is about, in order."""
        batch = normalise([m.text for m in mentions])
        matches = self._matcher.match(batch, [m.links for m in mentions])
        rows, position = np.unique(matches.row.astype(np.int64), return_inverse=True)
        about = [mentions[i] for i in rows.tolist()]
        part = batch if len(about) == len(mentions) else batch.take(rows)
        probabilities = self._probabilities(part, about)
        languages = detect(part)
        brand = matches.brand.astype(np.int64)
        found = [about[i] for i in position.tolist()]
        published = [round(m.published_at.timestamp() * 1000) for m in about]
        return Observations(
            brand=brand,
            published_ms=np.array(published, dtype=np.int64)[position],
            key=np.array([_key(m) for m in about], dtype=np.uint64)[position],
            platform=[m.platform for m in found],
            label=_labels(probabilities)[position],
            negative=probabilities[position, _NEGATIVE],
            positive=probabilities[position, _POSITIVE],
            reach=np.array([_reach(m) for m in about], dtype=np.int64)[position],
            own=np.array([self._is_own(b, m) for b, m in zip(brand.tolist(), found)], dtype=bool),
            lang=[LANGUAGES[languages[i]] for i in position.tolist()],
            mention=found,
        )

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


def _key(mention: Mention) -> int:
    name = f"{mention.platform}\0{mention.id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "little")


def _reach(mention: Mention) -> int:
    """How many may have seen it: views where the platform counts them, else followers."""
    views = mention.engagement.views if mention.engagement else 0
    followers = (mention.author.followers or 0) if mention.author else 0
    return min(max(views, followers), 1 << 40)
