"""The stages of one receiver in their order, and what goes out together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from alerts.notify.queue import Queued
from alerts.notify.records import Notification
from alerts.notify.stages.drill import Drill
from alerts.notify.stages.filtered import BrandFilter, ResolvedFilter, SeverityFilter
from alerts.notify.stages.grouped import Grouped, group_of
from alerts.notify.stages.inhibited import Inhibited, OpenAlerts
from alerts.notify.stages.quiet import Quiet, QuietHours
from alerts.notify.stages.rate import Rate
from alerts.notify.stages.repeated import Repeated
from alerts.notify.stages.silenced import Silenced, Silences
from alerts.notify.stages.stage import Delay, Drop, Stage
from alerts.playbook.records import Severity


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver is told, and when.

    Attributes
    ----------
    brands : tuple of str
        Ids; empty for all.
    min_severity : {"watch", "warning", "critical"}
    resolved, drills : bool
        Whether it is told of ends and of drills.
    quiet : QuietHours or None
    group_wait_ms : int
        How long the first notification of a brand waits for more; 0 groups nothing.
    per_hour : int or None
        Most messages an hour.
    """

    brands: tuple[str, ...] = ()
    min_severity: Severity = "watch"
    resolved: bool = True
    drills: bool = True
    quiet: QuietHours | None = None
    group_wait_ms: int = 0
    per_hour: int | None = None


class Held(NamedTuple):
    """A notification that a stage held back."""

    item: Queued
    stage: str
    verdict: Drop | Delay


class Sorted(NamedTuple):
    """What goes out now, message by message, and what does not."""

    bundles: list[list[Queued]]
    held: list[Held]


class Chain:
    """All stages of one receiver; tests (``why`` is ``test``) pass them all.

    Parameters
    ----------
    route : Route
    silences : Silences, optional
    open_alerts : OpenAlerts, optional
    """

    def __init__(
        self,
        route: Route,
        silences: Silences | None = None,
        open_alerts: OpenAlerts | None = None,
    ) -> None:
        self._repeated = Repeated()
        self._grouped = Grouped(route.group_wait_ms) if route.group_wait_ms else None
        self._rate = Rate(route.per_hour) if route.per_hour else None
        wanted: list[Stage | None] = [
            None if route.drills else Drill(),
            BrandFilter(route.brands) if route.brands else None,
            SeverityFilter(route.min_severity) if route.min_severity != "watch" else None,
            None if route.resolved else ResolvedFilter(),
            Silenced(silences) if silences else None,
            Inhibited(open_alerts) if open_alerts else None,
            Quiet(route.quiet) if route.quiet else None,
            self._repeated,
            self._grouped,
        ]
        self._stages = [stage for stage in wanted if stage is not None]

    @property
    def stages(self) -> list[str]:
        """Names of the stages, in their order."""
        return [stage.name for stage in self._stages] + ([self._rate.name] if self._rate else [])

    def sort(self, items: Sequence[Queued], now_ms: int) -> Sorted:
        """Ask every stage about every notification.

        Parameters
        ----------
        items : sequence of Queued
            What was claimed, of this receiver.
        now_ms : int
        """
        passed, held = [], []
        for item in sorted(items, key=lambda item: (item.first_at_ms, item.id)):
            verdict = self._judge(item, now_ms)
            if verdict is None:
                passed.append(item)
            else:
                held.append(verdict)
        if self._grouped is not None:
            self._grouped.close(now_ms)
        bundles, late = self._limited(self._bundles(passed), now_ms)
        return Sorted(bundles, held + late)

    def delivered(self, told: Notification) -> None:
        """Note that a notification arrived."""
        self._repeated.delivered(told)

    def _judge(self, item: Queued, now_ms: int) -> Held | None:
        if item.notification.why == "test":
            return None
        for stage in self._stages:
            verdict = stage.judge(item, now_ms)
            if verdict is not None:
                return Held(item, stage.name, verdict)
        return None

    def _bundles(self, passed: list[Queued]) -> list[list[Queued]]:
        if self._grouped is None:
            return [[item] for item in passed]
        groups: dict[object, list[Queued]] = {}
        for item in passed:
            alone = item.notification.to or item.notification.why == "test"
            groups.setdefault(item.id if alone else group_of(item), []).append(item)
        return list(groups.values())

    def _limited(
        self, bundles: list[list[Queued]], now_ms: int
    ) -> tuple[list[list[Queued]], list[Held]]:
        """As many messages as there is room for, the last one a summary of the rest.

        Escalations, which reach certain people, are not limited.
        """
        rate = self._rate
        if rate is None:
            return bundles, []
        called = [bundle for bundle in bundles if bundle[0].notification.to]
        bundles = [bundle for bundle in bundles if not bundle[0].notification.to]
        room = rate.available(now_ms)
        if room == 0:
            delay = Delay(rate.next_ms(now_ms), "the receiver's limit an hour is reached")
            late = [Held(item, rate.name, delay) for bundle in bundles for item in bundle]
            return called, late
        if len(bundles) > room:
            rest = [item for bundle in bundles[room - 1 :] for item in bundle]
            bundles = [*bundles[: room - 1], rest]
        for _ in bundles:
            rate.take(now_ms)
        return called + bundles, []
