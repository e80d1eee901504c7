"""What each channel posts: shape, limits, both languages, marks, and nothing an attacker wrote."""

from __future__ import annotations

import html
import json
import re
import time
from collections.abc import Sequence
from datetime import timedelta
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts.notify.channels import alertmanager, pagerduty, slack, teams, telegram, webhook
from alerts.notify.channels.apprise_urls import AppriseSettings, AppriseUrls
from alerts.notify.content import MOST_LISTED, content, digest, plain
from alerts.notify.errors import DeliveryError
from alerts.notify.example import example_notification
from alerts.notify.http import Sender
from alerts.notify.records import Notification
from alerts.playbook.records import LANGUAGES
from alerts.records import Alert
from tests.alerts.notify.build import (
    ATTACKS,
    BANK,
    EVIL,
    EVILS,
    FakeReceiver,
    Received,
    alert_of,
    answer,
    raised,
    strings,
    told,
)
from tests.alerts.test_fusion import steering

DOCS = Path(__file__).resolve().parents[3] / "docs" / "notifications.md"
EXPIRES = timedelta(hours=1)
MANY = [told(alert=alert_of(i), version=i) for i in range(25)]
DRILL = told(drill=True)
TEST = example_notification("team", "acme", 1_795_246_860_000)
OPENED, HOSTILE = told(), told(alert=EVIL)
KEY = pagerduty.PagerDutySettings(routing_key="k")


def posted(notification: Notification) -> dict[str, Any]:
    """What each channel makes of a notification."""
    shown = content(notification)
    return {
        "alertmanager": alertmanager.alerts_of(notification, EXPIRES),
        "pagerduty": pagerduty.event_of(notification, KEY),
        "slack": slack.message_of(shown, LANGUAGES),
        "teams": json.loads(teams.encoded(shown, LANGUAGES)),
        "telegram": telegram.message_of(shown, LANGUAGES),
    }


def text_of(value: Any) -> str:
    return html.unescape("\n".join(strings(json.loads(msgspec.json.encode(value)))))


# apprise looks for a module that Python 3.13 no longer has
old_apprise = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


# all of them ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", posted(OPENED))
def test_both_languages_and_the_same_figures(name: str) -> None:
    text = text_of(posted(OPENED)[name])
    said = BANK.explanation.observed
    assert said.ar in text
    assert said.en in text
    assert BANK.title.ar in text


@pytest.mark.parametrize("name", posted(OPENED))
@pytest.mark.parametrize(
    ("notification", "mark"), [(DRILL, "DRILL / تدريب"), (TEST, "TEST / تجربة")]
)
def test_marked_in_both_languages(name: str, notification: Notification, mark: str) -> None:
    message = posted(notification)[name]
    assert mark in text_of(message)
    head = {
        "alertmanager": lambda m: m[0]["annotations"]["summary"],
        "pagerduty": lambda m: m["payload"]["summary"],
        "slack": lambda m: m["text"],
        "teams": lambda m: m["attachments"][0]["content"]["fallbackText"],
        "telegram": lambda m: m["text"].removeprefix("<b>"),
    }[name](message)
    assert head.startswith(f"[{mark}]"), "first of all"
    assert mark not in text_of(posted(OPENED)[name])


@pytest.mark.parametrize("name", posted(OPENED))
@pytest.mark.parametrize("alert", EVILS, ids=range(len(EVILS)))
def test_nothing_hostile_can_be_clicked_or_steers(name: str, alert: Alert) -> None:
    text = text_of(posted(told(alert=alert, actor=ATTACKS[-2], assignee=ATTACKS[-1]))[name])
    assert not steering(text), steering(text)
    for live in ("evil.example", "https://evil", "@everyone", "@U012", "\r", "javascript:"):
        assert live not in text


@given(st.lists(st.text(max_size=400), min_size=1, max_size=3))
def test_no_text_can_raise_or_break_a_limit(texts: list[str]) -> None:
    first = BANK.evidence[0]
    evil = tuple(replace(first, text=t * 9, handle=t, platform=t) for t in texts)
    about = msgspec.structs.replace(BANK.title, ar=texts[0] * 40, en=texts[0] * 40)
    made = posted(told(alert=replace(BANK, evidence=evil, title=about), actor=texts[0]))
    check_limits(made)


def check_limits(made: dict[str, Any]) -> None:
    for block in made["slack"]["blocks"]:
        if block["type"] == "header":
            assert len(block["text"]["text"]) <= 150
        if block["type"] == "section":
            assert 1 <= len(block["text"]["text"]) <= 3_000
    assert len(made["slack"]["blocks"]) <= 50
    assert len(msgspec.json.encode(made["teams"])) <= 28_000
    shown = html.unescape(re.sub(r"<[^>]*>", "", made["telegram"]["text"]))
    assert len(shown.encode("utf-16-le")) // 2 <= 4_096
    if made["pagerduty"]:
        assert len(made["pagerduty"]["payload"]["summary"]) <= 1_024
    for alert in made["alertmanager"]:
        assert all(len(value.encode()) <= 2_000 for value in alert["annotations"].values())


def test_limits_hold_for_the_longest() -> None:
    check_limits(posted(HOSTILE))
    long = msgspec.structs.replace(BANK.explanation.observed, ar="ن" * 9_000, en="&" * 9_000)
    explanation = replace(EVIL.explanation, observed=long)
    check_limits(posted(told(alert=replace(EVIL, explanation=explanation))))


def test_a_digest_names_ten_and_counts_the_rest() -> None:
    shown = digest(MANY)
    assert len(shown.sentences) == MOST_LISTED + 1
    assert shown.title.en == "Alerts: 25"
    assert shown.sentences[-1].ar == "وتنبيهات أخرى: 15"
    assert BANK.title.ar in shown.sentences[0].ar
    mixed = digest([told(drill=True), told(version=2)])
    assert mixed.sentences[0].en.startswith("[DRILL / تدريب]")
    assert not mixed.sentences[1].en.startswith("[")


def test_a_digest_links_to_the_list_in_every_channel() -> None:
    url = "https://nadhir.example/v1/alerts"
    many = [told(alert=alert_of(i), list_url=url) for i in range(3)]
    shown = digest(many)
    assert (shown.url, shown.open_label.en) == (url, "Open the alerts")
    assert shown.open_label.ar == "عرض التنبيهات"
    languages = ("ar", "en")
    for message in (
        slack.message_of(shown, languages),
        teams.message_of(shown, languages),
        telegram.message_of(shown, languages),
    ):
        said = msgspec.json.encode(message).decode()
        assert url in said
        assert "عرض التنبيهات · Open the alerts" in said
        assert "Acknowledge" not in said
    assert any(url in line for line in plain(shown, "en"))


def test_the_end_is_short_and_acknowledged_has_no_button() -> None:
    shown = content(told("resolved"))
    assert (shown.quotes, shown.steps, shown.sentences) == ((), (), ())
    assert shown.acknowledge_url is None
    taken = content(told("acknowledged", actor="Amal"))
    assert taken.acknowledge_url is None
    assert taken.happened.en == "Alert acknowledged by \u2068Amal\u2069"
    both = content(told("assigned", actor="Amal", assignee="Tariq")).happened
    assert both.ar == "أُسند التنبيه إلى \u2068Tariq\u2069: \u2068Amal\u2069"


# each of them ---------------------------------------------------------------------------------


def test_slack_mentions_and_marks_are_text() -> None:
    """What strangers wrote is in literal elements; mrkdwn has its three characters escaped."""
    message = posted(HOSTILE)["slack"]
    literal = [
        element["text"]
        for block in message["blocks"]
        if block["type"] == "rich_text"
        for part in block["elements"]
        for element in part["elements"]
    ]
    assert any("<script>" in text for text in literal), "as it was written"
    for block in message["blocks"]:
        if block["type"] == "section":
            assert block["text"]["verbatim"] is True
            assert not re.search(r"<[!@#h]", block["text"]["text"])
    assert slack.escape("<!channel>") == "&lt;!channel&gt;"
    evil = msgspec.structs.replace(BANK.title, en="<!channel> & <@U1>", ar="<!here>")
    text = slack.message_of(content(told(alert=replace(BANK, title=evil))), ("en", "ar"))["text"]
    assert "&lt;!channel&gt; &amp; &lt;@U1&gt;" in text
    assert "<" not in text


def test_slack_buttons() -> None:
    actions = posted(OPENED)["slack"]["blocks"][-1]
    assert [e["url"] for e in actions["elements"]] == [OPENED.acknowledge_url, OPENED.url]
    assert actions["elements"][0]["text"]["text"] == "استلام · Acknowledge"
    bare = slack.message_of(content(told(url=None, acknowledge_url=None)), ("en",))
    assert all(block["type"] != "actions" for block in bare["blocks"])


def test_teams_knows_no_markdown_where_others_wrote() -> None:
    card = posted(HOSTILE)["teams"]["attachments"][0]["content"]
    kinds = {item["type"] for part in card["body"] for item in part["items"]}
    assert kinds == {"RichTextBlock"}
    assert [part.get("rtl") for part in card["body"][:2]] == [True, False]
    assert [action["url"] for action in card["actions"]] == [
        HOSTILE.acknowledge_url, HOSTILE.url,
    ]  # fmt: skip


class Tags(HTMLParser):
    """Tags of a text, and whether they are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, Any]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, attrs))
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("alert", EVILS, ids=range(len(EVILS)))
def test_telegram_has_its_own_tags_alone(alert: Alert) -> None:
    tags = Tags(posted(told(alert=alert))["telegram"]["text"])
    assert {tag for tag, _ in tags.found} == {"b", "blockquote"}
    assert all(not attributes for _, attributes in tags.found)
    assert tags.open == []


def test_telegram_buttons() -> None:
    message = posted(OPENED)["telegram"]
    assert message["link_preview_options"] == {"is_disabled": True}
    (row,) = message["reply_markup"]["inline_keyboard"]
    assert [button["url"] for button in row] == [OPENED.acknowledge_url, OPENED.url]


def test_telegram_writes_to_the_chat_or_the_people() -> None:
    with FakeReceiver() as bot, Sender(allow_private=True, timeout_s=2) as sender:
        settings = telegram.TelegramSettings(token="7:x", chat="-1", url=bot.url)
        channel = telegram.Telegram(settings, sender)
        channel.send([OPENED])
        channel.send([told("escalated", to=("11", "12"))])
        assert [got.path for got in bot.received] == ["/bot7:x/sendMessage"] * 3
        chats = [json.loads(got.body)["chat_id"] for got in bot.received]
        assert chats == ["-1", "11", "12"]


def test_telegram_reaches_who_can_be_reached_and_repeats_nothing() -> None:
    refused = {"12": 503}

    def behave(handler: BaseHTTPRequestHandler, got: Received) -> None:
        answer(refused.get(json.loads(got.body)["chat_id"], 200))(handler, got)

    with FakeReceiver(behave) as bot, Sender(allow_private=True, timeout_s=2) as sender:
        settings = telegram.TelegramSettings(token="7:x", chat="-1", url=bot.url)
        channel = telegram.Telegram(settings, sender)
        channel.send([told("escalated", to=("Amal",))])  # a name of a calendar is no chat
        pair = told("escalated", to=("12", "11"))
        with pytest.raises(DeliveryError, match="503"):
            channel.send([pair])
        refused["12"] = 400
        with pytest.raises(DeliveryError, match="messages: 1, refused: 1 ") as caught:
            channel.send([pair])
        assert not caught.value.retry, "it is a dead letter, which can be replayed"
        del refused["12"]
        assert channel.send([pair]) == "messages: 2"
        chats = [json.loads(got.body)["chat_id"] for got in bot.received]
        assert chats == ["-1", "12", "11", "12", "12"]


@pytest.mark.parametrize(
    ("why", "action"),
    [("opened", "trigger"), ("raised", "trigger"), ("escalated", "trigger"),
     ("reopened", "trigger"), ("acknowledged", "acknowledge"), ("resolved", "resolve")],
)  # fmt: skip
def test_pagerduty_actions_share_one_key(why: Any, action: str) -> None:
    event = pagerduty.event_of(told(why), KEY)
    assert event is not None
    assert (event["event_action"], event["dedup_key"]) == (action, BANK.id)
    assert event["routing_key"] == "k"
    assert ("payload" in event) is (action == "trigger")


def test_pagerduty_is_not_told_what_it_has_no_event_for() -> None:
    assert pagerduty.event_of(told("assigned"), KEY) is None
    late = told("opened", state="resolved")
    assert pagerduty.event_of(late, KEY) is None, "a late trigger would open it anew"
    with FakeReceiver(answer(202)) as service, Sender(allow_private=True, timeout_s=2) as sender:
        settings = pagerduty.PagerDutySettings(routing_key="k", url=service.url)
        channel = pagerduty.PagerDuty(settings, sender)
        assert channel.send([told("assigned")]) == "PagerDuty has no such event"
        assert service.received == []
        assert channel.send([told("opened"), told("resolved")]) == "events: 2"
        assert {got.path for got in service.received} == {"/v2/enqueue"}


@pytest.mark.parametrize(
    ("why", "actions"),
    [
        ("opened", ["trigger"]),
        ("retyped", ["trigger"]),
        # a trigger alone would only lengthen the log of an incident that somebody acknowledged
        ("raised", ["resolve", "trigger"]),
        ("escalated", ["resolve", "trigger"]),
        ("unacknowledged", ["resolve", "trigger"]),
        ("acknowledged", ["acknowledge"]),
    ],
)
def test_what_calls_again_is_a_new_incident_of_pagerduty(why: Any, actions: list[str]) -> None:
    with FakeReceiver(answer(202)) as service, Sender(allow_private=True, timeout_s=2) as sender:
        settings = pagerduty.PagerDutySettings(routing_key="k", url=service.url)
        pagerduty.PagerDuty(settings, sender).send([told(why)])
        sent = [json.loads(got.body) for got in service.received]
    assert [event["event_action"] for event in sent] == actions
    assert {event["dedup_key"] for event in sent} == {BANK.id}


def test_alertmanager_labels_are_the_same_from_first_to_last() -> None:
    whys: Sequence[Any] = ("opened", "retyped", "acknowledged", "resolved")
    labels = [alertmanager.alerts_of(told(why), EXPIRES)[0]["labels"] for why in whys]
    assert all(each == labels[0] for each in labels)
    assert labels[0] == {
        "alertname": "NadhirCrisis",
        "alert_id": BANK.id,
        "brand": "rimal-bank",
        "severity": "critical",
    }
    evil = alertmanager.alerts_of(HOSTILE, EXPIRES)[0]
    assert set(evil["labels"]) == set(labels[0])
    assert all(len(value) <= 128 for value in evil["labels"].values())


def test_alertmanager_resolves_the_lower_severity_when_it_rises() -> None:
    high = told("raised", raised(BANK, "watch", "critical"))
    firing, lower = alertmanager.alerts_of(high, EXPIRES)
    assert (firing["labels"]["severity"], lower["labels"]["severity"]) == ("critical", "watch")
    assert firing["endsAt"] == "2026-11-21T09:00:00.000Z"
    assert lower["endsAt"] == "2026-11-21T08:00:00.000Z"
    assert lower["labels"] | {"severity": "critical"} == firing["labels"]


# webhook --------------------------------------------------------------------------------------


def test_webhook_event_is_a_cloudevent() -> None:
    event = webhook.event_of(OPENED)
    assert {"specversion", "id", "source", "type"} <= set(event), "required by CloudEvents 1.0"
    assert event["specversion"] == "1.0"
    assert event["id"] == OPENED.key
    assert event["type"] == "nadhir.alert.opened.v1"
    assert msgspec.convert(event["data"]["alert"], type(BANK)) == BANK


def test_webhook_batch_and_secret_forms() -> None:
    with FakeReceiver() as tool, Sender(allow_private=True, timeout_s=2) as sender:
        settings = webhook.WebhookSettings(url=tool.url, secret="whsec_c2VjcmV0")
        webhook.Webhook(settings, sender, lambda: 5_000).send(MANY)
        (got,) = tool.received
        assert got.headers["content-type"].startswith("application/cloudevents-batch+json")
        assert [event["id"] for event in json.loads(got.body)] == [told.key for told in MANY]
        assert got.headers["webhook-timestamp"] == "5"
        expected = webhook.signature("secret", got.headers["webhook-id"], 5, got.body)
        assert got.headers["webhook-signature"] == expected, "base64 and text are one key"


def test_a_receiver_checks_the_signature_as_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    documented: dict[str, Any] = {}
    exec(code, documented)
    genuine = documented["genuine"]
    with FakeReceiver() as tool, Sender(allow_private=True, timeout_s=2) as sender:
        settings = webhook.WebhookSettings(url=tool.url, secret="a long random text")
        webhook.Webhook(settings, sender, lambda: 1_700_000_000_000).send([OPENED])
        (got,) = tool.received
    monkeypatch.setattr(time, "time", lambda: 1_700_000_010.0)
    assert genuine(got.headers, got.body, settings.secret)
    assert not genuine(got.headers, got.body + b" ", settings.secret), "another body"
    assert not genuine(got.headers, got.body, "guessed")
    assert not genuine(got.headers | {"webhook-id": "x"}, got.body, settings.secret)
    assert not genuine(got.headers | {"webhook-timestamp": "1700000001"}, got.body, settings.secret)
    monkeypatch.setattr(time, "time", lambda: 1_700_000_400.0)
    assert not genuine(got.headers, got.body, settings.secret), "replayed"


@pytest.mark.parametrize("key", ["a\r\nx-evil: 1", "a.b", "مفتاح", "a b", ""])
def test_webhook_id_is_a_harmless_header(key: str) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}|", webhook.header_id(key))


# apprise --------------------------------------------------------------------------------------


@old_apprise
def test_apprise_sends_text_and_is_guarded() -> None:
    with FakeReceiver() as service:
        url = f"json://127.0.0.1:{service.port}/x"
        with pytest.raises(DeliveryError, match="private address"):
            AppriseUrls(AppriseSettings(urls=(url,))).send([OPENED])
        assert service.received == []
        settings = AppriseSettings(urls=(url,), allow_private=True)
        assert AppriseUrls(settings).send([OPENED]) == "sent to 1"
        (got,) = service.received
        text = json.loads(got.body)
        assert BANK.title.ar in text["title"]
        assert BANK.explanation.observed.en in text["message"]


@old_apprise
def test_apprise_repeats_nothing_to_those_who_took_it() -> None:
    down = [True]

    def second(handler: BaseHTTPRequestHandler, got: Received) -> None:
        answer(500 if down[0] else 200)(handler, got)

    with FakeReceiver() as good, FakeReceiver(second) as bad:
        urls = tuple(f"json://127.0.0.1:{one.port}/x" for one in (bad, good))
        channel = AppriseUrls(AppriseSettings(urls=urls, allow_private=True))
        for _ in range(3):
            with pytest.raises(DeliveryError, match="could not send to URL 1"):
                channel.send([OPENED])
        assert len(good.received) == 1, "told at once, and once"
        down[0] = False
        assert channel.send([OPENED]) == "sent to 2"
        assert (len(good.received), len(bad.received)) == (1, 4)


@old_apprise
def test_apprise_tells_failures() -> None:
    with pytest.raises(DeliveryError, match="URL 1 is none that apprise knows") as caught:
        AppriseUrls(AppriseSettings(urls=("nonsense://s3cret",)))
    assert "s3cret" not in str(caught.value)
    with FakeReceiver(answer(500)) as service:
        url = f"json://127.0.0.1:{service.port}/s3cret"
        with pytest.raises(DeliveryError, match="could not send to URL 1") as caught:
            AppriseUrls(AppriseSettings(urls=(url,), allow_private=True)).send([OPENED])
    assert caught.value.retry
    assert "s3cret" not in str(caught.value)
