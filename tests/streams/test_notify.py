"""Receivers in the configuration: settings, secrets, routes, and `nadhir notify`."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from alerts.notify.memory import MemoryQueue
from alerts.notify.stages.quiet import QuietHours
from alerts.service import Desk
from alerts.service.records import NotificationView
from alerts.store.queue import StoredQueue
from streams.cli import main
from streams.config import Config, ConfigError, Problem, check, example, load
from streams.desk import answering, opened_desk
from streams.notify import notified, open_channel, open_dispatcher
from tests.alerts.notify.build import FakeReceiver, answer, told
from tests.alerts.responding import NOW, first
from tests.certificates import certificate
from tests.running import eventually, nadhir
from tests.streams.test_config import uncommented

BRAND = "brands: [{id: rimal-bank, names: [Rimal]}]\n"
SECRET = "s3cret-Zebra-91-quagga"
HOOK = "{name: hook, type: webhook, url: %s, secret: shared, allow_private: true}"


def write(folder: Path, text: str) -> Path:
    path = folder / "nadhir.yaml"
    path.write_text(BRAND + text, encoding="utf-8")
    return path


def problems(folder: Path, text: str) -> list[Problem]:
    return check(write(folder, text), {})


def hook(folder: Path, url: str, more: str = "") -> Config:
    return load(write(folder, f"receivers:\n  - {HOOK % url}\n{more}"), {})


# settings -------------------------------------------------------------------------------------


def test_every_type_of_the_example_makes_a_channel(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").touch()
    tree = yaml.safe_load(uncommented(example()))
    kept = {key: tree[key] for key in ("brands", "receivers", "routes")}
    (tmp_path / "nadhir.yaml").write_text(json.dumps(kept), encoding="utf-8")
    config = load(tmp_path / "nadhir.yaml", {})
    made = [
        type(open_channel(each, config.notifications, lambda: 0)).__name__
        for each in notified(config)
        if each.type != "apprise"
    ]
    assert made == [
        "Alertmanager", "PagerDuty", "Slack", "Teams", "Telegram", "Mail", "Webhook",
    ]  # fmt: skip
    route = config.routes[0].record()
    assert (route.brands, route.min_severity, route.group_wait_ms) == (("acme",), "warning", 10_000)
    assert isinstance(route.quiet, QuietHours)
    assert (route.quiet.start.hour, route.quiet.timezone) == (22, "Asia/Riyadh")


@pytest.mark.parametrize(
    ("text", "key", "words"),
    [
        ("routes: [{receivers: [nobody]}]", "routes[0].receivers[0]", "no receiver here"),
        ("receivers: [{name: slack, type: slack, url: 'https://x.example/y'}]\n"
         "routes: [{receivers: [slak]}]", "routes[0].receivers[0]", "did you mean slack?"),
        ("receivers: [{name: c, type: console}]\nroutes: [{receivers: [c]}]",
         "routes[0].receivers[0]", "told everything"),
        (f"receivers: [{HOOK % 'https://x.example'}]\nroutes: [{{receivers: [hook]}},"
         " {receivers: [hook]}]", "routes[1].receivers[0]", "is in a route already"),
        (f"receivers: [{HOOK % 'https://x.example'}]\n"
         "routes: [{receivers: [hook], brands: [rimal]}]", "routes[0].brands[0]",
         "did you mean rimal-bank?"),
        (f"receivers: [{HOOK % 'https://x.example'}]\n"
         "routes: [{receivers: [hook], quiet: {start: '24:00', end: '07:00'}}]",
         "routes[0].quiet.start", "must be a time such as 22:00"),
        ("receivers: [{name: m, type: email, host: h, sender: a@b.example, to: ['x y@z']}]",
         "receivers[0].to[0]", "must be an e-mail address"),
        ("receivers: [{name: m, type: email, host: h, sender: \"a@b.example\\nBcc: x@y.example\","
         " to: [a@b.example]}]", "receivers[0].sender", "one line"),
        ("receivers: [{name: s, type: slack, url: 'file:///etc/passwd'}]", "receivers[0].url",
         "must be a web address"),
        ("receivers: [{name: s, type: sms}]", "receivers[0].type", "must be one of"),
    ],
)  # fmt: skip
def test_mistakes(text: str, key: str, words: str, tmp_path: Path) -> None:
    (found,) = problems(tmp_path, text + "\n")
    assert (found.key, found.severity) == (key, "error")
    assert words in found.message


def test_a_password_in_the_open_is_a_warning(tmp_path: Path) -> None:
    text = (
        "receivers: [{name: m, type: email, host: h, sender: a@b.example, to: [a@b.example],"
        " security: none, username: u, password: p}]\n"
    )
    (found,) = problems(tmp_path, text)
    assert (found.severity, found.key) == ("warning", "receivers[0].security")


@pytest.mark.parametrize(
    "receiver",
    [
        "{name: a, type: slack, url: %s}",
        "{name: a, type: slack, ulr: %s}",
        "{name: a, type: slack, url: [%s]}",
        "{name: a, type: slack, %s: 1, url: 'https://x.example'}",
        "{name: a, type: telegram, token: [%s], chat: x}",
        "{name: a, type: telegram, token: 5, chat: x, tokn: %s}",
        "{name: a, type: webhook, url: 'ftp://%s', secret: x}",
        "{name: a, type: webhook, url: 'https://x.example', secret: [%s]}",
        "{name: a, type: pagerduty, routing_key: {%s: 1}}",
        "{name: a, type: apprise, urls: %s}",
        "{name: a, type: apprise, urls: [[%s]]}",
        "{name: a, type: email, password: [%s], host: h, sender: a@b.example, to: [a@b.example]}",
        "{name: a, type: alertmanager, url: 'http://me:%s@x.example'}",
        "%s",
    ],
)
def test_a_secret_is_never_shown(receiver: str, tmp_path: Path) -> None:
    text = f"receivers: [{receiver % SECRET}]\n"
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, text), {})
    assert SECRET not in str(caught.value) + repr(caught.value) + repr(problems(tmp_path, text))


def test_a_good_secret_is_kept_and_hidden(tmp_path: Path) -> None:
    config = hook(tmp_path, f"https://x.example/{SECRET}")
    for shown in (repr(config), str(config), repr(config.model_dump()), config.model_dump_json()):
        assert SECRET not in shown


# the dispatcher -------------------------------------------------------------------------------


def test_the_dispatcher_of_a_configuration(tmp_path: Path) -> None:
    with FakeReceiver() as tool:
        more = "routes: [{receivers: [hook], min_severity: critical}]\n"
        queue = MemoryQueue()
        number = queue.put(told(receiver="hook"), 0)
        dispatcher = open_dispatcher(hook(tmp_path, tool.url, more), queue, lambda: 1_000)
        dispatcher.start()
        try:
            eventually(lambda: queue.entry(number).status == "sent")
        finally:
            dispatcher.stop()
        assert json.loads(tool.received[0].body)["id"] == told(receiver="hook").key


# the command ----------------------------------------------------------------------------------


def command(folder: Path, *arguments: str) -> tuple[int, str, str]:
    done = nadhir("notify", "test", *arguments, cwd=folder)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_notify_test_sends_a_marked_alert(tmp_path: Path) -> None:
    with FakeReceiver() as tool:
        hook(tmp_path, tool.url)
        code, out, _ = command(tmp_path, "hook", "--resolve")
        assert (code, out) == (
            0, "hook: test sent: answered 200\nhook: resolved sent: answered 200\n",
        )  # fmt: skip
        events: list[dict[str, Any]] = [json.loads(got.body) for got in tool.received]
        assert [event["data"]["why"] for event in events] == ["test", "resolved"]
        assert len({event["subject"] for event in events}) == 1
        assert events[0]["data"]["alert"]["title"]["ar"] == "نذير: إشعار تجريبي"


def test_a_receiver_with_a_certificate_of_ones_own_is_trusted_when_it_is_named(
    tmp_path: Path,
) -> None:
    _, tls = certificate(tmp_path, "localhost")
    with FakeReceiver(tls=tls) as tool:
        url = f"https://localhost:{tool.port}"
        for more, code, said in (
            ("", 1, "no secure connection (CERTIFICATE_VERIFY_FAILED)"),
            ("notifications: {ca_file: localhost.pem}\n", 0, "test sent: answered 200"),
            ("notifications: {ca_file: missing.pem}\n", 2, "missing.pem: cannot be read"),
        ):
            hook(tmp_path, url, more)
            found, out, err = command(tmp_path, "hook")
            assert (found, said in out + err) == (code, True), out + err
        assert len(tool.received) == 1


def test_notify_test_says_what_went_wrong(tmp_path: Path) -> None:
    with FakeReceiver(answer(401, b"who are you")) as tool:
        hook(tmp_path, f"{tool.url}/{SECRET}")
        code, out, error = command(tmp_path, "hook")
    assert (code, out) == (1, "")
    assert "hook: not sent: answered 401: who are you (it will not work without" in error
    assert SECRET not in error


@pytest.mark.parametrize(
    ("receivers", "name", "words"),
    [
        ("[{name: c, type: console}]", "c", "needs no test"),
        ("[{name: s, type: slack, url: 'https://x.example'}]", "t", "no receiver .*there are: s"),
        ("[{name: a, type: apprise, urls: ['nonsense://x']}]", "a", "URL 1 is none that apprise"),
        ("[{name: s, type: sms}]", "s", "must be one of"),
    ],
)
def test_notify_test_of_what_is_not_there(
    receivers: str, name: str, words: str, tmp_path: Path
) -> None:
    write(tmp_path, f"receivers: {receivers}\n")
    code, _, error = command(tmp_path, name)
    assert code == 2
    assert re.search(words, error)


def test_private_addresses_are_refused_without_the_setting(tmp_path: Path) -> None:
    with FakeReceiver() as tool:
        text = (HOOK % tool.url).replace(", allow_private: true", "")
        write(tmp_path, f"receivers:\n  - {text}\n")
        code, _, error = command(tmp_path, "hook")
        assert tool.received == []
    assert code == 1
    assert "a private address; set allow_private" in error


def test_what_was_given_up_is_listed_and_sent_again_by_command(tmp_path: Path) -> None:
    with FakeReceiver() as tool:
        config = hook(tmp_path, tool.url)
        with opened_desk(config, lambda: NOW) as desk:
            desk.take(first())
            queue = StoredQueue(desk.database)
            (item,) = queue.claim(NOW, 10, 1_000)
            queue.dead(item.id, NOW, "answered 410")
        place = ["--config", str(tmp_path / "nadhir.yaml")]
        listed = CliRunner().invoke(main, ["notify", "dead", "list", *place])
        assert listed.exit_code == 0, listed.output
        (one,) = map(json.loads, listed.stdout.splitlines())
        assert (one["alert"], one["receiver"], one["detail"]) == (
            first().id, "hook", "answered 410",
        )  # fmt: skip
        other = CliRunner().invoke(main, ["notify", "dead", "replay", "--receiver", "x", *place])
        assert other.stdout == "queued\t0\ncancelled\t0\n"
        again = CliRunner().invoke(main, ["notify", "dead", "replay", *place])
        assert again.stdout == "queued\t1\ncancelled\t0\n"
        with opened_desk(config, lambda: NOW) as desk, answering(config, desk, _now_ms):
            eventually(lambda: tool.received)
            told_of = eventually(lambda: sent(desk))
        assert [(n.receiver, n.status) for n in told_of] == [("hook", "sent")]


def sent(desk: Desk) -> list[NotificationView]:
    return [n for n in desk.told_of(first().id).notifications if n.status == "sent"]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
