"""The three stages in a row over a store: the embedded engine, and the place where it is composed.

``feed`` folds a batch of lines through score, detect and alert in memory; ``commit`` stores all
that it changed in one transaction.  When to commit is the caller's choice and changes no result.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from alerts.cases import Case, Outcome
from alerts.fusion import AlertSettings, AlertStage
from alerts.playbook import load_playbooks
from alerts.records import Alert, Decision
from alerts.texts import load_phrases
from models.records import Brand, Judgement, Rejection, Signal
from models.terms import load_topics
from streams.config import Config
from streams.decode import decode_batch
from streams.detect import DetectStage
from streams.pace import Pace
from streams.score import ScoreStage
from streams.sentiment import open_sentiment
from streams.sources import Batch
from streams.store import BLIND, TALK, Store, StoreError

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _KEEP_BYTES = -1, -3, 64 << 20  # mallopt(3)
_MOST_LINES = 4096  # of a batch
_MOST_PENDING_BYTES = 32 << 20  # rejected lines held in memory until a commit


@dataclass(slots=True)
class Counters:
    """What went through the pipeline since it started."""

    lines: int = 0
    mentions: int = 0
    observations: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    alerts: int = 0


@dataclass(slots=True)
class _Pending:
    """What a commit will store."""

    positions: dict[str, str] = field(default_factory=dict)
    rejections: list[Rejection] = field(default_factory=list)
    signals: list[Signal] = field(default_factory=list)
    cases: dict[str, Case] = field(default_factory=dict)
    decisions: list[Decision] = field(default_factory=list)
    news: list[Alert] = field(default_factory=list)


class Pipeline:
    """Score, detect and alert over one store.

    Parameters
    ----------
    score, detect, alert
        The stages, restored.
    store : Store
    receivers : tuple of str
        Names to whom changed alerts are published.
    clock : callable or None
        Milliseconds since the epoch, to refuse mentions of the future; None in a replay.
    max_future_ms : int

    Attributes
    ----------
    counters : Counters
    pace : Pace
        How many lines the next batch should have.
    """

    def __init__(
        self,
        score: ScoreStage,
        detect: DetectStage,
        alert: AlertStage,
        store: Store,
        *,
        receivers: tuple[str, ...] = (),
        clock: Callable[[], int] | None = None,
        max_future_ms: int = 300_000,
    ) -> None:
        self.counters = Counters()
        self.pace = Pace(_MOST_LINES)
        self.detect = detect
        self.store = store
        self._score = score
        self._alert = alert
        self._receivers = receivers
        self._clock = clock
        self._max_future_ms = max_future_ms
        self._pending = _Pending()
        self._pending_bytes = 0
        self._blind: list[str] | None = None  # as the store knows it
        self._talk_minute: int | None = None  # as of which the store knows what was said

    @property
    def crowded(self) -> bool:
        """Whether so much waits for a commit that it should not wait any longer."""
        return self._pending_bytes > _MOST_PENDING_BYTES

    def relist(self, added: Sequence[Judgement]) -> None:
        """Take other allow and block lists beside those of the brands; from any thread."""
        self._score.relist(added)

    def feed(self, source: str, batch: Batch) -> None:
        """Fold a batch of lines into the state, in memory."""
        decoded = decode_batch(
            batch.lines,
            source=source,
            positions=range(batch.first, batch.first + len(batch.lines)),
            now_ms=self._clock() if self._clock else None,
            max_future_ms=self._max_future_ms,
        )
        began = time.monotonic()
        observations = self._score.score(decoded.mentions)
        self.pace.took(len(batch.lines), round((time.monotonic() - began) * 1000))
        self._fold(self.detect.detect(observations))
        self._pending.rejections += decoded.rejections
        self._pending.positions[source] = batch.next
        self.counters.lines += len(batch.lines)
        self.counters.mentions += len(decoded.mentions)
        self.counters.observations += len(observations)
        for rejection in decoded.rejections:
            self._pending_bytes += len(rejection.raw)
            reasons = self.counters.rejected
            reasons[rejection.reason] = reasons.get(rejection.reason, 0) + 1

    def advance(self, now_ms: int) -> None:
        """Tell that event time has reached ``now_ms`` though nothing came."""
        self._fold(self.detect.advance(now_ms))

    def _fold(self, signals: list[Signal]) -> None:
        self._pending.signals += signals
        self._take(self._alert.handle(signals))
        if self.detect.watermark_ms is not None:
            self._take(self._alert.advance(self.detect.watermark_ms))

    def _take(self, outcome: Outcome) -> None:
        self._pending.cases |= outcome.cases
        self._pending.decisions += outcome.decisions
        self._pending.news += outcome.news
        self.counters.alerts += sum(len(a.timeline) == 1 for a in outcome.news)

    def commit(self) -> dict[str, str]:
        """Store all that changed in one transaction; the positions it holds, by source."""
        pending, self._pending = self._pending, _Pending()
        self._pending_bytes = 0
        with self.store.step():
            self.store.apply(self.detect.changes())
            for source, position in pending.positions.items():
                self.store.set_position(source, position)
            self.store.reject(pending.rejections)
            self.store.add_signals(pending.signals)
            self.store.put_cases(pending.cases.values())
            self.store.add_decisions(pending.decisions)
            for alert in pending.news:
                self.store.post(self._receivers, alert)
            if self._clock is not None:
                self._note_blindness()
                self._note_talk()
        return pending.positions

    def _note_blindness(self) -> None:
        """Leave word of which brands nothing comes, for the API of another process."""
        blind = self.detect.silent()
        if blind != self._blind:
            self.store.set_meta(BLIND, msgspec.json.encode(blind).decode())
            self._blind = blind

    def _note_talk(self) -> None:
        """Leave word of what was said over the last day, when a minute of event time is over."""
        minute = (self.detect.watermark_ms or 0) // 60_000
        if minute != self._talk_minute:
            self.store.set_meta(TALK, msgspec.json.encode(self.detect.talk()).decode())
            self._talk_minute = minute


def open_pipeline(
    config: Config,
    store: Store,
    *,
    receivers: tuple[str, ...] = (),
    clock: Callable[[], int] | None = None,
    brands: tuple[Brand, ...] | None = None,
    told_as: tuple[Brand, ...] | None = None,
) -> Pipeline:
    """Compose the stages as the configuration says and take up the state of the store.

    Parameters
    ----------
    config : Config
    store : Store
    receivers, clock
        Those of `Pipeline`.
    brands : tuple of Brand, optional
        What is watched, if not the brands of the configuration.
    told_as : tuple of Brand, optional
        The same brands as alerts call them, if otherwise.

    Raises
    ------
    PlaybookError
        If a playbook of the configured directory is broken.
    SentimentArtefactError, OnnxModelError
        If the sentiment model cannot be used.
    StoreError
        If the store's state cannot be read.
    """
    brands = config.brand_records() if brands is None else brands
    score = ScoreStage(brands, open_sentiment(config.sentiment))
    detect = DetectStage(
        brands,
        load_topics(),
        allowed_lateness_s=config.detect.allowed_lateness_s,
        corrected=config.sentiment.model == "builtin",
    )
    settings = AlertSettings(
        min_mentions=config.alerts.min_mentions,
        cooldown_min=config.alerts.cooldown_min,
        resolve_after_quiet_min=config.alerts.resolve_after_quiet_min,
    )
    playbooks = load_playbooks(config.paths.playbooks)
    alert = AlertStage(told_as or brands, settings, playbooks, load_phrases())
    try:
        detect.restore(store.state())
    except (msgspec.MsgspecError, ValueError, LookupError) as error:
        raise StoreError(
            f"{store.path}: holds state that this Nadhir cannot read ({error}); "
            "move it away, or use the version that wrote it"
        ) from error
    alert.restore(store.latest_cases())
    _settle_memory()
    return Pipeline(
        score,
        detect,
        alert,
        store,
        receivers=receivers,
        clock=clock,
        max_future_ms=config.detect.max_future_s * 1000,
    )


def _settle_memory() -> None:
    """Fit the process's memory to a stream: what is long-lived stays, a batch's is used again."""
    gc.freeze()  # what start-up made lives as long as the process: no need to walk it each time
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            # without, glibc gives each batch's megabytes back to the kernel and fetches them anew
            libc = ctypes.CDLL(None)
            libc.mallopt(_M_TRIM_THRESHOLD, _KEEP_BYTES)
            libc.mallopt(_M_MMAP_THRESHOLD, _KEEP_BYTES // 2)
