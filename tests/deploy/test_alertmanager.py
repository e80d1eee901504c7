"""amtool accepts the configuration, and routes find whom they should."""

from __future__ import annotations

import subprocess

import pytest

from tests.prometheus import ROOT, program

CONFIG = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"


def amtool(*arguments: str) -> str:
    done = subprocess.run([program("amtool"), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_amtool_accepts_it() -> None:
    said = amtool("check-config", str(CONFIG))
    assert "SUCCESS" in said
    assert "3 inhibit rules" in said


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=NadhirCrisis brand=acme severity=critical", "crisis-critical"),
        ("alertname=NadhirCrisis brand=acme severity=watch", "crisis"),
        ("alertname=NadhirCrisis brand=acme severity=critical drill=true", "nobody"),
        ("alertname=NadhirBlind brand=acme severity=critical", "operators-critical"),
        ("alertname=NadhirKafkaLag severity=warning", "operators"),
    ],
)
def test_routes(labels: str, receiver: str) -> None:
    found = amtool("config", "routes", "test", f"--config.file={CONFIG}", *labels.split())
    assert found.strip() == receiver
