"""What the API shows of an engine, and the API's settings."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import cached_property

import msgspec
from prometheus_client import CollectorRegistry

from alerts.api import ApiOptions, Rejected
from alerts.playbook import load_playbooks
from alerts.playbook.records import Playbook
from alerts.records import Decision
from alerts.talk import Talk
from models.records import Brand
from streams.config import Config
from streams.store import BLIND, TALK, Store


def api_options(config: Config, registry: CollectorRegistry, *, local: bool) -> ApiOptions:
    """The configured API; ``local`` if only this machine reaches it."""
    token = config.metrics.token
    return ApiOptions(
        rate_per_min=config.api.rate_per_min,
        max_body_bytes=config.api.max_body_kb << 10,
        open_metrics=local,
        metrics_token=token.get_secret_value() if token else None,
        registry=registry,
    )


class Watched:
    """What the API shows of an engine elsewhere: brands and playbooks of the configuration."""

    def __init__(self, config: Config) -> None:
        self.brands: Sequence[Brand] = config.brand_records()
        self._folder = config.paths.playbooks

    @cached_property
    def playbooks(self) -> Sequence[Playbook]:
        """The playbooks in use."""
        return tuple(load_playbooks(self._folder).values())

    def blind(self) -> Sequence[str] | None:
        """Not known here."""
        return None

    def talk(self) -> Mapping[str, Talk] | None:
        """Not known here."""
        return None

    def decisions(
        self, *, brand: str | None, outcome: str | None, before: int | None, limit: int
    ) -> Sequence[tuple[int, Decision]]:
        """None are kept here."""
        return []

    def rejected(self, *, reason: str | None, before: int | None, limit: int) -> Sequence[Rejected]:
        """None are kept here."""
        return []


class WatchedStore(Watched):
    """What the API shows of an embedded engine, from its store; from any thread."""

    def __init__(self, config: Config, store: Store) -> None:
        super().__init__(config)
        self._store = store
        self._turn = threading.Lock()  # a connection takes one question at a time

    def blind(self) -> Sequence[str] | None:
        """As of the engine's last commit."""
        with self._turn:
            held = self._store.meta(BLIND)
        return None if held is None else msgspec.json.decode(held, type=list[str])

    def talk(self) -> Mapping[str, Talk] | None:
        """As of the engine's last commit."""
        with self._turn:
            held = self._store.meta(TALK)
        return None if held is None else msgspec.json.decode(held, type=dict[str, Talk])

    def decisions(
        self, *, brand: str | None, outcome: str | None, before: int | None, limit: int
    ) -> Sequence[tuple[int, Decision]]:
        """Decisions, the newest first."""
        with self._turn:
            found = self._store.decisions_before(before, limit, brand=brand, outcome=outcome)
        return [(seq, msgspec.json.decode(body, type=Decision)) for seq, body in found]

    def rejected(self, *, reason: str | None, before: int | None, limit: int) -> Sequence[Rejected]:
        """Rejected mentions, the newest first."""
        with self._turn:
            found = self._store.rejected_before(before, limit, reason=reason)
        return [
            Rejected(
                number=number,
                reason=one.reason,
                detail=one.detail,
                source=one.source,
                position=one.position,
                retried=retried,
                raw=one.raw,
            )
            for number, one, retried in found
        ]
