"""How far the stages are behind: what their topics hold and their groups have not committed."""

from __future__ import annotations

from dataclasses import dataclass

from streams.config.schema import KafkaSettings
from streams.kafka.connection import admin
from streams.kafka.offsets import begins, committed, ends, partitions
from streams.kafka.topics import group, names


@dataclass(frozen=True, slots=True)
class Lag:
    """Records of a partition that a stage has still to do.

    Attributes
    ----------
    committed : int or None
        Offset of what the stage reads next; None if it never committed one.
    end : int
        Offset after the last record.
    """

    stage: str
    topic: str
    partition: int
    committed: int | None
    end: int
    lag: int


def measure(kafka: KafkaSettings) -> list[Lag]:
    """The lag of every stage in every partition of its topic.

    Raises
    ------
    KafkaEngineError
        If the cluster cannot be reached, or has no such topics.
    """
    called = names(kafka)
    reads = {"score": called.mentions, "detect": called.observations, "alert": called.signals}
    result: list[Lag] = []
    with admin(kafka) as client:
        every = partitions(client, reads.values())
        first = begins(client, every)
        mine = {topic: [tp for tp in every if tp.topic == topic] for topic in reads.values()}
        read = {s: committed(client, group(kafka, s), mine[topic]) for s, topic in reads.items()}
        after = ends(client, every)  # asked last, so that no stage is ahead of it
    for stage, topic in reads.items():
        for tp in mine[topic]:
            offset = read[stage].get(tp)
            # what is no longer kept will never be read
            start = max(first[tp], offset if offset is not None else 0)
            lag = max(0, after[tp] - start)
            result.append(Lag(stage, topic, tp.partition, offset, after[tp], lag))
    return result
