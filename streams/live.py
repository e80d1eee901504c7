"""The long-running embedded engine: sources in, alerts out, one process.

Alerts are stored before they are published and taken from the outbox after; a receiver may see one
twice after a crash, never not at all.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from alerts.records import Alert
from models.detector import TICK_MS
from streams.intake_store import IntakeLog
from streams.meter import UNMETERED, Meter
from streams.pipeline import Figures, Pipeline, news_key
from streams.sources import Source, SourceError

log = logging.getLogger("nadhir.live")

COMMIT_MS = 200
IDLE_MS = 30_000  # so long without a mention, event time follows the clock at this distance
LIVE_MS = 3_600_000  # a stream further behind the clock is history: its time stands when it pauses
RETRY_MS = 5_000  # between attempts at a receiver that fails
LOOK_MS = 1_000  # so often is noted how the brands stand
_PAUSE_S = 0.05


class Receiver(Protocol):
    """Somebody who is told of alerts."""

    def deliver(self, alert: Alert) -> None:
        """Publish; raises OSError to be tried again later."""


class Journal:
    """Appends alerts to a file of JSON Lines, durably and as whole lines."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def deliver(self, alert: Alert) -> None:
        """Append one line."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        append_line(self._path, msgspec.json.encode(alert))


def append_line(path: Path, content: bytes) -> None:
    """Append a line to a file, durably and whole."""
    with path.open("a+b", buffering=0) as out:
        end = out.seek(0, os.SEEK_END)
        line = content + b"\n"
        if end and os.pread(out.fileno(), 1, end - 1) != b"\n":
            line = b"\n" + line  # a crash cut the line before; this one stands on its own
        try:
            if out.write(line) < len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            os.fsync(out.fileno())
        except OSError:
            out.truncate(end)
            raise


class LiveEngine:
    """Polls the sources, feeds the pipeline, commits, publishes.

    Parameters
    ----------
    pipeline : Pipeline
    sources : sequence of Source
        Not closed here.
    receivers : mapping of str to Receiver
    clock : callable
        Milliseconds since the epoch.
    meter : Meter
        Told when alerts are published.

    Attributes
    ----------
    figures : Figures or None
        How the brands stood lately; replaced as a whole, so that other threads may read it.
    running : bool
        Whether it has taken up its work.
    stopping : bool
        Whether it was told to end.
    broken : list of str
        Sources that were given up.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        sources: Sequence[Source],
        receivers: Mapping[str, Receiver],
        clock: Callable[[], int],
        meter: Meter = UNMETERED,
    ) -> None:
        self.pipeline = pipeline
        self.figures: Figures | None = None
        self.running = False
        self.stopping = False
        self.broken: list[str] = []
        self._sources = list(sources)
        self._intakes = [source for source in sources if isinstance(source, IntakeLog)]
        self._receivers = receivers
        self._clock = clock
        self._meter = meter
        self._looked_ms = 0
        self._moved_ms = clock()  # when event time moved last
        self._watermark_ms: int | None = None
        self._committed_ms = clock()
        self._dirty = False
        self._retry_ms: dict[str, int] = {}  # receivers that failed: when to try again

    @property
    def failing(self) -> dict[str, bool]:
        """Which receivers did not take what was last given to them."""
        return {name: name in self._retry_ms for name in self._receivers}

    def stop(self) -> None:
        """End soon, with everything stored; from any thread or signal handler."""
        # an Event would not do: its lock may be held by the very frame a signal interrupts
        self.stopping = True

    def run(self, *, until_done: bool = False) -> None:
        """Run until stopped, or until every source is done."""
        for source in list(self._sources):
            try:
                source.seek(self.pipeline.store.position(source.name))
            except SourceError as error:
                self._give_up(source, error)
        self._publish(self._clock())
        self.running = True
        while not self.stopping:
            limit = self.pipeline.pace.most
            lines = self._poll(limit)
            now = self._clock()
            self._dirty = self._dirty or lines > 0
            self._follow_clock(now, behind=lines >= limit)
            if self._dirty and (now - self._committed_ms >= COMMIT_MS or not lines):
                self._commit(now)
            elif any(now >= at for at in self._retry_ms.values()):
                self._publish(now)
            if now - self._looked_ms >= LOOK_MS:
                self.figures, self._looked_ms = self.pipeline.figures(), now
            if not lines:
                if until_done and not self._sources:
                    break
                time.sleep(_PAUSE_S)
        self._commit(self._clock())

    def _poll(self, limit: int) -> int:
        """Feed at most so many lines of each source; the number of lines of the longest batch."""
        longest = 0
        for source in list(self._sources):
            try:
                batch = source.poll(limit)
            except SourceError as error:
                self._give_up(source, error)
                continue
            if batch is not None:
                self.pipeline.feed(source.name, batch)
                longest = max(longest, len(batch.lines))
            elif source.done:
                log.info("source %s is read to its end", source.name)
                self._sources.remove(source)
        return longest

    def _give_up(self, source: Source, error: SourceError) -> None:
        # one broken source must not silence the others
        log.error("source %s is given up: %s", source.name, error)
        self._sources.remove(source)
        self.broken.append(source.name)

    def _follow_clock(self, now: int, *, behind: bool) -> None:
        """Let event time go on when no mention has moved it, whatever else the sources send."""
        watermark = self.pipeline.detect.watermark_ms
        if behind or watermark is None or watermark != self._watermark_ms:
            self._moved_ms, self._watermark_ms = now, watermark
        elif now - self._moved_ms >= IDLE_MS and IDLE_MS + TICK_MS <= now - watermark <= LIVE_MS:
            self.pipeline.advance(now - IDLE_MS)
            self._watermark_ms = self.pipeline.detect.watermark_ms
            self._dirty = True

    def _commit(self, now: int) -> None:
        positions = self.pipeline.commit()
        self._dirty, self._committed_ms = False, now
        for intake in self._intakes:
            if intake.name in positions:
                intake.forget(positions[intake.name])
        self._publish(now)

    def _publish(self, now: int) -> None:
        """Tell each receiver what waits for it, in order; one that fails holds up no other."""
        for name in self.pipeline.store.waiting():
            if now < self._retry_ms.get(name, now):
                continue
            self._retry_ms.pop(name, None)
            try:
                self._publish_to(name)
            except OSError as error:
                log.error("receiver %s: %s; will be tried again", name, error)
                self._retry_ms[name] = now + RETRY_MS

    def _publish_to(self, name: str) -> None:
        store, receiver = self.pipeline.store, self._receivers.get(name)
        while notes := store.outbox(name):
            for seq, body in notes:
                if receiver is not None:
                    alert = msgspec.json.decode(body, type=Alert)
                    receiver.deliver(alert)
                    # told once, by the first receiver; what an earlier process found has no time
                    arrived_ms = self.pipeline.arrived.pop(news_key(alert), None)
                    if arrived_ms is not None:
                        self._meter.published(alert, arrived_ms, self._clock())
                with store.step():
                    store.delivered(seq)
