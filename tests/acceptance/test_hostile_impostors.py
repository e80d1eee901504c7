"""Impostors may write what they like: every stage, store, page and export goes on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts.fusion import AlertSettings, AlertStage
from alerts.indicators import indicator_bundle
from alerts.pack import evidence_pack
from alerts.playbook import load_playbooks
from alerts.playbook.records import Bilingual, Playbook
from alerts.show import render_page
from alerts.texts import Phrases, load_phrases
from models.records import Author, Brand, Mention
from streams.detect import DetectStage
from streams.score import ScoreStage
from streams.sentiment import SentimentSettings, open_sentiment

START = datetime(2026, 3, 1, tzinfo=UTC)
BRAND = Brand(
    id="acme", names=("Acmezon", "أكميزون"), handles=("acmezon",), domains=("acmezon.com",)
)
NAME = Bilingual(ar="أكميزون", en="Acmezon")
# no lone surrogates: what holds them is refused before it comes so far
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
HALF = "acmezon\ud800".encode("punycode").decode()  # half a character, hidden in a host


@cache
def score() -> ScoreStage:
    return ScoreStage([BRAND], open_sentiment(SentimentSettings()))


@cache
def texts() -> tuple[dict[str, Playbook], Phrases]:
    return load_playbooks(), load_phrases()


def mentions(tail: str, name: str, bio: str, text: str, host: str) -> Iterator[Mention]:
    """An impostor and a look-alike link, decorated with anything."""
    for i in range(6):
        yield Mention(
            id=f"{i}{tail}",
            platform="x",
            published_at=START + timedelta(seconds=20 * i),
            text=f"@victim{i} DM us your card number {text} https://acmezon-login.{host}/{tail}",
            kind="reply",
            in_reply_to=f"{name or 'p'}{i}",
            author=Author(id=f"7{tail}", handle="acmezon_help", name=f"Acmezon {name}", bio=bio),
            links=(f"https://acmezon.com.evil.top/{text}", f"https://xn--{HALF}.top/{host}"),
            url=f"https://x.example/{tail}",
        )


@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(TEXT, TEXT, TEXT, TEXT, TEXT)
def test_nothing_raises_and_nothing_is_active(
    tail: str, name: str, bio: str, text: str, host: str
) -> None:
    stage = DetectStage([BRAND], {})
    signals = stage.detect(score().score(list(mentions(tail, name, bio, text, host))))
    pieces = {key: blob for key, blob in stage.changes() if blob is not None}
    again = DetectStage([BRAND], {})
    again.restore(pieces)
    alert = AlertStage([BRAND], AlertSettings(), *texts())
    alerts = [case.alert for case in alert.handle(signals).cases.values()]
    assert {"impersonation", "phishing"} <= {a.type for a in alerts}
    indicator_bundle(alerts, {"acme": NAME})
    pages = [render_page(alerts, {"acme": NAME})]
    packs = [evidence_pack(a, NAME).files for a in alerts if a.impostor]
    pages += [files["evidence.html"].decode() for files in packs]
    for page in pages:
        assert "<script" not in page
        assert "https://acmezon-login" not in page
        assert "\u202e" not in page
