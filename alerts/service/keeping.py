"""The half of the desk that administrators need: erasure, and what could not be delivered."""

from __future__ import annotations

from alerts.privacy import Author
from alerts.retention import Retention
from alerts.service import ageing, erasing
from alerts.service.judging import Judging
from alerts.service.kept_records import Erasure, Replayed
from alerts.service.tx import SYSTEM, Tx
from alerts.service.writing import Answer, Once
from alerts.store import ageing as ageing_store
from alerts.store import queue


class Keeping(Judging):
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

    def prune(self, plan: Retention) -> dict[str, int]:
        """Drop what is older than a plan says; how many, by kind of data.

        Some at a time, so that nobody waits long; what is left when it fails is done another time.
        """
        counts: dict[str, int] = {}
        for name, step in ageing.STEPS.items():
            counts[name] = 0
            done = -1
            while done:
                with self._tx(SYSTEM) as tx:
                    ageing_store.overwrite(tx.connection)
                    done = step(tx, plan)
                counts[name] += done
        return counts

    def replay(self, actor: str, receiver: str | None, *, once: Once | None) -> Answer:
        """Send again what was given up, of one receiver or all."""

        def work(tx: Tx) -> tuple[Replayed, None]:
            queued, cancelled = queue.replay(tx.connection, tx.now_ms, receiver)
            made = Replayed(queued=queued, cancelled=cancelled)
            details = {"receiver": receiver, "queued": queued, "cancelled": cancelled}
            tx.record("notifications_replayed", None, details)
            return made, None

        return self._once(actor, once, work)
