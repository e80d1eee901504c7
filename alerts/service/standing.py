"""What the stages of notification ask of the response database: silences, alerts that are open."""

from __future__ import annotations

from alerts.notify.records import Notification
from alerts.silences import muted
from alerts.store import mutes, rows
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

    def silenced(self, told: Notification, now_ms: int) -> str | None:
        """Whose silence covers an alert, and until when; None if none does."""
        with self._database.read() as connection:
            current = mutes.current(connection, now_ms)
        found = muted(current, told.alert, now_ms, self._phrases)
        return None if found is None else found.sentence.en

    def critical_open(self, brand: str, other_than: str) -> str | None:
        """A critical alert of the brand that is not resolved, other than the one named."""
        with self._database.read() as connection:
            found = rows.greater(connection, [brand]).get(brand, ())
        return next((id_ for id_ in found if id_ != other_than), None)
