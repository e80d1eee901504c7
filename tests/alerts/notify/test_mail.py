"""E-mail: through a real SMTP server, both languages, threads; headers and HTML against attacks."""

from __future__ import annotations

import email
import email.policy
import re
import socket
from collections.abc import Iterator
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from msgspec.structs import replace

from alerts.notify.channels.mail import Mail, MailSettings, message_of
from alerts.notify.errors import DeliveryError
from alerts.notify.example import example_notification
from alerts.playbook.records import Bilingual
from alerts.records import Alert
from tests.alerts.notify.build import ATTACKS, BANK, EVILS, alert_of, blackhole, told
from tests.alerts.test_fusion import steering
from tests.certificates import certificate

SETTINGS = MailSettings(
    name="duty", host="127.0.0.1", port=25, security="none", sender="nadhir@acme.example",
    to=("amal@acme.example", "tariq@acme.example"), allow_private=True, timeout_s=5,
)  # fmt: skip


class Inbox:
    """What a real SMTP server took; ``refuse`` is what it answers to a recipient."""

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], EmailMessage]] = []
        self.refuse: dict[str, str] = {}

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Envelope, address: str, options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.taken.append((list(envelope.rcpt_tos), parsed))
        return "250 OK"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Inbox, int]]:
    inbox = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(inbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield inbox, port
    controller.stop()


@pytest.fixture
def inbox(server: tuple[Inbox, int]) -> Inbox:
    server[0].taken.clear()
    server[0].refuse.clear()
    return server[0]


@pytest.fixture
def mail(server: tuple[Inbox, int]) -> Mail:
    return Mail(replace(SETTINGS, port=server[1]))


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_a_real_server_takes_both_languages(mail: Mail, inbox: Inbox) -> None:
    assert mail.send([told()]) == "recipients: 2"
    ((people, message),) = inbox.taken
    assert people == list(SETTINGS.to)
    said = BANK.explanation.observed
    for kind in ("plain", "html"):
        text = part(message, kind)
        assert said.ar in text
        assert said.en in text
    assert part(message, "html").index(said.ar) < part(message, "html").index(said.en)
    assert message["subject"].startswith("صدر تنبيه · حرج 87/100 · بنك رمال")
    assert message["from"].addresses[0].display_name == "نذير · Nadhir"
    assert message["auto-submitted"] == "auto-generated"
    assert [p.get_content_type() for p in message.iter_parts()] == ["text/plain", "text/html"]


def test_arabic_is_right_to_left_and_english_left_to_right(mail: Mail) -> None:
    tags = Page(part(message_of([told()], SETTINGS), "html")).tags
    assert tags[0] == ("html", {"lang": "ar", "dir": "rtl"})
    pairs = {(a["lang"], a["dir"]) for _, a in tags if "lang" in a and "dir" in a}
    assert pairs == {("ar", "rtl"), ("en", "ltr")}
    english = message_of([told()], replace(SETTINGS, languages=("en",)))
    tags = Page(part(english, "html")).tags
    assert tags[0] == ("html", {"lang": "en", "dir": "ltr"})
    assert all(a.get("lang", "en") == "en" for _, a in tags)
    assert BANK.title.ar not in part(english, "html")


def test_an_alert_is_one_thread(mail: Mail, inbox: Inbox) -> None:
    for why in ("opened", "raised", "resolved"):
        mail.send([told(why)])
    mail.send([told(alert=alert_of(7))])
    opened, updated, ended, other = (message for _, message in inbox.taken)
    root = opened["message-id"]
    assert re.fullmatch(r"<[0-9a-f]{40}@acme\.example>", root)
    assert "in-reply-to" not in opened
    assert {m["in-reply-to"] for m in (updated, ended)} == {root}
    assert {m["references"] for m in (updated, ended)} == {root}
    assert len({m["message-id"] for _, m in inbox.taken}) == 4
    assert other["message-id"] != root
    again = message_of([told("raised")], SETTINGS)
    assert again["message-id"] == updated["message-id"], "the same at each attempt"


@pytest.mark.parametrize(
    ("notification", "mark"),
    [(told(drill=True), "DRILL / تدريب"),
     (example_notification("duty", "acme", 1_795_246_860_000), "TEST / تجربة")],
)  # fmt: skip
def test_marked_everywhere(notification: Any, mark: str) -> None:
    message = message_of([notification], SETTINGS)
    assert message["subject"].startswith(f"[{mark}]")
    assert part(message, "plain").startswith(f"[{mark}]")
    assert f">{mark}</td>" in part(message, "html")


def test_people_of_an_escalation_get_it_alone(mail: Mail, inbox: Inbox) -> None:
    mail.send([told("escalated", to=("boss@acme.example",))])
    assert inbox.taken[0][0] == ["boss@acme.example"]


def test_an_escalation_to_names_that_are_no_addresses_reaches_somebody(
    mail: Mail, inbox: Inbox
) -> None:
    mail.send([told("escalated", to=("Amal",))])
    mail.send([told("escalated", to=("Amal", "boss@acme.example"))])
    assert [people for people, _ in inbox.taken] == [list(SETTINGS.to), ["boss@acme.example"]]


def test_a_digest_is_one_message(mail: Mail, inbox: Inbox) -> None:
    mail.send([told(alert=alert_of(i)) for i in range(12)])
    ((_, message),) = inbox.taken
    assert message["subject"] == "عدد التنبيهات: 12"
    assert part(message, "html").count("Rimal Bank: reports") == 10


def test_a_digest_links_to_the_list(mail: Mail, inbox: Inbox) -> None:
    url = "https://nadhir.example/v1/alerts"
    mail.send([told(alert=alert_of(i), list_url=url) for i in range(2)])
    ((_, message),) = inbox.taken
    assert f'href="{url}"' in part(message, "html")
    assert "Open the alerts" in part(message, "html")
    assert f"عرض التنبيهات: {url}" in part(message, "plain")


# failures -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "retry"), [("550 no such user", False), ("450 try again later", True)]
)
def test_refused_recipients(mail: Mail, inbox: Inbox, said: str, retry: bool) -> None:
    inbox.refuse = dict.fromkeys(SETTINGS.to, said)
    with pytest.raises(DeliveryError, match=f"every recipient was refused .{said[:3]}.") as caught:
        mail.send([told()])
    assert caught.value.retry is retry


@pytest.mark.parametrize(
    ("said", "retry"), [("550 no such user", False), ("450 try again later", True)]
)
def test_who_was_refused_alone_is_tried_again(
    mail: Mail, inbox: Inbox, said: str, retry: bool
) -> None:
    first, second = SETTINGS.to
    inbox.refuse = {first: said}
    with pytest.raises(DeliveryError, match=f"recipients: 1, refused: 1 .{said[:3]}.") as caught:
        mail.send([told()])
    assert caught.value.retry is retry
    inbox.refuse = {}
    assert mail.send([told()]) == "recipients: 2"
    assert mail.send([told()]) == "recipients: 2", "nobody is told again"
    assert [people for people, _ in inbox.taken] == [[second], [first]]
    mail.send([told(version=2)])
    assert inbox.taken[-1][0] == [first, second]


def test_what_is_not_encrypted_is_not_sent(inbox: Inbox, server: tuple[Inbox, int]) -> None:
    strict = Mail(replace(SETTINGS, port=server[1], security="starttls"))
    with pytest.raises(DeliveryError, match="lacks what is asked") as caught:
        strict.send([told()])
    assert not caught.value.retry
    wrapped = Mail(replace(SETTINGS, port=server[1], security="tls", timeout_s=1))
    with pytest.raises(DeliveryError, match="no secure connection"):
        wrapped.send([told()])
    assert inbox.taken == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_over_tls_the_certificate_is_that_of_the_name(security: Any, tmp_path: Path) -> None:
    trusted, context = certificate(tmp_path, "mail.example")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    inbox = Inbox()
    whole = {"ssl_context": context} if security == "tls" else {}
    after = {"tls_context": context, "require_starttls": True} if security == "starttls" else {}
    running = Controller(inbox, hostname="127.0.0.1", port=port, **whole, **after)
    running.start()
    try:
        settings = replace(
            SETTINGS, host="mail.example", port=port, security=security, ca_file=str(trusted)
        )
        mail = Mail(settings, resolver=lambda *_: ["127.0.0.1"])
        assert mail.send([told()]) == "recipients: 2"
        other = Mail(replace(settings, host="other.example"), lambda *_: ["127.0.0.1"])
        with pytest.raises(DeliveryError, match=r"no secure connection \(CERTIFICATE"):
            other.send([told()])
    finally:
        running.stop()
    assert len(inbox.taken) == 1


def test_private_servers_need_the_setting(server: tuple[Inbox, int]) -> None:
    with pytest.raises(DeliveryError, match="private address"):
        Mail(replace(SETTINGS, port=server[1], allow_private=False)).send([told()])


def test_a_server_behind_an_address_that_leads_nowhere_is_reached(
    server: tuple[Inbox, int], inbox: Inbox
) -> None:
    with blackhole(server[1]) as dead:
        settings = replace(SETTINGS, host="mail.example", port=server[1], timeout_s=2)
        mail = Mail(settings, resolver=lambda *_: [dead, "127.0.0.1"])
        assert mail.send([told()]) == "recipients: 2"
    assert len(inbox.taken) == 1


def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(DeliveryError, match="no connection") as caught:
            Mail(replace(SETTINGS, port=free.getsockname()[1])).send([told()])
    assert caught.value.retry


# attacks --------------------------------------------------------------------------------------

HEADER_ATTACKS = (
    "x\r\nBcc: all@evil.example", "x\nSubject: other", "x\r\n\r\n<h1>body</h1>", "x\rBcc: e@x",
    "x\u2028Bcc: e@x", "x\x0bBcc: e@x", "=?utf-8?q?=0d=0aBcc:_e@x?=", "x\x00y", "\u202etxet",
    "x" * 5_000,
)  # fmt: skip


@pytest.mark.parametrize("attack", HEADER_ATTACKS)
def test_no_header_can_be_injected(attack: str) -> None:
    evil = replace(BANK, title=Bilingual(ar=attack, en=attack), id=attack, brand=attack)
    sent = message_of([told(alert=evil, actor=attack, assignee=attack, key=attack)], SETTINGS)
    plain = message_of([told(actor="x", assignee="x")], SETTINGS)
    parsed = email.message_from_bytes(sent.as_bytes(), policy=email.policy.default)
    assert parsed.keys() == plain.keys()
    assert parsed["to"] == plain["to"]
    assert not steering(str(parsed["subject"]))


@pytest.mark.parametrize(
    "address",
    ["a@b.example\r\nBcc: e@x.example", "a@b.example, e@x.example", "<a@b.example>",
     "a b@c.example", "a@b@c", "@b.example", "a@", "", "a@b.example\x00",
     'Amal" <e@x.example>, "@b.example'],
)  # fmt: skip
def test_an_address_is_one_address(address: str) -> None:
    for bad in (replace(SETTINGS, sender=address), replace(SETTINGS, to=(address,))):
        with pytest.raises(DeliveryError, match="not an e-mail address") as caught:
            message_of([told()], bad)
        assert not caught.value.retry
    # somebody is told all the same, and nobody whom the address names besides
    message = message_of([told("escalated", to=(address,))], SETTINGS)
    assert message["to"] == ", ".join(SETTINGS.to)
    assert "e@x.example" not in message.as_string()


class Page(HTMLParser):
    """Tags with their attributes, as a mail program reads them."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("alert", EVILS, ids=range(len(EVILS)))
def test_nothing_in_a_mention_becomes_html(alert: Alert) -> None:
    harmless = tuple(replace(e, text="t", handle="h", platform="p") for e in alert.evidence)
    evil_words = {"actor": ATTACKS[2], "assignee": ATTACKS[-2]}
    evil = Page(part(message_of([told(alert=alert, **evil_words)], SETTINGS), "html"))
    tame = Page(
        part(message_of([told(alert=replace(alert, evidence=harmless), actor="a", assignee="b")],
                        SETTINGS), "html")
    )  # fmt: skip
    assert [(t, sorted(a)) for t, a in evil.tags] == [(t, sorted(a)) for t, a in tame.tags]
    links = {a["href"] for t, a in evil.tags if t == "a"}
    assert links == {told().acknowledge_url, told(alert=alert).url}
    text = "".join(evil.words)
    assert not steering(text.replace("\r\n", "\n"))
    assert "evil.example" not in text


def test_nothing_is_loaded_from_elsewhere() -> None:
    tags = Page(part(message_of([told(alert=EVILS[0])], SETTINGS), "html")).tags
    assert not {"img", "script", "link", "iframe", "form", "style", "svg"} & {t for t, _ in tags}
    assert not any("src" in a or "background" in a for _, a in tags)
    assert "url(" not in part(message_of([told()], SETTINGS), "html")
