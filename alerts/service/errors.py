"""Why a use case was not carried out; the API tells each with its own status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from alerts.playbook.records import Bilingual
from alerts.service.records import Summary

Fault: TypeAlias = tuple[str, str, Bilingual]
"""Field, stable code and sentence."""


class ServiceError(Exception):
    """Nothing was changed; the message says why."""


class Missing(ServiceError):
    """There is no such thing."""


class Conflict(ServiceError):
    """The state does not allow it; ``faults`` as of `Invalid`, where there are sentences."""

    def __init__(
        self, message: str, current: Summary | None = None, faults: Sequence[Fault] = ()
    ) -> None:
        super().__init__(message)
        self.current = current
        self.faults = faults


class Stale(ServiceError):
    """The caller saw another version; ``current`` is how it is now."""

    def __init__(self, current: Summary | None, version: int) -> None:
        super().__init__(f"it was changed meanwhile, it is at version {version}")
        self.current = current
        self.version = version


class Invalid(ServiceError):
    """What was asked for makes no sense; field, stable code and sentence of each fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{field}: {said.en}" for field, _, said in faults))
        self.faults = faults


class KeyReused(ServiceError):
    """An idempotency key came again with another request."""


class LinkRefused(ServiceError):
    """An acknowledge link that opens nothing; ``why`` is forged, expired, used or outdated."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the link is {why}")
        self.why = why
