"""How we reach the cluster: one place turns settings into what the clients take."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ssl import SSLContext, SSLError, create_default_context
from typing import TYPE_CHECKING, Any, TypeVar

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, UnknownBrokerIdError

from streams.config.schema import KafkaSettings
from streams.kafka import KafkaEngineError

if TYPE_CHECKING:
    from aiokafka import AIOKafkaConsumer

_TIMEOUT_MS = 10_000
# A broker that starts may answer for a while without some topics; who joins a group then is given
# none of their partitions until the next look, which by default is five minutes away.
METADATA_MS = 5_000
# the client drops a last answer that comes together with the end of a connection
_HUNG_UP = (
    "it hung up, perhaps after a failed authentication: see kafka.username and kafka.password"
)
_PATIENCE_S = 10.0
_PAUSE_S = 0.1
T = TypeVar("T")


def _common(kafka: KafkaSettings) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "bootstrap_servers": list(kafka.bootstrap),
        "security_protocol": kafka.protocol,
    }
    if kafka.protocol.startswith("SASL"):
        settings |= {
            "sasl_mechanism": kafka.sasl_mechanism,
            "sasl_plain_username": kafka.username,
            "sasl_plain_password": password(kafka),
        }
    return settings


def client_settings(kafka: KafkaSettings) -> dict[str, Any]:
    """Address and security, as kafka-python takes them.

    Examples
    --------
    >>> client_settings(KafkaSettings())
    {'bootstrap_servers': ['127.0.0.1:9092'], 'security_protocol': 'PLAINTEXT'}
    """
    files = {"ssl_cafile": kafka.ca_file, "ssl_certfile": kafka.cert_file}
    files["ssl_keyfile"] = kafka.key_file
    given = {name: str(path) for name, path in files.items() if path is not None}
    return _common(kafka) | given


def async_settings(kafka: KafkaSettings) -> dict[str, Any]:
    """Address and security, as aiokafka takes them."""
    context = ssl_context(kafka)
    return _common(kafka) | ({"ssl_context": context} if context is not None else {})


def ssl_context(kafka: KafkaSettings) -> SSLContext | None:
    """How connections are encrypted; ``None`` if they are not.

    Raises
    ------
    KafkaEngineError
        If a certificate cannot be used.
    """
    if not kafka.protocol.endswith("SSL"):
        return None
    try:
        context = create_default_context(cafile=kafka.ca_file)
        if kafka.cert_file is not None:
            context.load_cert_chain(kafka.cert_file, kafka.key_file)
    except (OSError, SSLError) as error:
        raise KafkaEngineError(
            f"kafka.ca_file, kafka.cert_file or kafka.key_file cannot be used: {error}"
        ) from error
    return context


def leave_for_good(consumer: AIOKafkaConsumer) -> None:
    """Let a consumer that is about to stop give its partitions away at once.

    One with a name (``kafka.instance``) keeps them until the session times out, so that it finds
    them again when it was killed; aiokafka makes no difference between that and an end in order.
    """
    consumer._coordinator._group_instance_id = None


def password(kafka: KafkaSettings) -> str | None:
    """The user's password, to hand to a client and nowhere else."""
    return kafka.password.get_secret_value() if kafka.password else None


@contextmanager
def reached(kafka: KafkaSettings) -> Iterator[None]:
    """Turn what the clients raise into a sentence that names the cluster and what to do."""
    refusals = _Refusals()
    network = logging.getLogger("kafka.net")
    network.addHandler(refusals)
    try:
        yield
    except KafkaError as error:
        where = ", ".join(kafka.bootstrap)
        why = refusals.first
        signing_in = kafka.protocol.startswith("SASL") and "bootstrap" in str(error)
        if not why and refusals.hung_up and signing_in:
            why = _HUNG_UP
        because = f" ({why})" if why else ""
        raise KafkaEngineError(
            f"Kafka at {where}: {type(error).__name__}: {error}{because}; see kafka.bootstrap and "
            "kafka.protocol (NADHIR_KAFKA__…); `make kafka` starts one on this machine"
        ) from error
    finally:
        network.removeHandler(refusals)


class _Refusals(logging.Handler):
    """Why a cluster does not take us; the client logs that, and raises no more than a timeout."""

    first = ""
    hung_up = False

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the first that says something about passwords or certificates."""
        for said in map(str, record.args if isinstance(record.args, tuple) else ()):
            self.hung_up |= "socket disconnected" in said
            if not self.first and ("SaslAuthentication" in said or "[SSL" in said):
                self.first = said


@contextmanager
def admin(kafka: KafkaSettings, wait_ms: int = _TIMEOUT_MS) -> Iterator[KafkaAdminClient]:
    """An admin client, closed afterwards; it waits for a cluster that is not there yet.

    Raises
    ------
    KafkaEngineError
        If the cluster cannot be reached, or refuses what is asked.
    """
    with reached(kafka):
        client = KafkaAdminClient(
            **client_settings(kafka),
            client_id="nadhir",
            request_timeout_ms=_TIMEOUT_MS,
            bootstrap_timeout_ms=wait_ms,
            reconnect_backoff_max_ms=1_000,
        )
        try:
            yield client
        finally:
            client.close()


def patiently(ask: Callable[[], T], enough: Callable[[T], bool] = lambda _: True) -> T:
    """Ask again for a while, until the answer is enough; the last answer.

    Brokers hear of topics and of each other one after the other; groups have no coordinator at
    first.
    """
    end = time.monotonic() + _PATIENCE_S
    while True:
        try:
            answer = ask()
            if enough(answer) or time.monotonic() > end:
                return answer
        except KafkaError as error:
            passes = error.retriable or isinstance(error, UnknownBrokerIdError)
            if not passes or time.monotonic() > end:
                raise
        time.sleep(_PAUSE_S)
