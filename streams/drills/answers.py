"""Everything that happened in a drill: what was noted, and what responders did about its alerts."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from alerts.drills import DrillEvent
from streams.config import Config
from streams.drills.folder import DrillFolder


def all_events(config: Config, folder: DrillFolder) -> list[DrillEvent]:
    """Noted events, and those that the response database has of the drill's alerts.

    Raises
    ------
    alerts.store.StoreFault
        If there is a database and it cannot be read.
    """
    noted = folder.events()
    alerts = sorted({event.alert for event in noted if event.alert is not None})
    return [*noted, *_answers(config, alerts)] if alerts else noted


def _answers(config: Config, alerts: list[str]) -> list[DrillEvent]:
    from alerts.service.drilled import drill_events
    from alerts.store.database import Database
    from streams.desk import database_place

    place = database_place(config)
    if isinstance(place, Path) and not place.exists():
        return []
    with closing(Database(place)) as database, database.read() as connection:
        return drill_events(connection, alerts)
