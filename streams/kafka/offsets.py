"""Offsets: how far consumer groups have come, and where partitions begin and end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.structs import OffsetAndMetadata

from streams.kafka import KafkaEngineError
from streams.kafka.connection import patiently


def partitions(client: KafkaAdminClient, topics: Iterable[str]) -> list[TopicPartition]:
    """Every partition of some topics.

    Raises
    ------
    KafkaEngineError
        If a topic is missing.
    """
    wanted = list(topics)
    existing = patiently(lambda: set(client.list_topics()), lambda some: some >= set(wanted))
    if missing := [name for name in wanted if name not in existing]:
        raise KafkaEngineError(
            f"there is no topic {', '.join(missing)}; create it: nadhir topics create"
        )
    found = {t["name"]: len(t["partitions"]) for t in client.describe_topics(wanted)}
    return [TopicPartition(name, p) for name in wanted for p in range(found[name])]


def begins(
    client: KafkaAdminClient, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """Offset of the first record that is kept."""
    return _at(client, partitions, OffsetSpec.EARLIEST)


def ends(
    client: KafkaAdminClient, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """Offset after the last record."""
    return _at(client, partitions, OffsetSpec.LATEST)


def _at(
    client: KafkaAdminClient, partitions: Iterable[TopicPartition], where: OffsetSpec
) -> dict[TopicPartition, int]:
    found = client.list_partition_offsets(dict.fromkeys(partitions, where))
    return {tp: each.offset for tp, each in found.items()}


def committed(
    client: KafkaAdminClient, group: str, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """Offset of what a group reads next; partitions of which it committed nothing are left out."""
    wanted = {group: list(partitions)}
    found = patiently(lambda: client.list_group_offsets(wanted))[group]
    return {tp: each.offset for tp, each in found.items() if each.offset >= 0}


def commit(client: KafkaAdminClient, group: str, offsets: Mapping[TopicPartition, int]) -> None:
    """Commit offsets of a group that has no member at the moment.

    Raises
    ------
    KafkaError
        If an offset was not taken.
    """
    wanted = {tp: OffsetAndMetadata(offset, "", -1) for tp, offset in offsets.items()}

    def ask() -> None:
        for error in client.alter_group_offsets(group, wanted).values():
            if error.errno:
                raise error

    patiently(ask)
