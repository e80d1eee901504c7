"""`make demo-kafka`, as a newcomer runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.running import ROOT, environment


def test_the_demo_through_kafka_shows_the_alerts_of_the_demo(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "deploy.kafka.demo", "--out", str(tmp_path / "out")]
    done = subprocess.run(command, cwd=ROOT, env=environment(), check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    through_kafka = (tmp_path / "out/alerts-kafka.jsonl").read_bytes().splitlines()
    embedded = (tmp_path / "out/alerts.jsonl").read_bytes().splitlines()
    assert sorted(through_kafka) == sorted(embedded)
    assert done.stdout
