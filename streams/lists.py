"""Allow and block lists that are kept in the response database, taken up while the stream runs.

A thread asks the database every second whether they changed.  Where it cannot be asked, what was
known last holds: mentions go on being scored.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from alerts.store import listings
from alerts.store.database import Database
from alerts.store.errors import StoreFault
from models.records import Judgement
from streams.config import Config
from streams.desk import database_place

log = logging.getLogger("nadhir.lists")

_PAUSE_S = 1.0
Take = Callable[[Sequence[Judgement]], None]


@contextmanager
def following(database: Database, take: Take) -> Iterator[None]:
    """Hand over the lists now, and again whenever they change.

    Raises
    ------
    alerts.store.StoreFault
        If they cannot be read at first.
    """
    reader = _Reader(lambda: database, take)
    reader.look()
    with _looking(reader):
        yield


@contextmanager
def following_elsewhere(config: Config, take: Take) -> Iterator[None]:
    """The same of the configured database, which another process keeps and may not be there yet."""
    opened: list[Database] = []

    def database() -> Database | None:
        place = database_place(config)
        if not opened and (isinstance(place, str) or place.exists()):
            opened.append(Database(place))
        return opened[0] if opened else None

    reader = _Reader(database, take)
    try:
        reader.try_look()
        with _looking(reader):
            yield
    finally:
        for each in opened:
            each.close()


class _Reader:
    """Reads the lists when they have changed."""

    def __init__(self, database: Callable[[], Database | None], take: Take) -> None:
        self._database = database
        self._take = take
        self._mark = (0, 0, 0)  # of lists that are empty
        self._failing = False

    def look(self) -> None:
        database = self._database()
        if database is None:
            return
        with database.read() as connection:
            mark = listings.mark(connection)
            found = listings.current(connection) if mark != self._mark else None
        if found is not None:
            self._take(found)
            self._mark = mark
            log.info("lists: %d entries beside those of the configuration", len(found))

    def try_look(self) -> None:
        try:
            self.look()
        except StoreFault as error:
            if not self._failing:
                log.error("lists: %s; those known last hold meanwhile", error)
            self._failing = True
        else:
            self._failing = False


@contextmanager
def _looking(reader: _Reader) -> Iterator[None]:
    stopped = threading.Event()

    def work() -> None:
        while not stopped.wait(_PAUSE_S):
            try:
                reader.try_look()
            except Exception:  # lists would never change again if this thread ended
                log.exception("lists cannot be read; will be tried again")

    thread = threading.Thread(target=work, name="lists", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
