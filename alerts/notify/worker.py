"""One receiver: its notifications go through its chain, are sent, and their outcome is recorded."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from alerts.notify.backoff import Retries, wait_ms
from alerts.notify.chain import Chain
from alerts.notify.channel import Channel
from alerts.notify.errors import DeliveryError
from alerts.notify.queue import Queue, Queued
from alerts.notify.stages.stage import Drop

log = logging.getLogger("nadhir.notify")


class Hold(Protocol):
    """The leases of what a worker handles."""

    def may_send(self, item: Queued) -> bool:
        """Whether the lease lasts long enough and nobody said stop; asked right before."""

    def release(self, item: Queued) -> None:
        """Let go of it: its outcome is recorded next, and it may be claimed again."""


class _Free:
    """Nobody else claims."""

    def may_send(self, item: Queued) -> bool:
        return True

    def release(self, item: Queued) -> None:
        pass


class Worker:
    """Sends to one receiver.

    Parameters
    ----------
    name : str
        Of the receiver.
    channel : Channel
    chain : Chain
    queue : Queue
    clock : callable
        Milliseconds since the epoch.
    retries : Retries, optional
    draw : random.Random, optional
        For the jitter.

    Attributes
    ----------
    counts : collections.Counter
        Notifications by outcome: sent, retried, dead, delayed, dropped, unwanted.
    hold : Hold
        Who holds the leases of what it handles.
    """

    def __init__(
        self,
        name: str,
        channel: Channel,
        chain: Chain,
        queue: Queue,
        clock: Callable[[], int],
        retries: Retries | None = None,
        draw: random.Random | None = None,
    ) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self.hold: Hold = _Free()
        self._channel = channel
        self._chain = chain
        self._queue = queue
        self._clock = clock
        self._retries = retries or Retries()
        self._draw = draw or random.Random()  # noqa: S311

    def handle(self, items: Sequence[Queued]) -> list[Queued]:
        """Take care of what was claimed.

        Parameters
        ----------
        items : sequence of Queued

        Returns
        -------
        list of Queued
            What it was not allowed to begin.
        """
        now = self._clock()
        bundles, held = self._chain.sort(items, now)
        for item, stage, verdict in held:
            self.hold.release(item)
            if isinstance(verdict, Drop):
                self._queue.dropped(item.id, now, stage, verdict.reason)
                self._count("dropped")
            else:
                self._queue.delay(item.id, verdict.until_ms, f"{stage}: {verdict.reason}")
                self._count("delayed")
        left: list[Queued] = []
        for bundle in bundles:
            begun = [item for item in bundle if self.hold.may_send(item)]
            left += [item for item in bundle if item not in begun]
            self._deliver(begun)
        return left

    def _deliver(self, bundle: list[Queued]) -> None:
        wanted = [item for item in bundle if self._wanted(item)]
        if not wanted:
            return
        try:
            detail = self._send(wanted)
        except DeliveryError as error:
            if len(wanted) > 1 and not error.retry:
                for item in wanted:  # one of them may be to blame
                    self._deliver([item])
            else:
                self._failed(wanted, error)
            return
        now = self._clock()
        for item in wanted:
            self._chain.delivered(item.notification)  # first: it is known even if the store fails
        for item in wanted:
            self.hold.release(item)
            self._queue.sent(item.id, now, detail)
            self._count("sent")

    def _wanted(self, item: Queued) -> bool:
        if self._queue.wanted(item.id):
            return True
        self.hold.release(item)
        self._queue.dropped(item.id, self._clock(), "wanted", "cancelled before it was sent")
        self._count("unwanted")
        return False

    def _send(self, items: Sequence[Queued]) -> str:
        try:
            return self._channel.send([item.notification for item in items])
        except DeliveryError:
            raise
        except Exception as error:
            # a fault of our own in one channel parks the notification; it must not end the thread
            log.exception("receiver %s: a fault in its channel", self.name)
            raise DeliveryError(f"a fault: {type(error).__name__}", retry=True) from error

    def _failed(self, items: Sequence[Queued], error: DeliveryError) -> None:
        """Try again later, all of them together, or give up."""
        now = self._clock()
        attempts = max(item.attempts for item in items) + 1
        due_ms = now + wait_ms(self._retries, attempts, self._draw, error.retry_after_s)
        for item in items:
            self.hold.release(item)  # before it can be claimed again
            spent = self._retries.spent(item.attempts + 1, now - item.first_at_ms)
            if not error.retry or spent:
                self._queue.dead(item.id, now, error.reason)
                self._count("dead")
                log.error("receiver %s: %s; given up", self.name, error.reason)
            else:
                self._queue.retry(item.id, due_ms, error.reason)
                self._count("retried")
                log.warning("receiver %s: %s; will be tried again", self.name, error.reason)

    def _count(self, outcome: str) -> None:
        self.counts[outcome] += 1
