"""The half of the desk that prepares what is said in public."""

from __future__ import annotations

from alerts.service import messaging
from alerts.service.message_records import MessageList
from alerts.service.writing import Answer, Once, Writing


class Speaking(Writing):
    """Messages of alerts; see `alerts.messages` for what may follow what."""

    def messages(self, id_: str) -> MessageList:
        """The messages of an alert.

        Raises
        ------
        Missing
        """
        with self.database.read() as connection:
            return messaging.listed(connection, id_, self._phrases)

    def edit_message(
        self,
        actor: str,
        id_: str,
        name: str,
        posts: tuple[str, ...],
        *,
        version: int | None,
        once: Once | None,
    ) -> Answer:
        """Write a message anew: a draft again, from the facts of now."""
        step = messaging.edited(actor, posts, self._phrases)
        return self._message(actor, id_, name, step, version, once)

    def approve_message(
        self,
        actor: str,
        id_: str,
        name: str,
        digest: str,
        *,
        version: int | None,
        once: Once | None,
    ) -> Answer:
        """Approve the text and facts that were shown."""
        step = messaging.approved(actor, self.clock(), digest, self._phrases)
        return self._message(actor, id_, name, step, version, once)

    def withdraw_message(
        self,
        actor: str,
        id_: str,
        name: str,
        *,
        version: int | None,
        reason: str,
        once: Once | None,
    ) -> Answer:
        """Take the approvals of a message back."""
        step = messaging.withdrawn(actor, reason, self._phrases)
        return self._message(actor, id_, name, step, version, once)

    def sent_message(
        self,
        actor: str,
        id_: str,
        name: str,
        where: str,
        *,
        version: int | None,
        once: Once | None,
    ) -> Answer:
        """Note where a message was published."""
        step = messaging.sent(actor, where, self.clock(), self._phrases)
        return self._message(actor, id_, name, step, version, once)

    def _message(
        self,
        actor: str,
        id_: str,
        name: str,
        step: messaging.Change,
        version: int | None,
        once: Once | None,
    ) -> Answer:
        return self._versioned(
            actor,
            once,
            lambda tx: messaging.change(
                tx, id_, name, step, version=version, phrases=self._phrases
            ),
        )
