"""What every process tells: its version, its models, its processor time and memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector, disable_created_metrics
from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.registry import Collector

import models
from streams.config import Config

_ARTIFACTS = Path(models.__file__).with_name("artifacts")
_SHIPPED = {
    "sarcasm": "sarcasm.json",
    "topics": "topics.json",
    "impersonation": "impersonation.json",
    "intent": "intent.json",
    "narratives": "claim_marks.json",
}
_DIGITS = 12


def new_registry() -> CollectorRegistry:
    """A registry for one process, with what every process tells."""
    # when a counter was made is nothing anybody asks
    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_Info("nadhir_build", "The version that runs.", [{"version": _release()}]))
    return registry


def register_models(registry: CollectorRegistry, config: Config) -> None:
    """Tell which models the process works with."""
    found = [{"model": name, "version": digest} for name, digest in _digests(config).items()]
    registry.register(_Info("nadhir_model", "The models that score and detect.", found))


def _release() -> str:
    return version("nadhir")


def _digests(config: Config) -> dict[str, str]:
    """The first digits of the SHA-256 of each model's file: another file, another version."""
    own = config.sentiment.model != "builtin"
    files = {"sentiment": config.sentiment.files[0] if own else _ARTIFACTS / "sentiment.npz"}
    files |= {name: _ARTIFACTS / file for name, file in _SHIPPED.items()}
    return {name: _digest(path) for name, path in files.items()}


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:_DIGITS]


class _Info(Collector):
    """Facts as labels of a metric that is always 1."""

    def __init__(self, name: str, text: str, facts: list[dict[str, str]]) -> None:
        family = InfoMetricFamily(name, text, labels=list(facts[0]))
        for each in facts:
            family.add_metric(list(each.values()), {})
        self._family = family

    def collect(self) -> Iterator[Metric]:
        yield self._family
