"""What is being said in a sample of a brand's latest posts: narratives, and which are rumours.

Narratives are made anew from the sample each time, as groups are (docs/adr/0015), so that nothing
depends on restarts or on how the stream was cut.  How much is usually said of the brand comes from
its counts, since the sample is only hours long.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.buckets import Sample
from models.coordination.posts import mention_of
from models.narratives.detector import Narratives
from models.narratives.narrative import Narrative, Pace
from models.narratives.record import record
from models.narratives.rumour import LINE, judge
from models.records import Bool, Brand, Int64, NarrativeRecord, UInt64
from models.terms import Terms

SHOWN = 3  # narratives of a signal
# of its fastest hour, from which a rumour is still being spread: a new one, and one that was told
SPREADING, STILL = 0.25, 0.1
MOST_MARKS = 64


@dataclass(frozen=True, slots=True)
class Heard:
    """A narrative and its posts.

    Attributes
    ----------
    found : NarrativeRecord
    rise : tuple of float
        How fast it was at its fastest, as parts of the score.
    rows : int64[n]
        Its posts in the sample.
    marks : uint64[m]
        Keys of some of its posts, by which it is known again.
    """

    found: NarrativeRecord
    rise: tuple[float, float]
    rows: Int64
    marks: UInt64


class Listener:
    """Narratives among the posts of one brand, in order of time.

    Parameters
    ----------
    posts : Sample
        By time.
    brand : Brand
    pace : Pace
        What was said of the brand before these posts.
    since_ms, until_ms : int
        The time they are from, the end not included.
    """

    def __init__(
        self, posts: Sample, brand: Brand, pace: Pace, since_ms: int, until_ms: int
    ) -> None:
        self.posts = posts
        self._terms = Terms()
        times = posts.rows["published_ms"].tolist()
        self._all = Narratives(brand, pace=pace, since_ms=since_ms)
        mentions = [mention_of(kept, at_ms) for kept, at_ms in zip(posts.mentions, times)]
        self._all.observe(mentions, posts.languages(), posts.negative.tolist())
        self._all.now_ms = max(until_ms - 1, self._all.now_ms)
        self._rows: dict[str, list[int]] = {}  # of each narrative
        for row, mention in enumerate(mentions):
            held = self._all.holder(mention.platform, mention.id)
            if held is not None:
                self._rows.setdefault(held.id, []).append(row)
        self._records: dict[str, NarrativeRecord] = {}
        self._usual = self._all.samples

    def rumours(self, known: Sequence[tuple[UInt64, tuple[float, float]]] = ()) -> list[Heard]:
        """Narratives that are rumours and still being spread.

        Parameters
        ----------
        known : sequence of (uint64[m], tuple of float)
            Marks and rise of rumours that were told: how fast they once were counts on.
        """
        found = []
        for narrative in self._all.narratives:
            rows = np.array(self._rows.get(narrative.id, []), dtype=np.int64)
            marks = marks_of(self.posts.rows["key"][rows])
            least = SPREADING
            for other, rise in known:
                if same(marks, other):
                    narrative.rise, least = max(narrative.rise, rise, key=sum), STILL
                    self._records.pop(narrative.id, None)
            pace, now_ms = narrative.pace, self._all.now_ms
            if pace.now(now_ms) < least * pace.fastest() or self._score(narrative) < LINE:
                continue
            found.append(Heard(self._record(narrative), narrative.rise, rows, marks))
        return sorted(found, key=lambda h: (-h.found.score, h.found.first_ms, h.found.id))

    def told(self, start_ms: int) -> tuple[NarrativeRecord, ...]:
        """The narratives that have been told since then: rumours first, then by how many do."""

        def importance(narrative: Narrative) -> tuple[float, int, int, str]:
            score = self._score(narrative)
            return (
                -score if score >= LINE else 0.0,
                -narrative.mentions,
                narrative.first_ms,
                narrative.id,
            )

        late = [n for n in self._all.narratives if n.last_ms >= start_ms]
        return tuple(map(self._record, sorted(late, key=importance)[:SHOWN]))

    def _score(self, narrative: Narrative) -> float:
        brand = self._all.pace or narrative.pace
        return judge(narrative, brand, self._all.now_ms, self._all.since_ms).score

    def _record(self, narrative: Narrative) -> NarrativeRecord:
        if narrative.id not in self._records:
            self._records[narrative.id] = record(narrative, self._all, self._terms, self._usual)
        return self._records[narrative.id]


def marks_of(keys: UInt64) -> UInt64:
    """The smallest of some keys: by these a set is known again."""
    marks: UInt64 = np.unique(keys)[:MOST_MARKS]
    return marks


def same(marks: UInt64, other: UInt64) -> bool:
    """Whether two sets have a third of their smallest keys in common, up to the lesser largest.

    Examples
    --------
    >>> one = np.arange(1, 65, dtype=np.uint64)
    >>> same(one, one[20:]), same(one, one + np.uint64(100))
    (True, False)
    """
    if not len(marks) or not len(other):
        return False
    full = [m[-1] for m in (marks, other) if len(m) >= MOST_MARKS]
    both = np.intersect1d(marks, other)
    if full:  # beyond it one of them was cut
        last = min(full)
        marks, other = marks[marks <= last], other[other <= last]
    return 3 * len(both) >= min(len(marks), len(other)) > 0


def beginning(first_ms: int, bins: Int64, bin_ms: int, since_ms: int) -> Pace:
    """The pace of a brand before its posts, from counts of spans that end at ``since_ms``."""
    pace = Pace(min(first_ms, since_ms))
    known: Bool = bins > 0
    for i in np.flatnonzero(known).tolist():
        pace.add(since_ms - (len(bins) - i) * bin_ms, int(bins[i]))
    return pace
