"""One write of the desk: a transaction, carried out once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import msgspec

from alerts.links import Links
from alerts.service.errors import KeyReused
from alerts.service.reading import Reading
from alerts.service.tx import Escalator, Policy, Tx
from alerts.store import access
from alerts.store.access import Kept
from alerts.store.database import Database
from alerts.texts import Phrases


class Once(msgspec.Struct, frozen=True, kw_only=True):
    """That a request is to be carried out once: its key, and a hash of what it asks for."""

    key: str
    fingerprint: str


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What a write is answered with, the same each time it comes with its key."""

    status: int
    version: int | None
    body: bytes


class Versioned(Protocol):
    """What has a version that its answer tells."""

    @property
    def version(self) -> int:
        """Which it is at."""


class Writing(Reading):
    """What the writing halves of `alerts.service.Desk` have in common."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], int],
        phrases: Phrases,
        policy: Policy,
        links: Links,
        escalator: Escalator | None,
    ) -> None:
        super().__init__(database, clock, phrases, policy, links)
        self._escalator = escalator

    @contextmanager
    def _tx(self, actor: str) -> Iterator[Tx]:
        with self.database.write() as connection:
            yield Tx(
                connection,
                actor=actor,
                now_ms=self.clock(),
                policy=self._policy,
                links=self.links,
                escalator=self._escalator,
            )

    def _versioned(
        self, actor: str, once: Once | None, work: Callable[[Tx], Versioned], status: int = 200
    ) -> Answer:
        def versioned(tx: Tx) -> tuple[Any, int]:
            done = work(tx)
            return done, done.version

        return self._once(actor, once, versioned, status)

    def _once(
        self,
        actor: str,
        once: Once | None,
        work: Callable[[Tx], tuple[Any, int | None]],
        status: int = 200,
    ) -> Answer:
        """Carry out a write, or answer what it was answered before.

        The key is taken first and its answer stored last, in the transaction of the write itself:
        either both are there or neither.
        """
        with self._tx(actor) as tx:
            if once is not None:
                key = (actor, once.key)
                if not access.reserve(tx.connection, *key, once.fingerprint, tx.now_ms):
                    return _again(access.kept(tx.connection, *key), once)
            made, version = work(tx)
            answer = Answer(status=status, version=version, body=msgspec.json.encode(made))
            if once is not None:
                held = Kept(
                    fingerprint=once.fingerprint, status=status, version=version, body=answer.body
                )
                access.keep(tx.connection, *key, held)
        return answer


def _again(kept: Kept | None, once: Once) -> Answer:
    if kept is None or kept.fingerprint != once.fingerprint:
        raise KeyReused("this Idempotency-Key came with another request before; choose a new one")
    return Answer(status=kept.status, version=kept.version, body=kept.body)
