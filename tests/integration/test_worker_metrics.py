"""`nadhir worker` on a real broker tells what its processes do, at one address."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families

from streams.config.schema import KafkaSettings
from tests.documented import as_documented, told
from tests.integration.workers import Worker, send, set_up, truth, until
from tests.prometheus import free_port


def values(text: str, name: str) -> dict[str, float]:
    """Sums of a metric by process."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for s in family.samples:
            if s.name == name:
                process = s.labels.get("process", s.labels.get("stage", ""))
                found[process] = found.get(process, 0.0) + s.value
    return found


def test_a_worker_tells_of_all_its_stages_and_of_none_that_ended(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    wanted = truth(tmp_path, brands=5, days=2, rate=10)
    set_up(kafka)
    send(kafka, wanted.file)
    port = free_port()
    worker = Worker(tmp_path, kafka, "score,detect,alert", "--metrics-port", str(port))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        try:
            until(lambda: answers(client, "/health/live"))
            until(lambda: answers(client, "/health/ready"))

            def text() -> str:
                return client.get("/metrics").text

            received = "nadhir_mentions_received_total"
            until(lambda: values(text(), received) == {"score": wanted.mentions})
            until(
                lambda: (
                    sum(values(text(), "nadhir_alerts_opened_total").values()) == len(wanted.alerts)
                )
            )
            until(lambda: set(values(text(), "nadhir_brand_mentions")) == {"detect"})
            until(lambda: told(text()) == as_documented("W"))
            assert "nadhir_brand_mentions" in text()
            detect = child(worker.process.pid, "detect")
            detect_up = 'nadhir_worker_stage_up{stage="detect"} 0.0'
            subprocess.run(["kill", f"-{signal.SIGSTOP}", str(detect)], check=True)
            stopped = text()
            subprocess.run(["kill", f"-{signal.SIGKILL}", str(detect)], check=True)
            assert detect_up in stopped
            assert not values(stopped, "nadhir_brand_mentions")
            until(lambda: answers(client, "/health/ready"))  # the next one
            assert worker.stop() == 0
        finally:
            if worker.process.poll() is None:
                worker.kill()


def answers(client: httpx.Client, path: str) -> bool:
    try:
        return client.get(path).status_code == 200
    except httpx.TransportError:
        return False


def child(supervisor: int, stage: str) -> int:
    """The process of a stage."""
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    (found,) = (
        int(pid)
        for pid in children
        if Path(f"/proc/{pid}/comm").read_text().strip() == f"nadhir-{stage}"
    )
    return found
