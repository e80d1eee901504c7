"""Topics on a real broker: created, checked, mended; what cannot be reached is told."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

from kafka.admin import ConfigResource, ConfigResourceType

from streams.config.schema import KafkaSettings
from streams.kafka.connection import admin
from streams.kafka.topics import check, create, describe, update, wanted_topics
from tests.running import environment, nadhir


def variables(kafka: KafkaSettings) -> dict[str, str]:
    """The environment that configures the command line for the test's topics."""
    return environment(
        NADHIR_BRANDS='[{"id": "acme", "names": ["Acme"]}]',
        NADHIR_KAFKA__BOOTSTRAP=json.dumps(list(kafka.bootstrap)),
        NADHIR_KAFKA__PREFIX=kafka.prefix or "",
        NADHIR_KAFKA__PARTITIONS=str(kafka.partitions),
    )


def eventually(look: Callable[[], object], wanted: object) -> None:
    """Brokers answer from what they have heard so far: wait until it is what is wanted."""
    for _ in range(100):
        if look() == wanted:
            return
        time.sleep(0.1)
    assert look() == wanted


def test_topics_are_created_once_and_as_wanted(kafka: KafkaSettings) -> None:
    wanted = wanted_topics(kafka)
    with admin(kafka) as client:
        assert [d.found for d in check(wanted, describe(client, wanted))] == ["missing"] * 8
        assert create(client, wanted) == [t.name for t in wanted]
        assert create(client, wanted) == []
        found = describe(client, wanted)
        assert check(wanted, found) == []
        assert {f.partitions for f in found.values()} == {3}
        assert found[f"{kafka.prefix}alerts"].settings["cleanup.policy"] == "compact"


def test_what_differs_is_named_and_settings_are_mended(kafka: KafkaSettings) -> None:
    wanted = wanted_topics(kafka)
    name = f"{kafka.prefix}observations"
    other = kafka.model_copy(update={"partitions": 4})
    with admin(kafka) as client:
        create(client, wanted)
        wrong = {"retention.ms": "1000"}
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=wrong)])
        eventually(lambda: len(check(wanted, describe(client, wanted))), 1)
        (difference,) = check(wanted, describe(client, wanted))
        assert (difference.topic, difference.what, difference.found) == (
            name, "retention.ms", "1000",
        )  # fmt: skip
        assert update(client, wanted, describe(client, wanted)) == [name]
        eventually(lambda: check(wanted, describe(client, wanted)), [])
        shapes = check(wanted_topics(other), describe(client, wanted))
    assert {d.what for d in shapes} == {"the number of partitions"}
    assert all("kafka.partitions to 3" in d.mend for d in shapes)


def test_the_commands(kafka: KafkaSettings, tmp_path: Path) -> None:
    env = variables(kafka)
    missing = nadhir("topics", "check", cwd=tmp_path, env=env)
    assert missing.returncode == 1
    assert missing.stdout.count(b"nadhir topics create") == 8
    created = nadhir("topics", "create", cwd=tmp_path, env=env)
    assert created.returncode == 0, created.stderr
    assert created.stdout.count(b": created\n") == 8
    assert nadhir("topics", "check", cwd=tmp_path, env=env).returncode == 0
    described = nadhir("topics", "describe", cwd=tmp_path, env=env)
    rows = [json.loads(line) for line in described.stdout.splitlines()]
    assert [row["topic"].replace(kafka.prefix or "", "") for row in rows] == [
        "mentions", "mentions.rejected", "observations", "signals", "alerts", "alerts.states",
        "nadhir-detect-state-changelog", "nadhir-alert-state-changelog",
    ]  # fmt: skip
    assert {row["partitions"] for row in rows} == {3}


def test_a_cluster_that_is_not_there_is_told(tmp_path: Path) -> None:
    env = variables(KafkaSettings(bootstrap=("127.0.0.1:9",)))
    done = nadhir("topics", "check", cwd=tmp_path, env=env)
    assert done.returncode == 1
    assert b"Kafka at 127.0.0.1:9" in done.stderr
    assert b"kafka.bootstrap" in done.stderr
    assert b"Traceback" not in done.stderr
