"""What is seen around a brand, as signals: rumours, groups, and what is said in a window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from models.buckets import BUCKET_MS
from models.coordination.posts import KEPT_HOURS, LOOK_MS, SAMPLE, PostStore
from models.counts import CumulativeCounts
from models.detector import HOUR_MS, MINUTE_MS, Finding
from models.lookout import Sight
from models.narratives.heard import Listener, beginning
from models.narratives.narrative import Pace
from models.records import SIGHTS, SOURCE_SILENT, Brand, Evidence, NarrativeRecord, Signal
from models.terms import Terms, Topics

UNSPLIT = (SOURCE_SILENT, *SIGHTS)  # kinds of signals whose figure no group accounts for
_KEPT_MS = KEPT_HOURS * HOUR_MS
_USUAL_H = 18
BUCKET_MIN = BUCKET_MS // MINUTE_MS


class Narrated:
    """What is being said in the window of a signal.

    Parameters
    ----------
    brands : sequence of Brand
    posts : PostStore
    pace : callable
        A brand's pace until a time.
    """

    def __init__(
        self, brands: Sequence[Brand], posts: PostStore, pace: Callable[[int, int], Pace]
    ) -> None:
        self._brands = brands
        self._posts = posts
        self._pace = pace
        self._final: dict[int, tuple[int, Listener]] = {}

    def told(self, f: Finding, start_ms: int, final_ms: int) -> tuple[NarrativeRecord, ...]:
        """Narratives of a window; while an episode goes on, once for each half hour that is final.

        Parameters
        ----------
        f : Finding
        start_ms : int
            Of the window.
        final_ms : int
            Before this nothing is added any more.
        """
        if f.phase == "weak" or f.kind in UNSPLIT:
            return ()
        if f.phase == "fired":
            return self._listen(f.brand, (f.minute + 1) * MINUTE_MS).told(start_ms)
        until_ms = final_ms // LOOK_MS * LOOK_MS
        known = self._final.get(f.brand)
        if known is None or known[0] != until_ms:
            known = self._final[f.brand] = until_ms, self._listen(f.brand, until_ms)
        return known[1].told(start_ms)

    def _listen(self, brand: int, until_ms: int) -> Listener:
        since_ms = until_ms - _KEPT_MS
        posts = self._posts.sample(brand, since_ms, until_ms)
        pace = self._pace(brand, since_ms)
        return Listener(posts, self._brands[brand], pace, since_ms, until_ms)


def pace_before(counts: CumulativeCounts, brand: int, since_ms: int, known_h: float) -> Pace:
    """How much was said of a brand, as far as a sample would hold it.

    Parameters
    ----------
    counts : CumulativeCounts
        Mentions by minute.
    brand : int
    since_ms : int
        The end.
    known_h : float
        Hours of history at the end of the sample that begins then.
    """
    edges = since_ms // MINUTE_MS - 1 - BUCKET_MIN * np.arange(6 * _USUAL_H, -1, -1)
    bins = np.diff(counts.total(edges, np.full(len(edges), brand))).astype(np.int64)  # may wrap
    known_ms = int(min(max(known_h - KEPT_HOURS, 0.0), _USUAL_H) * HOUR_MS)
    return beginning(since_ms - known_ms, np.minimum(bins, SAMPLE), BUCKET_MS, since_ms)


def sighted(
    signal: Signal,
    sight: Sight,
    evidence: tuple[Evidence, ...],
    terms: Terms,
    topics: Topics,
    usual: Sequence[str],
    own: frozenset[str],
) -> Signal:
    """A signal of the hour as one of what was seen in it.

    Parameters
    ----------
    signal : Signal
        What is counted in the hour.
    sight : Sight
    evidence : tuple of Evidence
        Of what was seen.
    usual : sequence of str
        What else is said about the brand.
    own : frozenset of str
        Words of the brand's names.
    """
    posts, rumour, group = sight.posts, sight.rumour, sight.group
    texts = posts.texts()
    about = rumour.terms if rumour else tuple(terms.top(texts, usual, own))
    negative = round(float(posts.negative.mean()), 4) if len(posts) else None
    return msgspec.structs.replace(
        signal,
        score=sight.score,
        authors=sight.accounts,
        reach=int(posts.rows["reach"].sum()),
        languages=dict(sorted(Counter(posts.languages()).items())),
        terms=about,
        topics=topics.shares(texts),
        evidence=evidence,
        narratives=(rumour,) if rumour else (),
        groups=(group,) if group else (),
        coordinated_share=round(sight.share, 4) if group else None,
        told_share=round(sight.share, 4),
        told_negative=negative,
    )
