"""The HTTP intake on a real broker: 202 means acknowledged; what is refused is told, and whole."""

from __future__ import annotations

import asyncio
import gzip
import re
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from deploy.kafka.cluster import Broker, cluster
from streams.config.schema import KafkaSettings
from streams.intake import IntakeOptions, create_intake
from streams.kafka.connection import admin
from streams.kafka.intake import MentionsTopic, open_producer
from streams.kafka.produce import largest_line
from streams.kafka.topics import create, names, wanted_topics
from tests.integration.test_produce import received
from tests.integration.test_topics import variables
from tests.running import Running, eventually, mention, nadhir

TOKEN = "k3Xb9-wQ7zL1p0Rt"
NOW = 1_800_000_000_000
SMALL, OTHER = mention("small", "Acme"), mention("other", "Acme")
LARGE = mention("large", "Acme", url="x" * 200_000)  # rejected by stage score, and still taken


@pytest.fixture
def topics(kafka: KafkaSettings) -> KafkaSettings:
    with admin(kafka) as client:
        create(client, wanted_topics(kafka))
    return kafka


def limit(kafka: KafkaSettings, most_bytes: int) -> None:
    """Set the largest record that the topic of mentions takes."""
    configs = {"max.message.bytes": str(most_bytes)}
    with admin(kafka) as client:
        topic = names(kafka).mentions
        client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=configs)])
    eventually(lambda: largest_line(kafka) < most_bytes)


@contextmanager
def intake(kafka: KafkaSettings, folder: Path, **more: str) -> Iterator[Running]:
    """`nadhir worker --stages intake`; ends in order."""
    env = variables(kafka) | more
    with Running(folder, "--stages", "intake", env=env, command="worker") as process:
        yield process
        assert process.stop() == 0, "".join(process.log)
        assert "it is killed" not in "".join(process.log)


def test_every_shape_arrives_as_it_is(topics: KafkaSettings, tmp_path: Path) -> None:
    lines = [mention(str(i), f"Acme {i}") for i in range(20)]
    bad = b'{"id": 1}'
    with intake(topics, tmp_path) as process:
        http, path = process.http, "/v1/mentions"
        json, ndjson = ({"content-type": f"application/{k}"} for k in ("json", "x-ndjson"))
        packed = gzip.compress(b"\n".join(lines[10:]))
        answers = [
            http.post(path, content=lines[0], headers=json),
            http.post(path, content=b"[" + b",".join(lines[1:5]) + b"]", headers=json),
            http.post(path, content=b"\n".join([*lines[5:10], bad]), headers=ndjson),
            http.post(path, content=packed, headers=ndjson | {"content-encoding": "gzip"}),
            http.post(path, content=bad, headers=json),
        ]
        assert sorted(received(topics)) == sorted([*lines, bad, bad]), "202 means it is there"
        refused = [
            http.post(path, content=b"no JSON", headers=json),
            http.post(path, content=SMALL, headers={"content-type": "text/xml"}),
            http.post(path, content=SMALL, headers=json | {"origin": "http://evil.example"}),
            http.get(path),
        ]
    assert [a.status_code for a in answers] == [202, 202, 202, 202, 422]
    counts = [(a.json()["accepted"], a.json()["rejected"]) for a in answers]
    assert counts == [(1, 0), (4, 0), (5, 1), (10, 0), (0, 1)]
    assert [a.status_code for a in refused] == [400, 415, 403, 405]
    assert len(received(topics)) == 22


def test_with_a_token_nobody_else_gets_in(topics: KafkaSettings, tmp_path: Path) -> None:
    with intake(topics, tmp_path, NADHIR_INTAKE__TOKEN=TOKEN) as process:
        assert process.post([SMALL]).status_code == 401
        assert process.post([SMALL], authorization=f"Bearer {TOKEN}").status_code == 202
        assert TOKEN not in "".join(process.log)


def test_what_the_topic_does_not_take_is_refused_whole(
    topics: KafkaSettings, tmp_path: Path
) -> None:
    with intake(topics, tmp_path) as process:
        assert process.post([LARGE, SMALL]).status_code == 202
        limit(topics, 100_000)
        # it learns of the new limit from the brokers' refusal, and begins anew with it
        assert process.post([LARGE]).status_code == 503

        def anew() -> httpx.URL | None:
            found = re.findall(r"intake at (http://\S+)/v1/mentions", "".join(process.log))
            return httpx.URL(found[1]) if len(found) > 1 else None

        process.http.base_url = eventually(anew)
        before = sorted(received(topics))
        answer = process.post([SMALL, LARGE, SMALL])
        assert answer.status_code == 413
        assert "index 1" in answer.json()["detail"]
        assert sorted(received(topics)) == before == sorted([LARGE, SMALL])
        assert process.post([SMALL]).status_code == 202


def test_what_keeps_it_from_starting(topics: KafkaSettings, tmp_path: Path) -> None:
    env, command = variables(topics), ("worker", "--stages", "intake")
    unsafe = nadhir(*command, "--host", "0.0.0.0", cwd=tmp_path, env=env)
    assert unsafe.returncode == 2
    assert b"NADHIR_INTAKE__TOKEN" in unsafe.stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = nadhir(*command, "--port", port, cwd=tmp_path, env=env)
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}".encode() in done.stderr


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    """A broker of our own, which goes away and comes back."""
    with cluster() as started:
        yield started.brokers[0]


@pytest.fixture
def its_topics(broker: Broker) -> KafkaSettings:
    prefix = f"t{uuid.uuid4().hex[:8]}."
    kafka = KafkaSettings(bootstrap=(broker.address,), prefix=prefix, partitions=3)
    with admin(kafka) as client:
        create(client, wanted_topics(kafka))
    return kafka


def test_without_acknowledgement_it_asks_to_send_again(
    broker: Broker, its_topics: KafkaSettings
) -> None:
    async def scenario() -> None:
        producer = await open_producer(its_topics, largest_line(its_topics))
        store = MentionsTopic(producer, names(its_topics).mentions, 10_000, ack_s=0.5)
        transport = httpx.ASGITransport(create_intake(store, IntakeOptions(now_ms=lambda: NOW)))
        async with httpx.AsyncClient(transport=transport, base_url="http://intake") as http:

            async def post(content: bytes) -> httpx.Response:
                return await http.post("/v1/mentions", content=content)

            assert (await post(SMALL)).status_code == 202
            broker.kill()
            answer = await post(OTHER)
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "1"
            assert answer.headers["content-type"] == "application/problem+json"
            broker.start()
            broker.wait()
            for _ in range(100):
                answer = await post(OTHER)
                if answer.status_code == 202:
                    break
            assert answer.status_code == 202
            assert not store.broken.is_set(), "the same producer goes on"
        await producer.stop()

    asyncio.run(scenario())
    assert set(received(its_topics)) == {SMALL, OTHER}


def test_it_ends_though_nothing_is_acknowledged(
    broker: Broker, its_topics: KafkaSettings, tmp_path: Path
) -> None:
    with intake(its_topics, tmp_path) as process:
        assert process.post([SMALL]).status_code == 202
        broker.kill()
        with pytest.raises(httpx.ReadTimeout):
            process.http.post("/v1/mentions", content=OTHER, timeout=0.5)
