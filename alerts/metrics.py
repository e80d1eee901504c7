"""The response database in numbers, read when Prometheus asks.

Durations and verdicts are counted from the audit trail, to which rows are only ever added: they
go on after a restart where they were, and every process over the database tells the same.
"""

from __future__ import annotations

import logging
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate, product
from typing import get_args

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from alerts.drills import is_drill
from alerts.lifecycle import STATES
from alerts.records import SEVERITIES
from alerts.service import Desk
from alerts.service.records import VerdictWord
from alerts.store.audit import Entry
from alerts.store.errors import StoreFault

log = logging.getLogger("nadhir.response")

_ROWS, _TURNS = 5_000, 40  # of the audit trail in one read, and reads in one scrape
_CALLS = ("opened", "raised", "reopened", "unacknowledged")
_ACTIONS = (*_CALLS, "acknowledged", "resolved", "message_sent", "judged")
BUCKETS_S = (60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 86_400)


class Durations:
    """Durations by severity, as a histogram shows them."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = {s: [0] * (len(BUCKETS_S) + 1) for s in SEVERITIES}
        self._sums: dict[str, float] = dict.fromkeys(SEVERITIES, 0.0)

    def add(self, severity: str, duration_ms: int) -> None:
        """Count one."""
        seconds = max(0, duration_ms) / 1000
        self._counts[severity][bisect_left(BUCKETS_S, seconds)] += 1
        self._sums[severity] += seconds

    def family(self, name: str, text: str) -> Metric:
        """The histogram."""
        found = HistogramMetricFamily(name, text, labels=["severity"])
        bounds = [*(f"{float(bound)}" for bound in BUCKETS_S), "+Inf"]
        for severity, counts in self._counts.items():
            found.add_metric(
                [severity], list(zip(bounds, accumulate(counts))), self._sums[severity]
            )
        return found


class History:
    """What the rows of the audit trail tell, folded in order; drills aside.

    A call begins when an alert opens, reopens, is raised or given back, and ends when somebody
    acknowledges it.  The first message counts from when the alert opened.

    Attributes
    ----------
    acknowledged, messaged : Durations
    verdicts : Counter of str
        Verdicts that were given; one that corrects another counts, too.
    """

    def __init__(self) -> None:
        self.acknowledged = Durations()
        self.messaged = Durations()
        self.verdicts: Counter[str] = Counter()
        self._calls: dict[str, int] = {}  # alerts that wait for somebody: since when
        self._silent: dict[str, int] = {}  # alerts of which no message was sent: opened when

    def fold(self, row: Entry) -> None:
        """Go on by one row."""
        if row.alert is None or is_drill(row.details["brand"]):
            return
        severity = row.details["severity"]
        if row.action == "judged":
            self.verdicts[row.details["verdict"]] += 1
        elif row.action == "message_sent":
            if (opened_ms := self._silent.pop(row.alert, None)) is not None:
                self.messaged.add(severity, row.at_ms - opened_ms)
        elif row.action == "acknowledged":
            if (called_ms := self._calls.pop(row.alert, None)) is not None:
                self.acknowledged.add(severity, row.at_ms - called_ms)
        elif row.details["state"] == "resolved":
            self._calls.pop(row.alert, None)
            self._silent.pop(row.alert, None)
        elif row.details["state"] == "open":
            self._calls.setdefault(row.alert, row.at_ms)
            if row.action in ("opened", "reopened"):
                self._silent.setdefault(row.alert, row.at_ms)


class ResponseMetrics(Collector):
    """Metrics of a response database.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._history = History()
        self._seen = 0  # rows of the audit trail
        self._turn = threading.Lock()  # two may ask at the same time

    def describe(self) -> Iterator[Metric]:
        """Nothing beforehand: registering must not ask the database."""
        yield from ()

    def collect(self) -> Iterator[Metric]:
        """What is there; without the database, that it is not."""
        try:
            found = [*self._standing(), *self._told()]
        except StoreFault as error:
            log.error("metrics: %s", error)
            found = []
        yield GaugeMetricFamily(
            "nadhir_response_database_up",
            "Whether the response database answers.",
            bool(found),
        )
        yield from found

    def _standing(self) -> Iterator[Metric]:
        """Alerts and notifications as they are now."""
        states, notified = self._desk.counts()
        numbers = {(state, severity): count for state, severity, count in states}
        alerts = GaugeMetricFamily(
            "nadhir_alerts",
            "Alerts by state and severity, drills aside.",
            labels=["state", "severity"],
        )
        for pair in product(STATES, SEVERITIES):
            alerts.add_metric(pair, numbers.get(pair, 0))
        yield alerts
        receivers = {*self._desk.receivers, *(receiver for receiver, _, _ in notified)}
        counts = {(receiver, status): count for receiver, status, count in notified}
        for name, status, text in (
            ("nadhir_notifications_pending", "queued", "Notifications that wait."),
            ("nadhir_notification_dead_letters", "dead", "Notifications that were given up."),
        ):
            family = GaugeMetricFamily(name, text, labels=["receiver"])
            for receiver in sorted(receivers):
                family.add_metric([receiver], counts.get((receiver, status), 0))
            yield family

    def _told(self) -> Iterator[Metric]:
        """What the audit trail tells; nothing before all of it was read."""
        with self._turn:
            last = self._desk.last_seq()
            yield CounterMetricFamily("nadhir_audit_rows", "Rows of the audit trail.", last)
            if not self._read(last):
                return
            yield self._history.acknowledged.family(
                "nadhir_alert_time_to_acknowledge_seconds",
                "From a call to its acknowledgement, drills aside.",
            )
            yield self._history.messaged.family(
                "nadhir_alert_time_to_first_message_seconds",
                "From the opening of an alert to its first message that was sent, drills aside.",
            )
            verdicts = CounterMetricFamily(
                "nadhir_alert_verdicts", "Verdicts given, drills aside.", labels=["verdict"]
            )
            for word in get_args(VerdictWord):
                verdicts.add_metric([word], self._history.verdicts[word])
            yield verdicts

    def _read(self, last: int) -> bool:
        """Fold what is new up to a row; False if there is more than one scrape should read."""
        for _ in range(_TURNS):
            rows = self._desk.steps(_ACTIONS, after=self._seen, upto=last, limit=_ROWS)
            for row in rows:
                self._history.fold(row)
            if len(rows) < _ROWS:
                self._seen = last
                return True
            self._seen = rows[-1].seq
        return False
