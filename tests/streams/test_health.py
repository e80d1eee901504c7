"""Health, readiness and metrics: true, valid, bounded, and nothing about anybody."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from streams.config import load
from streams.decode import REASONS
from streams.health import health_routes
from streams.live import LiveEngine
from streams.metrics.engine import EngineMetrics
from streams.pipeline import open_pipeline
from streams.sources import Batch
from streams.store import Store
from tests.running import crisis, mention, write_config

NOW_MS = 1_800_000_000_000
BOUNDED = {"reason", "kind", "brand", "stage", "part", "type", "severity"}
SECRETS = ("amal-secret-handle", "secret text", "platform-of-an-attacker", "secret-id")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[LiveEngine]:
    config = load(write_config(tmp_path), {})
    store = Store(tmp_path / "nadhir.db")
    yield LiveEngine(open_pipeline(config, store), [], {}, lambda: 0)
    store.close()


def get(engine: LiveEngine, path: str, *, opens: bool = True) -> httpx.Response:
    async def fetch() -> httpx.Response:
        registry = CollectorRegistry()
        registry.register(EngineMetrics(engine, lambda: NOW_MS))
        transport = httpx.ASGITransport(
            Starlette(routes=health_routes(engine, registry, lambda _: opens))
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://nadhir") as client:
            return await client.get(path)

    return asyncio.run(fetch())


def samples(engine: LiveEngine) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = get(engine, "/metrics").text
    return {
        (s.name, tuple(s.labels.items())): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


class TestHealth:
    def test_it_is_alive(self, engine: LiveEngine) -> None:
        answer = get(engine, "/health/live")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})

    def test_it_is_ready_from_its_start_to_its_stop(self, engine: LiveEngine) -> None:
        assert get(engine, "/health/ready").status_code == 503
        engine.run(until_done=True)
        assert get(engine, "/health/ready").json() == {"status": "ok", "blind": []}
        engine.stop()
        answer = get(engine, "/health/ready")
        assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})


class TestMetrics:
    def test_they_are_not_for_everybody(self, engine: LiveEngine) -> None:
        assert get(engine, "/metrics", opens=False).status_code == 401
        assert get(engine, "/health/live", opens=False).status_code == 200

    def test_they_are_valid_before_anything_came(self, engine: LiveEngine) -> None:
        answer = get(engine, "/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        found = samples(engine)
        assert found["nadhir_mentions_received_total", ()] == 0
        assert found["nadhir_mentions_rejected_total", (("reason", "not_json"),)] == 0
        assert found["nadhir_signals_total", (("kind", "phishing"),)] == 0
        assert not any(name.startswith("nadhir_brand") for name, _ in found)
        assert not any(name.startswith("nadhir_watermark") for name, _ in found)

    def test_they_count_what_came(self, engine: LiveEngine) -> None:
        lines = [*crisis(), crisis()[-1], b"{", b"\xff", mention("own", "hi")]
        engine.pipeline.feed("test", Batch(lines, 1, "x"))
        engine.pipeline.commit()
        found = samples(engine)
        assert found["nadhir_mentions_received_total", ()] == len(lines)
        assert found["nadhir_observations_total", ()] == len(crisis()) + 1
        assert found["nadhir_mentions_duplicate_total", ()] == 1
        opened = {k: v for (name, k), v in found.items() if name == "nadhir_alerts_opened_total"}
        assert sum(opened.values()) == 1
        assert len(opened) > 1, "those that have not come yet begin at nought"
        assert found["nadhir_mentions_rejected_total", (("reason", "not_utf8"),)] == 1
        assert found["nadhir_signals_total", (("kind", "volume"),)] > 0
        watermark = engine.pipeline.detect.watermark_ms
        assert watermark is not None
        detect = (("stage", "detect"),)
        assert found["nadhir_watermark_timestamp_seconds", detect] == watermark / 1000
        assert found["nadhir_event_time_lag_seconds", detect] == (NOW_MS - watermark) / 1000
        assert found["nadhir_state_bytes", (("part", "all"),)] > 0

    def test_nothing_that_a_stranger_wrote_is_in_them(self, engine: LiveEngine) -> None:
        handle, text, platform, id_ = SECRETS
        lines = [
            mention(
                f"{id_}{i}",
                f"Rimal Bank {text}",
                platform=f"{platform}-{i}"[:64],
                author={"handle": handle, "id": id_},
            )
            for i in range(500)
        ]
        poison = [b'{"id": "%s-%d"' % (id_.encode(), i) for i in range(500)]
        engine.pipeline.feed("secret-id/mentions.jsonl", Batch([*lines, *poison], 1, "x"))
        engine.pipeline.commit()
        engine.figures = engine.pipeline.figures()
        answer = get(engine, "/metrics").text
        assert not [secret for secret in SECRETS if secret in answer]
        kinds = set(engine.pipeline.detect.kinds)
        labels = {pair for _, pairs in samples(engine) for pair in pairs}
        assert {name for name, _ in labels} == BOUNDED
        assert {value for name, value in labels if name == "reason"} <= set(REASONS)
        assert {value for name, value in labels if name == "kind"} <= kinds
        brands = {brand.id for brand in engine.pipeline.detect.brands}
        assert {value for name, value in labels if name == "brand"} <= brands
