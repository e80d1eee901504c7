"""Live updates: the audit trail as it grows, read once for all who listen."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import suppress

from alerts.service import Desk
from alerts.service.records import AuditEntry
from alerts.store.errors import StoreFault

log = logging.getLogger("nadhir.api")

_PAUSE_S = 0.25
_RETRY_S = 1.0  # after the database could not be read
_MOST = 500  # entries of one reading
_KEPT = 2_000  # held for those who come back


class Feed:
    """Entries of the audit trail, to any number of listeners.

    Parameters
    ----------
    desk : Desk
    most_listeners : int
    most_each : int
        Of one token.
    """

    def __init__(self, desk: Desk, most_listeners: int = 1_000, most_each: int = 20) -> None:
        self._desk = desk
        self._most = most_listeners
        self._most_each = most_each
        self._each: Counter[str] = Counter()
        self._kept: deque[AuditEntry] = deque(maxlen=_KEPT)
        self._last = -1  # none were read yet
        self._grown = asyncio.Event()  # set when something is new, and then another takes its place
        self._starting = asyncio.Lock()
        self._reader: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def crowded(self) -> bool:
        """Whether nobody more should listen."""
        return self._each.total() >= self._most

    def has_enough(self, who: str) -> bool:
        """Whether somebody listens often enough already."""
        return self._each[who] >= self._most_each

    def stop(self) -> None:
        """End every stream soon; from any thread."""
        self._stopping = True

    async def follow(
        self, after: int | None, pause_s: float, who: str
    ) -> AsyncIterator[AuditEntry | None]:
        """Entries after a number (None: from now on); None after each pause without any.

        Ends at once where too many came between the question and the beginning.
        """
        if self.crowded or self.has_enough(who):
            return
        self._each[who] += 1
        try:
            async with self._starting:  # two readers would tell everything twice
                if self._reader is None or self._reader.done():
                    self._last = await asyncio.to_thread(self._desk.last_seq)
                    self._kept.clear()
                    self._reader = asyncio.create_task(self._read())
            # what was heard before the database was restored lies ahead of its trail
            last = self._last if after is None else min(after, self._last)
            quiet_s = 0.0
            while not self._stopping:
                found = await self._after(last)
                for entry in found:
                    yield entry
                    last = entry.seq
                if found:
                    quiet_s = 0.0
                    continue
                await self._wait()
                quiet_s += _PAUSE_S
                if quiet_s >= pause_s:
                    quiet_s = 0.0
                    yield None
        finally:
            self._each[who] -= 1
            self._each += Counter()  # names of those who are gone are not kept

    async def _wait(self) -> None:
        # no Condition: who goes away while it waits would leave its lock to others unheld
        with suppress(TimeoutError):
            await asyncio.wait_for(self._grown.wait(), _PAUSE_S)

    async def _after(self, last: int) -> list[AuditEntry]:
        """What is held of it, or what the database has of it."""
        if last >= self._last:
            return []
        if self._kept and self._kept[0].seq <= last + 1:
            return [entry for entry in self._kept if entry.seq > last]
        page = await asyncio.to_thread(self._desk.audit, after=last, limit=_MOST)
        return list(page.entries)

    async def _read(self) -> None:
        """Read what is new as long as somebody listens."""
        failing = False
        while self._each.total() and not self._stopping:
            try:
                page = await asyncio.to_thread(self._desk.audit, after=self._last, limit=_MOST)
            except StoreFault as error:  # those who listen would wait for ever if reading ended
                if not failing:
                    log.error("events: %s; will be tried again", error)
                failing = True
                await asyncio.sleep(_RETRY_S)
                continue
            failing = False
            if page.entries:
                self._kept.extend(page.entries)
                self._last = page.entries[-1].seq
                grown, self._grown = self._grown, asyncio.Event()
                grown.set()
            await asyncio.sleep(_PAUSE_S)
