"""Alerts from their topic, taken up by the response side."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from kafka import KafkaConsumer
from kafka.errors import KafkaError

from alerts.records import Alert
from alerts.service import Desk
from alerts.store.errors import StoreFault
from streams.config.schema import KafkaSettings
from streams.kafka.connection import client_settings, reached
from streams.kafka.topics import group, names

log = logging.getLogger("nadhir.alerts")
_POLL_MS = 500
_PAUSE_S = 2.0  # after a failure


@contextmanager
def taking(kafka: KafkaSettings, desk: Desk) -> Iterator[None]:
    """Take up what the workers publish, meanwhile.

    An offset is committed after what lies before it was taken; taking twice does nothing.  The
    members of several APIs share the partitions.

    Raises
    ------
    KafkaEngineError
        If the cluster cannot be reached at first.
    """
    with reached(kafka):
        consumer = KafkaConsumer(
            names(kafka).alerts,
            **client_settings(kafka),
            group_id=group(kafka, "response"),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
    stopped = threading.Event()
    thread = threading.Thread(target=_take, args=(consumer, desk, stopped), name="alerts")
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()


def _take(consumer: KafkaConsumer, desk: Desk, stopped: threading.Event) -> None:
    try:
        while not stopped.is_set():
            try:
                _take_some(consumer, desk, stopped)
            except KafkaError as error:
                log.error(
                    "topic of alerts: %s: %s; will be tried again", type(error).__name__, error
                )
                stopped.wait(_PAUSE_S)
    finally:
        consumer.close()


def _take_some(consumer: KafkaConsumer, desk: Desk, stopped: threading.Event) -> None:
    found = consumer.poll(timeout_ms=_POLL_MS)
    for records in found.values():
        for record in records:
            if not _took(record.value, desk, stopped):
                return  # nothing was committed: it is read again
    if found:
        consumer.commit()


def _took(value: bytes | None, desk: Desk, stopped: threading.Event) -> bool:
    """Take one up, however long the database is away; False if we are to stop before."""
    if value is None:
        return True  # a record that was dropped
    try:
        alert = msgspec.json.decode(value, type=Alert)
    except msgspec.MsgspecError as error:
        log.error("an alert of the topic cannot be read and is passed over: %s", error)
        return True
    while not stopped.is_set():
        try:
            desk.take(alert)
        except StoreFault as error:
            log.error("alert %s: %s; will be tried again", alert.id, error)
            stopped.wait(_PAUSE_S)
        except Exception:  # one alert that cannot be taken must not keep all others waiting
            log.exception("alert %s cannot be taken up and is passed over", alert.id)
            return True
        else:
            return True
    return False
