"""A cluster that asks for TLS and a password: every client gets what it needs to know."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka.errors import KafkaConnectionError, KafkaTimeoutError
from pydantic import SecretStr

from deploy.kafka.cluster import User, cluster
from streams.config.schema import KafkaSettings
from streams.kafka import KafkaEngineError
from streams.kafka.connection import reached
from tests.integration.workers import secured, three_workers
from tests.running import nadhir

USER = User("nadhir", "open-sesame-71")


@pytest.fixture(scope="module")
def settings() -> Iterator[KafkaSettings]:
    with cluster(user=USER) as running:
        yield KafkaSettings(
            bootstrap=(running.bootstrap,),
            partitions=3,
            protocol="SASL_SSL",
            username=USER.name,
            password=SecretStr(USER.password),
            ca_file=running.brokers[0].ca_file,
        )


def test_workers_on_a_secured_cluster(settings: KafkaSettings, tmp_path: Path) -> None:
    """kafka-python makes the topics and produces, aiokafka scores, Faust detects and alerts."""
    three_workers(settings, tmp_path)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"NADHIR_KAFKA__PASSWORD": "open-barley-71"}, "authentication"),
        ({"NADHIR_KAFKA__CA_FILE": ""}, "certificate"),
    ],
)
def test_what_is_wrong_is_told(
    settings: KafkaSettings, tmp_path: Path, wrong: dict[str, str], told: str
) -> None:
    (tmp_path / "nadhir.yaml").write_text('{"brands": [{"id": "a", "names": ["Acme"]}]}')
    env = secured(settings) | {"NADHIR_KAFKA__BOOTSTRAP": json.dumps(settings.bootstrap)}
    env = {k: v for k, v in (env | wrong).items() if v}
    done = nadhir("topics", "describe", cwd=tmp_path, env=env)
    assert done.returncode == 1
    assert told in done.stderr.decode().lower()
    assert "Traceback" not in done.stderr.decode()
    assert b"sesame" not in done.stderr + done.stdout
    assert b"barley" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    ("protocol", "error", "told"),
    [
        ("SASL_SSL", "Unable to bootstrap from ['a:1']", True),
        ("PLAINTEXT", "Unable to bootstrap from ['a:1']", False),
        ("SASL_SSL", "Request timed out", False),
    ],
)
def test_a_cluster_that_hangs_up_while_we_sign_in_is_told(
    protocol: str, error: str, told: bool
) -> None:
    """On a busy machine the refusal and the end come together, and the client drops the refusal."""
    kafka = KafkaSettings(
        protocol=protocol, username="nadhir", password=SecretStr("open-barley-71")
    )
    log = logging.getLogger("kafka.net.connection")

    def sign_in() -> None:
        with reached(kafka):
            lost = KafkaConnectionError("socket disconnected")
            log.error("%s: Connection lost: %s", "bootstrap", lost)
            raise KafkaTimeoutError(error)

    with pytest.raises(KafkaEngineError) as raised:
        sign_in()
    assert ("failed authentication" in str(raised.value)) is told
