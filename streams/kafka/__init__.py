"""The Kafka engine: topics, connections, producing."""


class KafkaEngineError(Exception):
    """The cluster cannot be used; the message says what to do."""
