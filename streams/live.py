"""The long-running embedded engine: sources in, alerts out, one process.

Alerts are stored before they are published and taken from the outbox after; a receiver may see one
twice after a crash, never not at all.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from alerts.records import Alert
from streams.intake_store import IntakeLog
from streams.pipeline import Pipeline
from streams.sources import Source, SourceError

log = logging.getLogger("nadhir.live")

BATCH_LINES = 4096
COMMIT_MS = 200
IDLE_MS = 30_000  # so long without a mention, event time follows the clock at this distance
LIVE_MS = 3_600_000  # a stream further behind the clock is history: its time stands when it pauses
_PAUSE_S = 0.05


class Receiver(Protocol):
    """Somebody who is told of alerts."""

    def deliver(self, alert: Alert) -> None:
        """Publish; raises OSError to be tried again later."""


class Journal:
    """Appends alerts to a file of JSON Lines, durably."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def deliver(self, alert: Alert) -> None:
        """Append one line."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab") as out:
            out.write(msgspec.json.encode(alert) + b"\n")
            out.flush()
            os.fsync(out.fileno())


class LiveEngine:
    """Polls the sources, feeds the pipeline, commits, publishes.

    Parameters
    ----------
    pipeline : Pipeline
    sources : sequence of Source
    receivers : mapping of str to Receiver
    clock : callable
        Milliseconds since the epoch.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        sources: Sequence[Source],
        receivers: Mapping[str, Receiver],
        clock: Callable[[], int],
    ) -> None:
        self.stop = threading.Event()
        self.pipeline = pipeline
        self.running = False
        self._sources = list(sources)
        self._receivers = receivers
        self._clock = clock
        self._heard_ms = clock()
        self._committed_ms = clock()
        self._dirty = False

    def run(self, *, until_done: bool = False) -> None:
        """Run until stopped, or until every source is done."""
        for source in self._sources:
            source.seek(self.pipeline.store.position(source.name))
        self._publish()
        self.running = True
        while not self.stop.is_set():
            heard = self._poll()
            now = self._clock()
            if heard:
                self._heard_ms, self._dirty = now, True
            elif now - self._heard_ms >= IDLE_MS:
                self._follow_clock(now)
            if self._dirty and (now - self._committed_ms >= COMMIT_MS or not heard):
                self._commit(now)
            if not heard:
                if until_done and not self._sources:
                    break
                self.stop.wait(_PAUSE_S)
        self._commit(self._clock())

    def _poll(self) -> bool:
        heard = False
        for source in list(self._sources):
            try:
                batch = source.poll(BATCH_LINES)
            except SourceError as error:
                # one broken source must not silence the others
                log.error("source %s is given up: %s", source.name, error)
                self._sources.remove(source)
                continue
            if batch is not None:
                self.pipeline.feed(source.name, batch)
                heard = True
            elif source.done:
                log.info("source %s is read to its end", source.name)
                self._sources.remove(source)
        return heard

    def _follow_clock(self, now: int) -> None:
        watermark = self.pipeline.detect.watermark_ms
        if watermark is not None and now - watermark <= LIVE_MS:
            self.pipeline.advance(now - IDLE_MS)
            self._dirty = True

    def _commit(self, now: int) -> None:
        positions = self.pipeline.commit()
        self._dirty, self._committed_ms = False, now
        for source in self._sources:
            if isinstance(source, IntakeLog) and source.name in positions:
                source.forget(positions[source.name])
        self._publish()

    def _publish(self) -> None:
        store = self.pipeline.store
        while notes := store.outbox():
            for seq, name, body in notes:
                receiver = self._receivers.get(name)
                if receiver is not None:
                    try:
                        receiver.deliver(msgspec.json.decode(body, type=Alert))
                    except OSError as error:
                        log.error("receiver %s: %s; will be tried again", name, error)
                        return
                with store.step():
                    store.delivered(seq)
