"""Metrics of a worker's stages: gathered from its processes, and nothing of what ended."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from streams.cli.common import refuse_open_metrics
from streams.config import load
from streams.kafka.gather import Gathered
from streams.metrics.timing import Timing
from streams.pipeline import open_pipeline
from streams.sources import Batch
from streams.store import Store, state_bytes
from tests.documented import as_documented, told
from tests.metered import ARRIVED_MS, NOW_MS, STAGES, answering, stages, stages_of_a_worker
from tests.running import crisis, write_config

TOKEN = "k3Xb9-wQ7zL1p0Rt"


@pytest.fixture(scope="module")
def worker() -> Iterator[httpx.Client]:
    with stages_of_a_worker() as address, httpx.Client(base_url=f"http://{address}") as client:
        yield client


def sample(text: str, name: str, **labels: str) -> float:
    (found,) = (
        s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
        if s.name == name and labels.items() <= s.labels.items()
    )
    return found


class TestWorker:
    def test_it_tells_what_is_documented_and_nothing_else(self, worker: httpx.Client) -> None:
        assert told(worker.get("/metrics").text) == as_documented("W")

    def test_each_sample_says_of_which_process_it_is(self, worker: httpx.Client) -> None:
        text = worker.get("/metrics").text
        for family in text_string_to_metric_families(text):
            seen = [(s.name, *sorted(s.labels.items())) for s in family.samples]
            assert len(set(seen)) == len(seen), family.name
            if family.name != "nadhir_worker_stage_up":
                assert {s.labels["process"] for s in family.samples} <= set(STAGES)
        assert sample(text, "nadhir_stage_batch_seconds_count", stage="detect") > 0

    def test_figures_are_those_of_the_stages(self, worker: httpx.Client) -> None:
        text = worker.get("/metrics").text
        lines = len(crisis()) + 1
        assert sample(text, "nadhir_mentions_received_total") == lines
        assert sample(text, "nadhir_mentions_rejected_total", reason="not_json") == 1
        assert sample(text, "nadhir_brand_mentions_expected", brand="rimal-bank") > 1
        assert sample(text, "nadhir_kafka_lag_records", stage="score", partition="0") == 3
        opened = [
            s.value
            for family in text_string_to_metric_families(text)
            for s in family.samples
            if s.name == "nadhir_alerts_opened_total"
        ]
        assert sum(opened) == 1

    def test_arrival_goes_with_a_finding_through_all_stages(self, worker: httpx.Client) -> None:
        text = worker.get("/metrics").text
        name = "nadhir_alert_latency_from_arrival_seconds"
        count = sample(text, f"{name}_count")
        assert count >= 1
        assert sample(text, f"{name}_sum") == count * (NOW_MS - ARRIVED_MS) / 1000

    def test_it_is_ready_when_all_stages_answer(self, worker: httpx.Client) -> None:
        assert worker.get("/health/live").json() == {"status": "ok"}
        assert worker.get("/health/ready").json() == {"status": "ok"}
        with stages_of_a_worker(only=("score",)) as address:
            answer = httpx.get(f"http://{address}/health/ready")
            assert (answer.status_code, answer.json()["stages"]) == (503, ["alert", "detect"])
            assert httpx.get(f"http://{address}/health/live").status_code == 200

    def test_nothing_is_left_of_a_stage_that_ended(self, tmp_path: Path) -> None:
        gathered = Gathered(("score", "detect"), tmp_path)
        registry = CollectorRegistry()
        registry.register(gathered)
        told_of = {stage: stages().registries[stage] for stage in ("score", "detect")}
        brand = {"brand": "rimal-bank", "process": "detect"}
        with answering(told_of, tmp_path):
            assert registry.get_sample_value("nadhir_brand_mentions", brand) is not None
        (tmp_path / "detect").unlink(missing_ok=True)
        # a process that was killed leaves its socket behind
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(tmp_path / "detect"))
        with answering({"score": told_of["score"]}, tmp_path):
            assert registry.get_sample_value("nadhir_worker_stage_up", {"stage": "detect"}) == 0
            assert registry.get_sample_value("nadhir_worker_stage_up", {"stage": "score"}) == 1
            assert registry.get_sample_value("nadhir_brand_mentions", brand) is None

    def test_a_stage_that_cannot_tell_its_figures_does_not_answer(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        class Broken(Collector):
            def collect(self) -> Iterator[Metric]:
                raise RuntimeError("no figures now")

        registry, broken = CollectorRegistry(), CollectorRegistry(auto_describe=False)
        registry.register(Gathered(("score",), tmp_path))
        broken.register(Broken())
        with answering({"score": broken}, tmp_path):
            assert registry.get_sample_value("nadhir_worker_stage_up", {"stage": "score"}) == 0
        (told,) = {record.getMessage() for record in caplog.records}
        assert told == "the metrics of this stage cannot be told"

    def test_a_token_is_asked_for_where_there_is_one(self) -> None:
        with stages_of_a_worker(TOKEN, ("score",)) as address:
            url = f"http://{address}/metrics"
            assert httpx.get(url).status_code == 401
            wrong = {"authorization": f"Bearer {TOKEN}x"}
            assert httpx.get(url, headers=wrong).status_code == 401
            assert httpx.get(url, headers={"authorization": TOKEN}).status_code == 401
            right = {"authorization": f"Bearer {TOKEN}"}
            assert httpx.get(url, headers=right).status_code == 200
            assert httpx.get(f"http://{address}/health/live").status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [{"host": "evil.example"}, {"x-forwarded-for": "203.0.113.9"}, {"forwarded": "for=x"}],
    )
    def test_without_a_token_this_machine_alone_may_ask(
        self, worker: httpx.Client, headers: dict[str, str]
    ) -> None:
        assert worker.get("/metrics", headers=headers).status_code == 401

    def test_it_is_not_open_to_the_network(self, tmp_path: Path) -> None:
        bare = load(write_config(tmp_path), {})
        refuse_open_metrics(bare, "127.0.0.1")
        with pytest.raises(SystemExit):
            refuse_open_metrics(bare, "0.0.0.0")
        refuse_open_metrics(load(write_config(tmp_path, metrics={"token": TOKEN}), {}), "0.0.0.0")


class TestPipeline:
    def test_latency_is_measured_from_the_arrival_that_the_source_tells(
        self, tmp_path: Path
    ) -> None:
        registry = CollectorRegistry()
        meter = Timing(registry)
        store = Store(tmp_path / "nadhir.db")
        config = load(write_config(tmp_path), {})
        pipeline = open_pipeline(config, store, clock=lambda: NOW_MS, meter=meter)
        pipeline.feed("test", Batch(list(crisis()), 1, "x", ARRIVED_MS))
        pipeline.commit()
        assert set(pipeline.arrived.values()) == {ARRIVED_MS}
        for stage in ("decode", "score", "detect", "alert", "store"):
            label = {"stage": stage}
            assert registry.get_sample_value("nadhir_stage_batch_seconds_count", label) == 1
        store.close()

    def test_state_is_measured_by_part(self, tmp_path: Path) -> None:
        store = Store(tmp_path / "nadhir.db")
        with store.step():
            store.apply([("all/1", b"12345"), ("all/2", b"1"), ("head", b"123")])
        assert state_bytes(store.path) == {"all": 6, "head": 3}
        store.close()
