"""What the stages of notification ask of the response database: silences, alerts that are open."""

from __future__ import annotations

from alerts.notify.records import Notification
from alerts.notify.stages.silenced import Mute
from alerts.silences import muted
from alerts.store import mutes, queue, rows
from alerts.store.database import Database
from alerts.texts import Phrases


class Standing:
    """The `Silences` and `OpenAlerts` of the notification stages, as of now.

    Parameters
    ----------
    database : Database
    phrases : Phrases
        The sentences of response.yaml.
    """

    def __init__(self, database: Database, phrases: Phrases) -> None:
        self._database = database
        self._phrases = phrases

    def silenced(self, told: Notification, now_ms: int) -> Mute | None:
        """What silences an alert; the end of what a receiver was told is not silenced for it."""
        with self._database.read() as connection:
            current = mutes.current(connection, now_ms)
            found = muted(current, told.alert, now_ms, self._phrases)
            ends = found is not None and told.why == "resolved"
            if found is None or (ends and queue.was_sent(connection, told.alert.id, told.receiver)):
                return None
        return Mute(found.window.end_ms, found.sentence.en)

    def critical_open(self, brand: str, other_than: str) -> str | None:
        """A critical alert of the brand that is not resolved, other than the one named."""
        with self._database.read() as connection:
            found = rows.greater(connection, [brand]).get(brand, ())
        return next((id_ for id_ in found if id_ != other_than), None)
