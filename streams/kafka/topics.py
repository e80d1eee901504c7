"""The topics: what they should be, what they are, and how to mend what differs.

Partitions of a topic with keys are never added by us: a brand's state lives with its partition,
and more partitions would send its mentions to another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError

from streams.config.schema import KafkaSettings
from streams.kafka.connection import patiently

_HOUR_MS = 3_600_000
_REJECTED_H = 720  # rejected mentions and signals are looked at later
_OBSERVATIONS_H = 24  # they can be made again from the mentions
TABLE = "state"
# pieces are written again and again: compacted early, so that a restart reads little more than one
_STATE = {
    "cleanup.policy": "compact",
    "segment.bytes": str(16 << 20),
    "segment.ms": str(600_000),
    "min.cleanable.dirty.ratio": "0.1",
}
_MAX_RECORD_BYTES = 4 << 20  # a rejected line of 1 MiB, with why and where from; packed records


@dataclass(frozen=True, slots=True)
class Topic:
    """What a topic should be: its name, its shape, and the settings that are ours."""

    name: str
    partitions: int
    replication: int
    settings: dict[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """What a topic is on the cluster; the least replication of its partitions."""

    partitions: int
    replication: int
    settings: dict[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Something about a topic that is not as it should be, and how to mend it."""

    topic: str
    what: str
    wanted: str
    found: str
    mend: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.what} is {self.found}, not {self.wanted}; {self.mend}"


class Names(NamedTuple):
    """Names of our topics on the cluster."""

    mentions: str
    rejected: str
    observations: str
    signals: str
    alerts: str
    states: str
    detect_state: str
    alert_state: str


def names(kafka: KafkaSettings) -> Names:
    """What the topics are called.

    Examples
    --------
    >>> names(KafkaSettings(prefix="n.")).rejected
    'n.mentions.rejected'
    """
    prefix = kafka.prefix or ""
    every = ("mentions", "mentions.rejected", "observations", "signals", "alerts", "alerts.states")
    state = (f"{group(kafka, stage)}-{TABLE}-changelog" for stage in ("detect", "alert"))
    return Names(*(f"{prefix}{name}" for name in every), *state)


def group(kafka: KafkaSettings, stage: str) -> str:
    """Consumer group of a stage."""
    return f"{kafka.prefix or ''}nadhir-{stage}"


def wanted_topics(kafka: KafkaSettings) -> list[Topic]:
    """The topics that the configuration asks for.

    Examples
    --------
    >>> [t.name for t in wanted_topics(KafkaSettings(prefix="n."))][:2]
    ['n.mentions', 'n.mentions.rejected']
    """
    called = names(kafka)
    by_name = {
        called.mentions: _kept_for(kafka.retention_h),
        called.rejected: _kept_for(max(_REJECTED_H, kafka.retention_h)),
        called.observations: _kept_for(min(_OBSERVATIONS_H, kafka.retention_h)),
        called.signals: _kept_for(max(_REJECTED_H, kafka.retention_h)),
        called.alerts: {"cleanup.policy": "compact"},
        called.states: {"cleanup.policy": "compact"},
        called.detect_state: _STATE,
        called.alert_state: _STATE,
    }
    common = {
        "min.insync.replicas": "2" if kafka.replication >= 3 else "1",
        "max.message.bytes": str(_MAX_RECORD_BYTES),
    }
    return [
        Topic(name, kafka.partitions, kafka.replication, settings | common)
        for name, settings in by_name.items()
    ]


def _kept_for(hours: int) -> dict[str, str]:
    return {"cleanup.policy": "delete", "retention.ms": str(hours * _HOUR_MS)}


def describe(client: KafkaAdminClient, topics: Sequence[Topic]) -> dict[str, Found]:
    """What those of the topics that exist are on the cluster, by name.

    What is missing is looked for again for a while: brokers hear of new topics one after the other.
    """
    return patiently(lambda: _described(client, topics), lambda found: len(found) == len(topics))


def _described(client: KafkaAdminClient, topics: Sequence[Topic]) -> dict[str, Found]:
    existing = set(client.list_topics())
    names = [t.name for t in topics if t.name in existing]
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    settings = client.describe_configs(resources, config_filter="all")["topic"]
    return {
        each["name"]: Found(
            partitions=len(each["partitions"]),
            replication=min(len(p["replica_nodes"]) for p in each["partitions"]),
            settings={k: str(v["value"]) for k, v in settings[each["name"]].items()},
        )
        for each in client.describe_topics(names)
    }


def check(topics: Sequence[Topic], found: dict[str, Found]) -> list[Difference]:
    """Everything in which the cluster differs from what is wanted."""
    differences: list[Difference] = []
    for topic in topics:
        if topic.name not in found:
            todo = "create it: nadhir topics create"
            differences.append(Difference(topic.name, "the topic", "there", "missing", todo))
        else:
            differences += _differences(topic, found[topic.name])
    return differences


def _differences(topic: Topic, found: Found) -> list[Difference]:
    result: list[Difference] = []

    def note(what: str, wanted: object, is_: object, mend: str) -> None:
        if wanted != is_:
            result.append(Difference(topic.name, what, str(wanted), str(is_), mend))

    shape = (
        "a brand would move to another partition, away from its state: set kafka.partitions to "
        f"{found.partitions}, or stop the workers and begin with new topics (kafka.prefix)"
    )
    note("the number of partitions", topic.partitions, found.partitions, shape)
    copies = "move it with kafka-reassign-partitions, or set kafka.replication"
    note("replication", topic.replication, found.replication, copies)
    for name, value in topic.settings.items():
        update = "set it: nadhir topics create --update"
        note(name, value, found.settings.get(name, "unset"), update)
    return result


def create(client: KafkaAdminClient, topics: Sequence[Topic]) -> list[str]:
    """Create the topics that are missing; their names."""
    missing = patiently(lambda: _missing(client, topics))

    def ask() -> None:
        if left := _missing(client, missing):
            with suppress(TopicAlreadyExistsError):  # the broker that was asked had not heard of it
                client.create_topics({t.name: _options(t) for t in left}, wait_for_metadata=True)

    patiently(ask)
    return [t.name for t in missing]


def _missing(client: KafkaAdminClient, topics: Sequence[Topic]) -> list[Topic]:
    existing = set(client.list_topics())
    return [t for t in topics if t.name not in existing]


def update(client: KafkaAdminClient, topics: Sequence[Topic], found: dict[str, Found]) -> list[str]:
    """Set the settings that differ, of topics that exist; the names of those topics."""
    resources: list[ConfigResource] = []
    for topic in topics:
        held = found[topic.name].settings if topic.name in found else topic.settings
        wrong = {k: v for k, v in topic.settings.items() if held.get(k) != v}
        if wrong:
            resources.append(ConfigResource(ConfigResourceType.TOPIC, topic.name, configs=wrong))
    if resources:
        client.alter_configs(resources)
    return [resource.name for resource in resources]


def _options(topic: Topic) -> dict[str, Any]:
    return {
        "num_partitions": topic.partitions,
        "replication_factor": topic.replication,
        "configs": topic.settings,
    }
