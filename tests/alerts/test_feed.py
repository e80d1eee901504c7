"""Those who listen to changes and leave, at whatever moment, disturb nobody who stays."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

from alerts.api.feed import Feed
from alerts.service.records import AuditEntry, AuditPage


class Growing:
    """A desk whose audit trail has one more row at each reading."""

    def __init__(self) -> None:
        self._rows = count(1)

    def last_seq(self) -> int:
        return 0

    def audit(self, *, after: int, limit: int) -> AuditPage:
        entry = AuditEntry(
            seq=next(self._rows), at="", actor="", action="", alert=None, details={}, hash=""
        )
        return AuditPage(entries=(entry,))


async def listen(feed: Any, heard: list[int]) -> None:
    async for entry in feed.follow(None, 60.0, "amal"):
        if entry is not None:
            heard.append(entry.seq)


async def come_and_go(turns: int) -> list[int]:
    feed: Any = Feed(Growing(), most_each=100)  # type: ignore[arg-type]
    heard: list[int] = []
    stays = asyncio.create_task(listen(feed, heard))
    for turn in range(turns):
        some = [asyncio.create_task(listen(feed, [])) for _ in range(20)]
        # just when those who wait are woken, or give up waiting
        await asyncio.sleep(0.25 + turn * 0.0004)
        for one in some:
            one.cancel()
            await asyncio.sleep(0)
            one.cancel()  # as anyio does until it is heard
        ended = await asyncio.gather(*some, return_exceptions=True)
        assert {type(one) for one in ended} == {asyncio.CancelledError}
    before = len(heard)
    await asyncio.sleep(0.8)
    assert len(heard) > before, "nobody hears any more"
    stays.cancel()
    return heard


def test_who_leaves_disturbs_nobody() -> None:
    # where a lock is lost, they wait for ever
    heard = asyncio.run(asyncio.wait_for(come_and_go(8), 60))
    assert heard == [*range(heard[0], heard[0] + len(heard))]
