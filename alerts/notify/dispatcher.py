"""The dispatcher: one thread claims, one thread a receiver sends.

A receiver that is slow or hangs holds up no other.  Outcomes are recorded last, so that after a
crash a notification may be sent twice, with the same key, and never not at all.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from alerts.notify.queue import Queue, Queued
from alerts.notify.worker import Worker

log = logging.getLogger("nadhir.notify")


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How the dispatcher works.

    Attributes
    ----------
    poll_ms : int
        How often it looks for what is due.
    lease_ms : int
        How long what it claimed is its own; after a crash others wait so long.
    sending_ms : int
        Least rest of the lease with which a message is begun: how long sending may take.
    batch : int
        Most notifications claimed, and handled by a receiver, at a time.
    unknown_ms : int
        How old a notification to a receiver that is not in the configuration becomes before it is
        dropped: another process may know the receiver.
    unknown_retry_ms : int
        How long such a one is left to the others.
    """

    poll_ms: int = 200
    lease_ms: int = 90_000
    sending_ms: int = 30_000
    batch: int = 100
    unknown_ms: int = 600_000
    unknown_retry_ms: int = 2_000


class Dispatcher:
    """Sends what is due, in threads of its own, from `start` to `stop`.

    Parameters
    ----------
    queue : Queue
        Used from all threads.
    workers : iterable of Worker
        One a receiver.
    clock : callable
        Milliseconds since the epoch.
    pace : Pace, optional
    """

    def __init__(
        self,
        queue: Queue,
        workers: Iterable[Worker],
        clock: Callable[[], int],
        pace: Pace | None = None,
    ) -> None:
        self._queue = queue
        self._clock = clock
        self._pace = pace or Pace()
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._lanes = {
            worker.name: _Lane(worker, queue, clock, self._pace, self._stopping)
            for worker in workers
        }
        self._claimer = threading.Thread(target=self._claim, name="notify", daemon=True)

    def start(self) -> None:
        """Begin."""
        for lane in self._lanes.values():
            lane.thread.start()
        self._claimer.start()

    def wake(self) -> None:
        """Look for what is due now, and not at the next turn."""
        self._woken.set()

    def stop(self, timeout_s: float = 35.0) -> None:
        """End: what is being sent is finished, what waits stays in the queue."""
        self._stopping.set()
        self._woken.set()
        for lane in self._lanes.values():
            lane.wake()
        for thread in (self._claimer, *(lane.thread for lane in self._lanes.values())):
            if thread.ident is not None:
                thread.join(timeout_s)

    def counts(self) -> dict[str, Counter[str]]:
        """Notifications by receiver and outcome, since the start."""
        return {name: Counter(lane.worker.counts) for name, lane in self._lanes.items()}

    def _claim(self) -> None:
        while not self._stopping.is_set():
            self._woken.clear()
            claimed = 0
            try:
                claimed = self._claim_once()
            except Exception:  # the store is out of order; leases bring back what was claimed
                log.exception("what is due cannot be claimed; will be tried again")
            if claimed < self._pace.batch:
                self._woken.wait(self._pace.poll_ms / 1000)

    def _claim_once(self) -> int:
        now = self._clock()
        items = self._queue.claim(now, self._pace.batch, self._pace.lease_ms)
        for item in items:
            lane = self._lanes.get(item.notification.receiver)
            if lane is None:
                self._unknown(item, now)
            else:
                lane.put(item, now + self._pace.lease_ms)
        return len(items)

    def _unknown(self, item: Queued, now: int) -> None:
        """Leave it to a process that was started with a newer configuration, then drop it."""
        if now - item.first_at_ms < self._pace.unknown_ms:
            reason = "the configuration of this process has no such receiver"
            self._queue.delay(item.id, now + self._pace.unknown_retry_ms, reason)
        else:
            reason = "the configuration has no such receiver"
            self._queue.dropped(item.id, now, "receiver", reason)


class _Lane:
    """The thread of one receiver, and what waits for it."""

    def __init__(
        self,
        worker: Worker,
        queue: Queue,
        clock: Callable[[], int],
        pace: Pace,
        stopping: threading.Event,
    ) -> None:
        self.worker = worker
        worker.hold = self
        self.thread = threading.Thread(target=self._run, name=f"notify {worker.name}", daemon=True)
        self._queue = queue
        self._clock = clock
        self._pace = pace
        self._stopping = stopping
        self._changed = threading.Condition()
        self._waiting: list[Queued] = []
        self._leases: dict[int, int] = {}  # of what waits or is being handled: until when
        self._handled: set[int] = set()  # what is being handled and has no outcome yet

    def put(self, item: Queued, until_ms: int) -> None:
        """Take something that was claimed; again, if its lease ran out here and was renewed."""
        with self._changed:
            if item.id not in self._leases:
                self._waiting.append(item)
            self._leases[item.id] = until_ms
            self._changed.notify()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._waiting and not self._stopping.is_set():
                    self._changed.wait()
                items = self._waiting[: self._pace.batch]
                del self._waiting[: len(items)]
                self._handled = {item.id for item in items}
            if self._stopping.is_set():
                self._give_back(items)
                return
            left: list[Queued] = []
            try:
                left = self.worker.handle(items)
            except Exception:  # the store is out of order; leases bring back what was claimed
                log.exception("receiver %s: will be tried again", self.worker.name)
            with self._changed:
                for number in self._handled:  # what has no outcome: it was not begun, or failed
                    self._leases.pop(number, None)
            if self._stopping.is_set():
                self._give_back(left)
                return

    def may_send(self, item: Queued) -> bool:
        """Whether there is time left of its lease, and nobody said stop."""
        if self._stopping.is_set():
            return False
        with self._changed:
            return self._leases.get(item.id, 0) - self._clock() >= self._pace.sending_ms

    def release(self, item: Queued) -> None:
        """Forget it, so that it is taken when it is claimed again."""
        with self._changed:
            self._handled.discard(item.id)
            self._leases.pop(item.id, None)

    def _give_back(self, items: list[Queued]) -> None:
        """What was claimed and not begun is due at once for the next dispatcher."""
        with self._changed:
            items = items + self._waiting
        try:
            for item in items:
                self._queue.delay(item.id, self._clock(), "the dispatcher stopped")
        except Exception:  # their leases run out
            log.exception("receiver %s: what waits is due later", self.worker.name)
