"""Runs drills beside the real stream: the same stages and receivers, a store of their own."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import alerts.texts
from alerts.drills import DrillEvent, marked, shadow
from alerts.records import Alert
from alerts.texts import load_phrases
from models.detector import TICK_MS
from streams.config import Config
from streams.drills.folder import DrillError, DrillFolder, drills
from streams.drills.source import DrillSource
from streams.live import LiveEngine, Receiver
from streams.pipeline import Pipeline, open_pipeline
from streams.sources import SourceError
from streams.store import Store, StoreError, locked

log = logging.getLogger("nadhir.drills")
_LOOK_S = 1.0
_TROUBLES = (DrillError, SourceError, StoreError, OSError)


class _Told:
    """A receiver that notes when a drill's alert was first told, before it goes on."""

    def __init__(self, folder: DrillFolder, receiver: Receiver, clock: Callable[[], int]) -> None:
        self._folder = folder
        self._receiver = receiver
        self._clock = clock

    def deliver(self, alert: Alert) -> None:
        self._receiver.deliver(alert)
        if alert.timeline[-1].event == "opened":
            self._folder.note(DrillEvent(at_ms=self._clock(), what="opened", alert=alert.id))


class OneAtATime:
    """A receiver that two engines may tell of alerts at once."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._lock = threading.Lock()

    def deliver(self, alert: Alert) -> None:
        """Deliver when nobody else does."""
        with self._lock:
            self._receiver.deliver(alert)


class DrillRunner:
    """Takes up drills as they appear, each in a thread of its own, until it is stopped.

    Parameters
    ----------
    config : Config
    receivers : mapping of str to Receiver
        Safe to be called from several threads.
    clock : callable
        Milliseconds since the epoch.
    """

    def __init__(
        self, config: Config, receivers: Mapping[str, Receiver], clock: Callable[[], int]
    ) -> None:
        self._config = config
        self._receivers = receivers
        self._clock = clock
        self._engines: dict[str, LiveEngine] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._stopping = threading.Event()

    def look(self) -> None:
        """Begin every drill that is not over and not running."""
        for folder in drills(self._config):
            if folder.drill.id not in self._threads and not folder.over:
                name = folder.drill.id
                thread = threading.Thread(target=self._run, args=(folder,), name=f"drill-{name}")
                self._threads[name] = thread
                thread.start()

    def watch(self) -> None:
        """Look for drills now and then until `stop`; the same trouble is logged once."""
        trouble = ""
        while not self._stopping.is_set():
            try:
                self.look()
            except _TROUBLES as error:
                if str(error) != trouble:
                    log.error("drills: %s", error)
                trouble = str(error)
            self._stopping.wait(_LOOK_S)

    def stop(self) -> None:
        """End soon, with everything stored; drills go on when a runner comes again."""
        self._stopping.set()
        for engine in list(self._engines.values()):
            engine.stop()

    def join(self) -> None:
        """Wait until every drill is over, or stored."""
        for thread in list(self._threads.values()):
            thread.join()

    def _run(self, folder: DrillFolder) -> None:
        name = folder.drill.id
        try:
            with locked(folder.store):
                self._run_locked(folder)
        except _TROUBLES as error:
            log.error("drill %s: %s", name, error)
        finally:
            self._engines.pop(name, None)

    def _run_locked(self, folder: DrillFolder) -> None:
        drill = folder.drill
        told: dict[str, Receiver] = {}
        for i, (name, receiver) in enumerate(self._receivers.items()):
            # the first of them to be told stands for all
            told[name] = receiver if i else _Told(folder, receiver, self._clock)
        with closing(Store(folder.store)) as store:
            pipeline = open_drill(self._config, drill.brand, store, tuple(told), self._clock)
            source = DrillSource(folder, self._clock)
            if self._clock() > drill.ends_ms:
                folder.stop()  # nothing ran meanwhile: an exercise that is over is not made up for
            engine = LiveEngine(pipeline, [source], told, self._clock)
            self._engines[drill.id] = engine
            if self._stopping.is_set():
                return
            log.info("drill %s: %s of %s has begun", drill.id, drill.scenario, drill.brand)
            engine.run(until_done=True)
            if not source.done:
                return  # to be gone on with
            _resolve(self._config, pipeline)
            engine.run(until_done=True)
            folder.finish()
            log.info("drill %s is over; see: nadhir drill score %s", drill.id, drill.id)


def open_drill(
    config: Config,
    brand_id: str,
    store: Store,
    receivers: tuple[str, ...],
    clock: Callable[[], int],
) -> Pipeline:
    """The stages over the shadow of a brand, and what it is called when it is told of.

    Raises
    ------
    DrillError
        If the brand is no longer configured.
    """
    brand = next((b for b in config.brand_records() if b.id == brand_id), None)
    if brand is None:
        raise DrillError(f"{brand_id!r} is no brand of the configuration any more")
    phrases = load_phrases(Path(alerts.texts.__file__).with_name("response.yaml"))
    return open_pipeline(
        config,
        store,
        receivers=receivers,
        clock=clock,
        brands=(shadow(brand),),
        told_as=(marked(brand, phrases),),
    )


def _resolve(config: Config, pipeline: Pipeline) -> None:
    """Let so much event time pass that what is open ends."""
    if pipeline.detect.watermark_ms is not None:
        quiet_ms = config.alerts.resolve_after_quiet_min * 60_000
        pipeline.advance(pipeline.detect.watermark_ms + quiet_ms + 2 * TICK_MS)


@contextmanager
def running_drills(
    config: Config, receivers: Mapping[str, Receiver], clock: Callable[[], int]
) -> Iterator[None]:
    """Take up drills meanwhile."""
    runner = DrillRunner(config, receivers, clock)
    watch = threading.Thread(target=runner.watch, name="drills")
    watch.start()
    try:
        yield
    finally:
        runner.stop()
        watch.join()
        runner.stop()  # what the last look began
        runner.join()
