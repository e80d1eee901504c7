"""Traces: a span for each batch and request, nothing of a mention in them, nothing when off."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from alerts.store.database import Database
from streams.config.tracing import TracingSettings
from streams.meter import UNMETERED, Meter
from streams.tracing import Tracing, TracingMissing, opened_tracing
from tests.alerts.calling import Api
from tests.alerts.responding import first
from tests.running import crisis, environment, nadhir, write_config, write_lines

ALL = TracingSettings.model_validate({"endpoint": "http://127.0.0.1:9", "percent": 100})


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracing(spans: InMemorySpanExporter) -> Iterator[Tracing]:
    with opened_tracing(ALL, "test", processor=SimpleSpanProcessor(spans)) as opened:
        yield opened


class Counted:
    """A meter that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def took(self, stage: str, duration_s: float) -> None:
        self.told.append((stage, duration_s))

    def published(self, *told: Any) -> None:
        self.told.append(told)


def lasted_ns(span: ReadableSpan) -> int:
    assert span.end_time is not None
    assert span.start_time is not None
    return span.end_time - span.start_time


def test_without_an_endpoint_nothing_is_between() -> None:
    with opened_tracing(TracingSettings(), "run") as tracing:
        assert tracing.provider is None
        assert tracing.metered(UNMETERED) is UNMETERED


def test_without_an_endpoint_nothing_is_loaded() -> None:
    code = (
        "import sys; from streams.tracing import opened_tracing; "
        "from streams.config.tracing import TracingSettings; "
        "opened_tracing(TracingSettings(), 'x').__enter__(); "
        "ours = ('opentelemetry.sdk', 'opentelemetry.exporter'); "
        "sys.exit(any(name.startswith(ours) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], env=environment()).returncode == 0


def test_a_batch_becomes_a_span_as_long_as_it_took(
    tracing: Tracing, spans: InMemorySpanExporter
) -> None:
    counted = Counted()
    meter: Meter = tracing.metered(counted)
    meter.took("score", 0.25)
    meter.took("detect", 0.5)
    made = spans.get_finished_spans()
    assert [span.name for span in made] == ["stage score", "stage detect"]
    assert [lasted_ns(span) for span in made] == [250_000_000, 500_000_000]
    assert counted.told == [("score", 0.25), ("detect", 0.5)]
    assert made[0].resource.attributes["service.name"] == "nadhir-test"


def test_an_alert_becomes_a_span_from_arrival_to_publication(
    tracing: Tracing, spans: InMemorySpanExporter
) -> None:
    counted = Counted()
    alert = first()
    tracing.metered(counted).published(alert, 1_000, 3_500)
    (span,) = spans.get_finished_spans()
    assert lasted_ns(span) == 2_500_000_000
    assert span.attributes == {
        "nadhir.alert": alert.id, "nadhir.brand": alert.brand, "nadhir.severity": alert.severity,
    }  # fmt: skip
    assert counted.told == [(alert, 1_000, 3_500)]


def test_so_many_of_a_hundred_are_kept(spans: InMemorySpanExporter) -> None:
    none = ALL.model_copy(update={"percent": 0})
    with opened_tracing(none, "test", processor=SimpleSpanProcessor(spans)) as tracing:
        tracing.metered(UNMETERED).took("score", 0.1)
    assert not spans.get_finished_spans()


def test_what_is_missing_is_told_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with (
        pytest.raises(TracingMissing, match=r"pip install 'nadhir\[otel\]'"),
        opened_tracing(ALL, "x"),
    ):
        pass


def test_requests_become_spans_by_their_route(
    tracing: Tracing, spans: InMemorySpanExporter, tmp_path: Path
) -> None:
    database = Database(tmp_path / "response.db")
    api = Api(database, tracer_provider=tracing.provider)
    api.desk.take(first())
    with api.client("viewer") as viewer, api.client(None) as stranger:
        assert viewer.get(f"/v1/alerts/{first().id}").status_code == 200
        assert viewer.get("/ack/secret-of-a-link").status_code >= 400
        assert stranger.get("/v1/alerts").status_code == 401
    database.close()
    made = spans.get_finished_spans()
    assert [span.name for span in made] == ["GET /v1/alerts/{id}", "GET /v1/alerts"]
    told = [dict(span.attributes or {}) for span in made]
    assert [one["http.response.status_code"] for one in told] == [200, 401]
    assert api.secrets["viewer"] not in str(told)


class Collector(ThreadingHTTPServer):
    """What takes OTLP over HTTP."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.bodies: list[bytes] = []
        names, bodies = self.names, self.bodies

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                import gzip

                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                assert self.path == "/v1/traces"
                request = ExportTraceServiceRequest.FromString(body)
                bodies.append(body)
                for resource in request.resource_spans:
                    for scope in resource.scope_spans:
                        names.extend(span.name for span in scope.spans)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def test_a_run_sends_its_batches_to_the_collector(tmp_path: Path) -> None:
    collector = Collector()
    try:
        write_config(tmp_path)
        until_open = [x for x in crisis() if json.loads(x)["published_at"] < "2026-03-02T10:00"]
        lines = write_lines(tmp_path / "mentions.jsonl", until_open)
        endpoint = f"http://127.0.0.1:{collector.server_port}"
        env = environment(NADHIR_TRACING__ENDPOINT=endpoint, NADHIR_TRACING__PERCENT="100")
        done = nadhir("run", "--until-done", lines, cwd=tmp_path, env=env)
        assert done.returncode == 0, done.stderr
    finally:
        collector.shutdown()
        collector.server_close()
    assert {"stage score", "stage detect", "alert published"} <= set(collector.names)
    sent = b"".join(collector.bodies)
    texts = [line.split(b'"text":"')[1][:30] for line in crisis() if b'"text":"' in line]
    assert texts
    assert not [text for text in texts if text in sent]


def test_an_absent_collector_stops_nothing(tmp_path: Path) -> None:
    write_config(tmp_path)
    lines = write_lines(tmp_path / "mentions.jsonl", crisis()[:200])
    env = environment(NADHIR_TRACING__ENDPOINT="http://127.0.0.1:9")
    assert nadhir("run", "--until-done", lines, cwd=tmp_path, env=env).returncode == 0
