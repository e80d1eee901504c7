"""A real Prometheus (Debian's) that scrapes a running `nadhir run`, for rules and dashboards.

`Watched` is the whole: a pipeline that has seen a crisis with people who answered it, and what
stages of a worker tell, both scraped every second.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.alerts.notify.build import FakeReceiver
from tests.metered import stages_of_a_worker
from tests.running import Running, crisis, eventually, mention, write_config

ROOT = Path(__file__).resolve().parents[1]
RULES = ROOT / "deploy" / "prometheus" / "rules"


def program(name: str) -> str:
    """A program of Debian's packages prometheus and prometheus-alertmanager."""
    found = shutil.which(name)
    assert found, f"install {name}: make prometheus alertmanager"
    return found


def free_port() -> int:
    """A port of this machine that nobody uses just now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class Prometheus:
    """A server that scrapes some addresses every second.

    Parameters
    ----------
    folder : Path
        For its configuration and data.
    targets : dict of str to str
        Addresses (host and port) by job.
    """

    def __init__(self, folder: Path, targets: dict[str, str]) -> None:
        jobs = [
            {"job_name": job, "static_configs": [{"targets": [target]}]}
            for job, target in targets.items()
        ]
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES / "*.yml")],
            "scrape_configs": jobs,
        }
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "prometheus.yml"
        path.write_text(json.dumps(config))
        address = f"127.0.0.1:{free_port()}"
        self._log = (folder / "log").open("wb")
        self.process = subprocess.Popen(
            [program("prometheus"), f"--config.file={path}", "--storage.tsdb.path=data",
             f"--web.listen-address={address}"],
            cwd=folder, stdout=self._log, stderr=self._log,
        )  # fmt: skip
        self.http = httpx.Client(base_url=f"http://{address}", timeout=20)
        self._jobs = len(jobs)

    def wait(self) -> None:
        """Wait until it has scraped every target."""
        eventually(self._ready)
        eventually(lambda: len(self.query("up == 1")) == self._jobs)

    def _ready(self) -> bool:
        assert self.process.poll() is None, "Prometheus ended early"
        try:
            return self.http.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What an expression gives now: series with `metric` (labels) and `value`."""
        answer = self.http.get("/api/v1/query", params={"query": expression}).json()
        assert answer["status"] == "success", f"{expression}: {answer.get('error')}"
        data = answer["data"]
        assert data["resultType"] in ("vector", "scalar"), expression
        if data["resultType"] == "scalar":
            return [{"metric": {}, "value": data["result"]}]
        found: list[dict[str, Any]] = data["result"]
        return found

    def rules(self) -> list[dict[str, Any]]:
        """All alerting rules, with health and last error."""
        groups = self.http.get("/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def stop(self) -> None:
        """End it."""
        self.http.close()
        self.process.terminate()
        self.process.wait(20)
        self._log.close()


class Watched:
    """A pipeline that has seen a crisis, and a Prometheus that has seen the pipeline.

    Attributes
    ----------
    prometheus : Prometheus
        Ask it with `query`.
    run : Running
        The `nadhir run`.
    admin : dict of str to str
        Headers of an administrator.
    alert : str
        Id of the alert that was opened, acknowledged and judged.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.hook = stack.enter_context(FakeReceiver())
        common = {"type": "webhook", "allow_private": True, "secret": "s3cret-of-a-test-hook"}
        receivers = [
            {"name": "team", "url": self.hook.url, **common},
            {"name": "broken", "url": f"http://127.0.0.1:{free_port()}/", **common},
        ]
        retries = {"attempts": 3, "give_up_after_h": 0}
        write_config(folder, receivers=receivers, notifications=retries)
        self.run = stack.enter_context(Running(folder))
        worker = stack.enter_context(stages_of_a_worker())
        base = self.run.http.base_url
        targets = {"nadhir": f"{base.host}:{base.port}", "nadhir-worker": worker}
        self.prometheus = Prometheus(folder / "prometheus", targets)
        stack.callback(self.prometheus.stop)
        self.prometheus.wait()
        log = "".join(self.run.log)
        secret = next(word for word in log.split() if word.startswith("nadhir_"))
        self.admin = {"authorization": f"Bearer {secret}"}
        self.alert = self._crisis()
        self._respond()
        self._settle()

    def _crisis(self) -> str:
        """Feed it until an alert is open, with what is broken, twice and late."""
        lines = [line for line in crisis() if json.loads(line)["published_at"] < "2026-03-02T10:00"]
        late = mention("late", "Rimal Bank is late", "2026-03-01T00:00:00Z")
        for some in (lines, [lines[-1], late, b"{"]):
            assert self.run.post(some).status_code in (202, 422)
        found = eventually(lambda: self._get("/v1/alerts")["alerts"])
        return str(found[0]["id"])

    def _respond(self) -> None:
        """Acknowledge, send a message that two people approved, judge."""
        made = self.run.http.post(
            "/v1/tokens", json={"name": "omar", "role": "responder"}, headers=self.admin
        )
        omar = {"authorization": f"Bearer {made.json()['secret']}"}
        path = f"/v1/alerts/{self.alert}"
        self._act(f"{path}/acknowledge", self.admin, {})
        message = self._get(f"{path}/messages")["messages"][0]
        step = f"{path}/messages/{message['name']}"
        for who in (self.admin, omar)[: message["needs"]]:
            self._act(f"{step}/approve", who, {"digest": message["digest"]})
        self._act(f"{step}/sent", omar, {"where": "https://rimal.example/status"})
        self._act(f"{path}/verdict", omar, {"verdict": "true"})

    def _settle(self) -> None:
        """Wait until Prometheus has seen the effects, twice for rates."""
        for seen in (
            "sum(nadhir_alert_verdicts_total) > 0",
            "nadhir_alert_latency_from_arrival_seconds_count > 0",
            'nadhir_notifications_total{receiver="team", outcome="sent"} > 0',
            'nadhir_notification_dead_letters{receiver="broken"} > 0',
            'sum(nadhir_notifications_total{receiver="broken", outcome=~"retried|dead"}) > 2',
            "sum(rate(nadhir_alert_verdicts_total[1m])) > 0",
            "sum(nadhir_state_bytes{job='nadhir'}) > 0",
        ):
            eventually(lambda seen=seen: self.prometheus.query(seen))  # type: ignore[misc]

    def _get(self, path: str) -> dict[str, Any]:
        answer = self.run.http.get(path, headers=self.admin)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def _act(self, path: str, who: dict[str, str], body: dict[str, str]) -> None:
        answer = self.run.http.post(path, json=body, headers=who | {"if-match": "*"})
        assert answer.status_code == 200, answer.text


@contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """A pipeline and a Prometheus that watches it, until the end of the block."""
    with ExitStack() as stack:
        yield Watched(folder, stack)
