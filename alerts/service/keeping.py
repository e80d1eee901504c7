"""The half of the desk that administrators need: erasure, and what could not be delivered."""

from __future__ import annotations

from alerts.privacy import Author
from alerts.service import erasing
from alerts.service.kept_records import Erasure, Replayed
from alerts.service.speaking import Speaking
from alerts.service.tx import Tx
from alerts.service.writing import Answer, Once
from alerts.store import queue


class Keeping(Speaking):
    """What is kept of people outside, and of what was told."""

    def erase_author(self, actor: str, author: Author) -> tuple[Author, Erasure]:
        """Erase one author's data; the author with the handles and posts known here, too."""
        with self._tx(actor) as tx:
            done = erasing.erase_author(tx, author, self._phrases)
        self.database.compact()
        return done

    def erase(self, actor: str, author: Author, *, once: Once | None) -> Answer:
        """Erase one author's data.

        Should giving back the space fail, the request fails; sent again, that is tried again.
        """
        answer = self._once(
            actor, once, lambda tx: (erasing.erase_author(tx, author, self._phrases)[1], None)
        )
        self.database.compact()
        return answer

    def replay(self, actor: str, receiver: str | None, *, once: Once | None) -> Answer:
        """Send again what was given up, of one receiver or all."""

        def work(tx: Tx) -> tuple[Replayed, None]:
            queued, cancelled = queue.replay(tx.connection, tx.now_ms, receiver)
            made = Replayed(queued=queued, cancelled=cancelled)
            details = {"receiver": receiver, "queued": queued, "cancelled": cancelled}
            tx.record("notifications_replayed", None, details)
            return made, None

        return self._once(actor, once, work)
