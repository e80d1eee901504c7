"""What the stateful stages do with one partition, apart from Kafka.

A part takes records in order of offset and gives records to send and pieces of state to store.
``done`` is the offset up to which everything is in that state: what comes after it is read again
after a restart, and counts once.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import NamedTuple, Protocol

import msgspec
import numpy as np

from alerts.cases import Case, Key, Outcome, key_of
from alerts.fusion import AlertStage
from alerts.records import Alert
from models.detector import TICK_MS
from models.records import Brand, Signal
from streams.detect import DetectStage
from streams.detect_state import Change, Pieces
from streams.kafka import KafkaEngineError
from streams.kafka.merge import Merge
from streams.kafka.packing import UnknownVersion, unpack
from streams.live import IDLE_MS, LIVE_MS
from streams.meter import UNMETERED, Meter

SIGNAL_VERSION = 1
# a release costs much the same for one observation as for a thousand; the next record comes soon,
# since every reader tells four times a second what is empty
GATHER_MS = 50
_IDS_KEPT = 5_000  # of signals; what is sent again after a crash is no older than that


class Outgoing(NamedTuple):
    """A record to send."""

    topic: str
    key: bytes | None
    value: bytes
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Part(Protocol):
    """One partition of a stateful stage."""

    @property
    def done(self) -> int:
        """Offset up to which everything is in the state."""
        ...

    def restore(self, pieces: Pieces) -> None:
        """Take up stored state."""
        ...

    def take(self, offset: int, value: bytes | None, now_ms: int) -> list[Outgoing]:
        """Go on by one record.

        Raises
        ------
        KafkaEngineError
            It cannot be read; the part has passed over it.
        """
        ...

    def checkpoint(self) -> tuple[list[Change], list[Outgoing]]:
        """What changed since the last call, and what is to be told with it."""
        ...


class SignalRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record of the topic of signals: a finding, or how far event time has come.

    ``arrived_ms`` says when the mention came that completed the finding, by the clock.
    """

    schema: int
    signal: Signal | None = None
    watermark_ms: int | None = None
    arrived_ms: int | None = None


class DetectPart:
    """Observations of some brands in, signals out.

    Parameters
    ----------
    stage : DetectStage
        Without history.
    merge : Merge
    topic : str
        Where signals go.
    partition : int
    meter : Meter
        Told how long batches take.
    """

    def __init__(
        self,
        stage: DetectStage,
        merge: Merge,
        topic: str,
        partition: int,
        meter: Meter = UNMETERED,
    ) -> None:
        self.stage = stage
        self.merge = merge
        self._topic = topic
        self._partition = partition
        self._meter = meter
        self._told_ms = 0
        self._moved_ms = 0  # when event time moved last, by the clock
        self._released_ms = 0

    @property
    def done(self) -> int:
        """Offset up to which everything is in the state."""
        return self.merge.done

    def restore(self, pieces: Pieces) -> None:
        """Take up stored state."""
        self.stage.restore(pieces)
        self._told_ms = 0

    def take(self, offset: int, value: bytes | None, now_ms: int) -> list[Outgoing]:
        """Go on by one record; the signals it gives."""
        try:
            record = unpack(value)
        except KafkaEngineError:
            self.merge.skip(offset)
            raise
        self.merge.add(offset, record)
        if now_ms - self._released_ms < GATHER_MS:
            return []
        self._released_ms = now_ms
        found: list[Outgoing] = []
        began = time.perf_counter()
        if (released := self.merge.release()) is not None:
            for signal in self.stage.detect(released):
                # event time stood there when the mention was taken that completed it
                at = np.searchsorted(released.published_ms, signal.at_ms)
                arrived_ms = int(self.merge.arrived_ms[min(int(at), len(released) - 1)])
                found.append(self._record(signal.brand, signal=signal, arrived_ms=arrived_ms))
            self._meter.took("detect", time.perf_counter() - began)
            self._moved_ms = now_ms
        late = self._follow_clock(now_ms)
        return [*found, *(self._record(signal.brand, signal=signal) for signal in late)]

    def _follow_clock(self, now_ms: int) -> list[Signal]:
        """Let event time go on when there is nothing more to read anywhere."""
        watermark = self.stage.watermark_ms
        idle = len(self.merge) == 0 and now_ms - self._moved_ms >= IDLE_MS
        if watermark is None or not idle or now_ms - self.merge.empty_ms > IDLE_MS:
            return []
        if IDLE_MS + TICK_MS <= now_ms - watermark <= LIVE_MS:
            return self.stage.advance(now_ms - IDLE_MS)
        return []

    def checkpoint(self) -> tuple[list[Change], list[Outgoing]]:
        """What changed since the last call, and how far event time has come."""
        watermark = self.stage.watermark_ms
        told: list[Outgoing] = []
        if watermark is not None and watermark != self._told_ms:
            self._told_ms = watermark
            told.append(self._record(None, watermark_ms=watermark))
        return self.stage.changes(), told

    def _record(
        self,
        brand: str | None,
        *,
        signal: Signal | None = None,
        watermark_ms: int | None = None,
        arrived_ms: int | None = None,
    ) -> Outgoing:
        body = SignalRecord(
            schema=SIGNAL_VERSION,
            signal=signal,
            watermark_ms=watermark_ms,
            arrived_ms=arrived_ms,
        )
        key = brand.encode() if brand is not None else None
        return Outgoing(self._topic, key, msgspec.json.encode(body), self._partition)


class AlertPart:
    """Signals of some brands in, alerts out.

    Parameters
    ----------
    stage : AlertStage
        Without history.
    topic : str
        Where alerts go.
    opened : Counter, optional
        Alerts opened by type and severity are counted there.
    meter : Meter
        Told how long signals take, and when alerts are handed over.

    Attributes
    ----------
    watermark_ms : int or None
        Event time that stage detect told last.
    """

    def __init__(
        self,
        stage: AlertStage,
        topic: str,
        opened: Counter[tuple[str, str]] | None = None,
        meter: Meter = UNMETERED,
    ) -> None:
        self.stage = stage
        self.watermark_ms: int | None = None
        self._opened = Counter() if opened is None else opened
        self._meter = meter
        self._topic = topic
        self._done = -1
        self._ids: dict[str, None] = {}
        self._forgotten: list[Key] = []
        self._cases: dict[Key, Case] = {}  # that changed since the last checkpoint
        self._published: dict[str, Alert] = {}

    @property
    def done(self) -> int:
        """Offset up to which everything is in the state."""
        return self._done

    def restore(self, pieces: Pieces) -> None:
        """Take up stored state."""
        self._ids = dict.fromkeys(msgspec.json.decode(pieces.get("ids", b"[]"), type=list[str]))
        cases = [msgspec.json.decode(v, type=Case) for k, v in pieces.items() if k != "ids"]
        self.stage.restore(cases)

    def take(self, offset: int, value: bytes | None, now_ms: int) -> list[Outgoing]:
        """Go on by one record; what is to be published."""
        self._done = max(self._done, offset)
        record = read_signal(value)
        outcome = Outcome()
        began = time.perf_counter()
        if record.signal is not None and record.signal.id not in self._ids:
            self._ids[record.signal.id] = None
            outcome = self.stage.handle([record.signal])
            self._meter.took("alert", time.perf_counter() - began)
        elif record.watermark_ms is not None:
            self.watermark_ms = record.watermark_ms
            outcome = self.stage.advance(record.watermark_ms)
        self._tell(outcome.news, record.arrived_ms, now_ms)
        self._cases |= {key_of(case.alert): case for case in outcome.cases.values()}
        for key in outcome.forgotten:
            self._cases.pop(key, None)
            self._forgotten.append(key)
        self._published |= {alert.id: alert for alert in outcome.news}
        return [self._event(alert, alert.timeline[-1].event) for alert in outcome.news]

    def _tell(self, news: list[Alert], arrived_ms: int | None, now_ms: int) -> None:
        self._opened.update((a.type, a.severity) for a in news if len(a.timeline) == 1)
        if arrived_ms is not None:
            for alert in news:
                self._meter.published(alert, arrived_ms, now_ms)

    def checkpoint(self) -> tuple[list[Change], list[Outgoing]]:
        """What changed since the last call; alerts that went on without news."""
        cases, self._cases = self._cases, {}
        published, self._published = self._published, {}
        while len(self._ids) > _IDS_KEPT:
            del self._ids[next(iter(self._ids))]
        forgotten, self._forgotten = self._forgotten, []
        changes: list[Change] = [(_piece(key), None) for key in forgotten]
        changes += [(_piece(key), msgspec.json.encode(case)) for key, case in cases.items()]
        changes.append(("ids", msgspec.json.encode(list(self._ids))))
        went_on = [c.alert for c in cases.values() if published.get(c.alert.id) != c.alert]
        return changes, [self._event(alert, "went_on") for alert in went_on]

    def _event(self, alert: Alert, happened: str) -> Outgoing:
        body = msgspec.json.encode(alert)
        identity = f"{alert.id}/{len(alert.timeline)}"
        if happened == "went_on":
            # what one checkpoint holds depends on the clock: only the content tells two apart
            identity += f"/{blake2b(body, digest_size=8).hexdigest()}"
        headers = (("idempotency-key", identity.encode()), ("event", happened.encode()))
        return Outgoing(self._topic, alert.id.encode(), body, None, headers)


def _piece(key: Key) -> str:
    """Name of a case among the pieces of state; that of a brand begins no other."""
    brand, subject = key
    return f"subject/{brand}/{subject}/case" if subject else f"case/{brand}"


def read_signal(value: bytes | None) -> SignalRecord:
    """Read a record of the topic of signals.

    Raises
    ------
    UnknownVersion
        The record is of a version that this Nadhir does not know.
    KafkaEngineError
        It cannot be read.
    """
    try:
        version = msgspec.json.decode(value or b"", type=_Versioned).schema
        if version != SIGNAL_VERSION:
            raise UnknownVersion(f"a signal of version {version}; this Nadhir reads 1")
        return msgspec.json.decode(value or b"", type=SignalRecord)
    except msgspec.MsgspecError as error:
        raise KafkaEngineError(f"a signal that cannot be read: {error}") from error


class _Versioned(msgspec.Struct):
    schema: int


PartFactory = Callable[[int, Sequence[Brand]], Part]
"""Makes the part of a partition, given its number and brands."""
