"""How the stateful stages use Faust."""

from __future__ import annotations

from typing import Any

import faust

from streams.config.schema import KafkaSettings
from streams.kafka.connection import METADATA_MS, password, ssl_context
from streams.kafka.topics import group


def create_app(stage: str, kafka: KafkaSettings) -> faust.App:
    """The Faust application of a stateful stage: its settings, and why some differ from Faust's."""
    return faust.App(
        group(kafka, stage),
        broker=[f"kafka://{address}" for address in kafka.bootstrap],
        broker_credentials=_credentials(kafka),
        store="memory://",
        web_enabled=False,
        topic_partitions=kafka.partitions,
        topic_replication_factor=kafka.replication,
        topic_allow_declare=False,  # `nadhir topics create` does
        topic_disable_leader=True,
        table_standby_replicas=0,
        processing_guarantee="at_least_once",
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=kafka.instance,
        consumer_max_fetch_size=8 << 20,
        consumer_metadata_max_age_ms=METADATA_MS,
        broker_commit_interval=1.0,
        broker_session_timeout=6.0,
        broker_heartbeat_interval=1.0,
        stream_wait_empty=False,
        producer_acks=-1,
        producer_linger=0.005,
        producer_max_batch_size=1 << 20,
        producer_max_request_size=4 << 20,
        stream_buffer_maxsize=256,  # records; a full buffer stops the fetching
    )


def _credentials(kafka: KafkaSettings) -> Any:
    context = ssl_context(kafka)
    if kafka.protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=kafka.username,
            password=password(kafka),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context is not None else None
