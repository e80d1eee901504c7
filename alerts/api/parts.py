"""What the API is made of, composed elsewhere: the desk, what the engine knows, and limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
from prometheus_client import CollectorRegistry

from alerts.api.feed import Feed
from alerts.api.limits import Limits
from alerts.playbook.records import Playbook
from alerts.records import Decision
from alerts.service import Desk
from alerts.talk import Talk
from models.records import Brand


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """What could not be read, with its number in the store."""

    number: int
    reason: str
    detail: str
    source: str
    position: str
    retried: bool
    raw: bytes


class EngineView(Protocol):
    """What the engine knows and the response database does not."""

    @property
    def brands(self) -> Sequence[Brand]:
        """What is watched."""

    @property
    def playbooks(self) -> Sequence[Playbook]:
        """The playbooks in use."""

    def blind(self) -> Sequence[str] | None:
        """Brands of which nothing comes though it should; None if that is not known here."""

    def talk(self) -> Mapping[str, Talk] | None:
        """What was said of each brand over the last day; None if that is not known here."""

    def decisions(
        self, *, brand: str | None, outcome: str | None, before: int | None, limit: int
    ) -> Sequence[tuple[int, Decision]]:
        """Decisions with their numbers, the newest first, below ``before``."""

    def rejected(self, *, reason: str | None, before: int | None, limit: int) -> Sequence[Rejected]:
        """Rejected mentions, the newest first, numbered below ``before``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    """Settings of the API.

    Attributes
    ----------
    rate_per_min : int
        Requests of one token, and failures of one address, in a minute.
    max_body_bytes : int
    open_metrics : bool
        Whether /metrics asks this machine for no token: for an address that it alone reaches.
    metrics_token : str or None
        Opens /metrics beside a viewer's token.
    registry : CollectorRegistry
        What /metrics shows.
    tracer_provider : TracerProvider of OpenTelemetry, or None
        Requests are traced with it.
    """

    rate_per_min: int = 600
    max_body_bytes: int = 64 << 10
    open_metrics: bool = False
    metrics_token: str | None = None
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    tracer_provider: Any = None


@dataclass(slots=True, kw_only=True)
class Parts:
    """What the routes work with; ``app.state.parts``."""

    desk: Desk
    engine: EngineView
    options: ApiOptions
    feed: Feed
    limits: Limits = field(init=False)

    def __post_init__(self) -> None:
        self.limits = Limits(self.options.rate_per_min)
