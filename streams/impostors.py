"""The part of stage detect that watches impostors: sightings in order of arrival, signals at ticks.

A sighting counts once within a day and within the allowed lateness, like a mention, and is
remembered with whom it answers.  Signals are told at ticks of event time alone, so that how the
stream is cut into batches changes nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from models.coordination.traces import hash64
from models.dedupe import Deduplicator
from models.impersonation.findings import Suspect
from models.impersonation.sightings import SightingStore, Told
from models.kept import Kept, kept
from models.records import (
    IMPOSTOR_LINES,
    LABELS,
    Brand,
    Evidence,
    Int64,
    Observations,
    Signal,
    UInt64,
)

KINDS = {"account": "impersonation", "domain": "phishing"}
WINDOW_MIN = 24 * 60
_MINUTE_MS = 60_000
_MOST_COMPLAINTS = 1 << 22  # keys of a generation
_SEEN, _COMPLAINT = (np.uint64(hash64(word)) for word in ("sighting", "complaint"))


class Segment(NamedTuple):
    """A stretch of observations that detect folds in one go.

    ``rows`` are those of mentions that move event time, ``watermark`` its value at each of them;
    ``bad`` those rows that count as negative; a tick passes at ``rows[ticks_at[i]]``.
    """

    rows: Int64
    watermark: Int64
    before_ms: int
    bad: Int64
    ticks_at: Int64
    ticks_ms: Int64


class ImpostorWatch:
    """Impostors of a set of brands.

    Parameters
    ----------
    brands : sequence of Brand
    salt : uint64[brands]
        Makes the key of a mention one of the brand's.
    dedupe : Deduplicator
        That of the stage.
    lateness_ms : int

    Attributes
    ----------
    late : int
        Sightings that came too late to count.
    """

    def __init__(
        self, brands: Sequence[Brand], salt: UInt64, dedupe: Deduplicator, lateness_ms: int
    ) -> None:
        self._brands = brands
        self._salt = salt
        self._dedupe = dedupe
        self._lateness_ms = lateness_ms
        self.store = SightingStore(brands)
        self.complaints = Deduplicator(max_keys=_MOST_COMPLAINTS)
        self.late = 0
        self._queue: list[int] = []  # rows of a batch that have suspects, in order

    def begin(self, observations: Observations) -> None:
        """Note which rows of a batch have suspects."""
        self._queue = sorted(observations.suspects)

    def observe(self, obs: Observations, segment: Segment) -> list[tuple[int, Signal]]:
        """Fold a segment; signals with the index of the tick at which they are told."""
        told: list[tuple[int, Signal]] = []
        done = 0
        if self._queue or self.store.waits:
            for i, at in enumerate(segment.ticks_at.tolist()):
                done = self._fold(obs, segment, int(segment.rows[at]), done)
                told += [(i, s) for s in self.tell(int(segment.ticks_ms[i]))]
            done = self._fold(obs, segment, int(segment.rows[-1]) + 1, done)
        self._complain(obs, segment.bad[done:])
        return told

    def finish(self, obs: Observations, watermark_ms: int | None) -> None:
        """Fold what comes after the last row that moves event time."""
        for row in self._queue:
            now = int(obs.published_ms[row]) if watermark_ms is None else watermark_ms
            self._sight(obs, row, now)
        self._queue = []

    def tell(self, now_ms: int) -> list[Signal]:
        """Signals of a tick."""
        return [self._signal(told) for told in self.store.tell(now_ms)]

    def turn(self, now_ms: int) -> None:
        """Tell that an hour of event time is over."""
        self.complaints.turn(now_ms)
        self.store.thin(now_ms)

    # folding --------------------------------------------------------------------------------

    def _fold(self, obs: Observations, segment: Segment, upto: int, done: int) -> int:
        """Fold rows before one; how many complaints are known then."""
        while self._queue and self._queue[0] < upto:
            row = self._queue.pop(0)
            known = int(np.searchsorted(segment.bad, row))
            self._complain(obs, segment.bad[done:known])
            done = max(done, known)
            at = int(np.searchsorted(segment.rows, row, side="right")) - 1
            now = segment.before_ms if at < 0 else int(segment.watermark[at])
            self._sight(obs, row, now)
        return done

    def _complain(self, obs: Observations, rows: Int64) -> None:
        if len(rows):
            self.complaints.first_seen(obs.key[rows] ^ self._salt[obs.brand[rows]] ^ _COMPLAINT)

    def _sight(self, obs: Observations, row: int, now_ms: int) -> None:
        brand, published_ms = int(obs.brand[row]), int(obs.published_ms[row])
        if brand < 0:
            return
        if now_ms - published_ms > self._lateness_ms:
            self.late += 1
            return
        key = obs.key[row : row + 1] ^ self._salt[brand] ^ _SEEN
        if not self._dedupe.first_seen(key)[0]:
            return
        held = kept(obs.mention[row])
        post = _evidence(obs, row, held)
        for suspect in obs.suspects[row]:
            if suspect.kind == "official":
                self.store.learn(brand, suspect, published_ms)
                continue
            self.store.add(
                brand,
                suspect,
                post,
                poster=hash64(f"{held.platform}\0{held.author_id or held.handle or held.id}"),
                created_ms=held.created_ms,
                angry=self._is_complaint(suspect, brand),
            )

    def _is_complaint(self, suspect: Suspect, brand: int) -> bool:
        if suspect.answered is None:
            return False
        key = np.array([suspect.answered], dtype=np.uint64) ^ self._salt[brand] ^ _COMPLAINT
        return bool(self.complaints.seen(key)[0])

    # signals --------------------------------------------------------------------------------

    def _signal(self, told: Told) -> Signal:
        brand, impostor = self._brands[told.brand], told.impostor
        kind = KINDS[impostor.kind]
        what = f"{brand.id}|{kind}|{impostor.id}|{told.phase}|{told.at_ms}"
        return Signal(
            id=f"s-{hash64(what):016x}",
            brand=brand.id,
            kind=kind,
            phase=told.phase,
            window_start_ms=impostor.first_ms,
            window_end_ms=max(impostor.last_ms, told.at_ms),
            window_min=WINDOW_MIN,
            at_ms=told.at_ms,
            observed=impostor.last_day,
            expected=0.0,
            lower=0,
            upper=0,
            surprise=0.0,
            line=IMPOSTOR_LINES[brand.sensitivity],
            score=impostor.score,
            threshold=1,
            total=impostor.last_day,
            negative=0,
            usual_negative_share=0.0,
            authors=impostor.accounts,
            reach=impostor.reach,
            history_h=0,
            platforms=dict(sorted(Counter(p.platform for p in told.posts).items())),
            languages=dict(sorted(Counter(p.lang for p in told.posts).items())),
            terms=(),
            topics={},
            evidence=told.posts,
            subject=impostor.id,
            impostor=impostor,
        )


def _evidence(obs: Observations, row: int, held: Kept) -> Evidence:
    return Evidence(
        id=held.id,
        platform=held.platform,
        published_ms=int(obs.published_ms[row]),
        text=held.text,
        lang=obs.lang[row],
        label=LABELS[int(obs.label[row])],
        negative=round(float(obs.negative[row]), 3),
        reach=int(obs.reach[row]),
        author_id=held.author_id,
        handle=held.handle,
        name=held.name,
        followers=held.followers,
        url=held.url,
        kind=held.kind,
    )
