"""A real Alertmanager (Debian's) shows, groups, updates and resolves our alerts."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from alerts.notify.channels.alertmanager import Alertmanager, AlertmanagerSettings
from alerts.notify.example import example_notification
from alerts.notify.http import Sender
from alerts.records import Alert
from tests.alerts.notify.build import AIRLINE, BANK, EVIL, FakeReceiver, alert_of, raised, told
from tests.running import eventually

CONFIG = """
route:
  receiver: hook
  group_by: [brand]
  group_wait: 1s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: hook
    webhook_configs: [{url: "%s", send_resolved: true}]
"""


class Running:
    """An Alertmanager on loopback, and a receiver that it tells."""

    def __init__(self, folder: Path, hook: FakeReceiver) -> None:
        binary = shutil.which("prometheus-alertmanager")
        assert binary, "install Debian's prometheus-alertmanager: make alertmanager"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        config = folder / "alertmanager.yml"
        config.write_text(CONFIG % hook.url)
        self.hook = hook
        self.url = f"http://{address}"
        self.process = subprocess.Popen(
            [binary, f"--config.file={config}", f"--storage.path={folder / 'data'}",
             f"--web.listen-address={address}", "--cluster.listen-address="],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def ready(self) -> bool:
        assert self.process.poll() is None, "it ended early"
        try:
            return httpx.get(f"{self.url}/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def alerts(self, brand: str) -> list[dict[str, Any]]:
        query = {"filter": f'brand="{brand}"'}
        found = httpx.get(f"{self.url}/api/v2/alerts", params=query).json()
        assert isinstance(found, list)
        return found

    def groups(self) -> dict[str, int]:
        found = httpx.get(f"{self.url}/api/v2/alerts/groups").json()
        return {group["labels"]["brand"]: len(group["alerts"]) for group in found}

    def told(self, brand: str, status: str) -> list[dict[str, str]]:
        """Labels of what its receiver was told about."""
        bodies = [json.loads(got.body) for got in self.hook.received]
        alerts = [alert for body in bodies for alert in body["alerts"]]
        return [
            a["labels"] for a in alerts if (a["labels"]["brand"], a["status"]) == (brand, status)
        ]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with FakeReceiver() as hook:
        server = Running(tmp_path_factory.mktemp("alertmanager"), hook)
        try:
            eventually(server.ready)
            yield server
        finally:
            server.process.terminate()
            server.process.wait(20)


@pytest.fixture
def channel(running: Running) -> Iterator[Alertmanager]:
    with Sender(allow_private=True, timeout_s=5) as sender:
        yield Alertmanager(AlertmanagerSettings(url=running.url), sender)


def now(**ago: float) -> str:
    moment = datetime.now(UTC) - timedelta(**ago)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def begun(alert: Alert, brand: str) -> Alert:
    return replace(alert, brand=brand, opened_at=now(minutes=9))


def test_fires_updates_and_resolves_with_the_same_labels(
    running: Running, channel: Alertmanager
) -> None:
    alert = begun(raised(BANK, "critical"), "one")
    assert channel.send([told(alert=alert, at=now(minutes=2))]) == "answered 200"
    (shown,) = eventually(lambda: running.alerts("one"))
    assert shown["status"]["state"] in ("active", "unprocessed")
    assert shown["annotations"]["summary_ar"].startswith("صدر تنبيه · حرج 87/100")
    assert shown["generatorURL"] == told(alert=alert).url
    assert shown["startsAt"][:19] == alert.opened_at[:19]
    channel.send([told("acknowledged", alert=alert, at=now(minutes=1), actor="Amal")])
    (updated,) = running.alerts("one")
    assert updated["fingerprint"] == shown["fingerprint"], "the same alert"
    assert updated["annotations"]["state"] == "acknowledged"
    eventually(lambda: running.told("one", "firing"))
    channel.send([told("resolved", alert=alert, at=now())])
    eventually(lambda: not running.alerts("one"))
    eventually(lambda: running.told("one", "resolved"))
    for labels in running.told("one", "firing") + running.told("one", "resolved"):
        assert labels == shown["labels"]


def test_groups_alerts_of_a_brand(running: Running, channel: Alertmanager) -> None:
    batch = [told(alert=begun(alert_of(i), "grouped"), at=now(), version=i) for i in range(3)]
    channel.send([*batch, told(alert=begun(AIRLINE, "apart"), at=now())])
    eventually(lambda: running.groups().get("grouped") == 3)
    assert running.groups()["apart"] == 1


def test_a_rise_ends_the_lower_severity(running: Running, channel: Alertmanager) -> None:
    low = begun(raised(BANK, "watch"), "rising")
    channel.send([told(alert=low, at=now(minutes=1))])
    channel.send([told("raised", begun(raised(BANK, "watch", "critical"), "rising"), at=now())])
    shown = eventually(lambda: running.alerts("rising"))
    assert [alert["labels"]["severity"] for alert in shown] == ["critical"]


def test_reopens(running: Running, channel: Alertmanager) -> None:
    alert = begun(BANK, "again")
    for why, minutes in (("opened", 3), ("resolved", 2), ("reopened", 1)):
        channel.send([told(why, alert, at=now(minutes=minutes))])  # type: ignore[arg-type]
    assert len(running.alerts("again")) == 1


def test_takes_hostile_text_and_tests(running: Running, channel: Alertmanager) -> None:
    channel.send([told(alert=begun(EVIL, "evil"), at=now(), actor="\x00<script>")])
    assert len(running.alerts("evil")) == 1
    milliseconds = int(datetime.now(UTC).timestamp() * 1000)
    channel.send([example_notification("am", "test", milliseconds)])
    (shown,) = running.alerts("test")
    assert shown["labels"]["test"] == "true"
    assert "[TEST / تجربة]" in shown["annotations"]["summary"]
    channel.send([example_notification("am", "test", milliseconds, "resolved")])
    eventually(lambda: not running.alerts("test"))
