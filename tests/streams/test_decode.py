"""The decoder: one mention or one rejection a line, with a stable reason."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.records import Mention, Rejection
from streams.decode import CSV_ERRORS, MAX_LINE_BYTES, REASONS, Decoded, decode_batch

DOC = Path(__file__).resolve().parents[2] / "docs" / "mention.md"
BASE: dict[str, Any] = {
    "id": "1",
    "platform": "x",
    "published_at": "2026-01-31T09:30:00+03:00",
    "text": "خدمة ممتازة",
}
NOW_MS = 1_769_841_000_000  # 2026-01-31T06:30:00Z


def decode(*lines: bytes, now_ms: int | None = None) -> Decoded:
    return decode_batch(
        lines,
        source="test",
        positions=range(1, len(lines) + 1),
        now_ms=now_ms,
        max_future_ms=300_000,
    )


def mention(**changes: Any) -> bytes:
    return orjson.dumps({**BASE, **changes})


def only_rejection(line: bytes, now_ms: int | None = None) -> Rejection:
    out = decode(line, now_ms=now_ms)
    assert out.mentions == []
    assert len(out.rejections) == 1
    return out.rejections[0]


def only_mention(line: bytes) -> Mention:
    out = decode(line)
    assert out.rejections == []
    assert len(out.mentions) == 1
    return out.mentions[0]


REJECTED: list[tuple[bytes, str, str]] = [
    (b"nonsense", "not_json", "character 1"),
    (b'{"id":NaN}', "not_json", "character 7"),
    (mention() + mention(), "not_json", "one JSON object a line"),
    (mention()[:-1], "not_json", "Not valid JSON"),
    (mention(text="X").replace(b"X", b"\\ud800"), "not_json", "Not valid JSON"),
    (mention(text="X").replace(b"X", b"\x00"), "not_json", "Not valid JSON"),
    (b"\x00\x00", "not_json", "Not valid JSON"),
    (mention(text="X").replace(b"X", b"\xff"), "not_utf8", "is not UTF-8"),
    (mention(text="X").replace(b"X", b"\xed\xa0\x80"), "not_utf8", "is not UTF-8"),
    (b"[" * 100_000, "too_deep", "flatten"),
    (b'{"author":' * 5000, "too_deep", "flatten"),
    (b"[]", "not_object", "not an object"),
    (b'"text"', "not_object", "not an object"),
    (b"{}", "missing_key", "$.id"),
    (mention(text=None), "missing_key", "$.text is missing or null"),
    (mention(id=1), "wrong_type", "$.id must be a string, but is a whole number; write it as"),
    (mention(published_at=1_700_000_000), "wrong_type", "RFC 3339"),
    (mention(rating="5"), "wrong_type", "$.rating must be a number, but is a string; write it"),
    (mention(author=[]), "wrong_type", "$.author must be an object, but is a list"),
    (mention(author={"id": 7}), "wrong_type", "$.author.id must be a string"),
    (mention(author={"followers": 1.5}), "wrong_type", "$.author.followers"),
    (mention(author={"verified": "yes"}), "wrong_type", "must be true or false"),
    (mention(links=["http://a", None]), "wrong_type", "$.links[1]"),
    (mention(engagement={"likes": True}), "wrong_type", "$.engagement.likes"),
    (mention(kind="tweet"), "bad_value", "post, reply, repost, quote, review or message"),
    (mention(rating=6), "bad_value", "$.rating must be at most 5"),
    (mention(rating=0), "bad_value", "$.rating must be at least 1"),
    (mention(author={"followers": -1}), "bad_value", "$.author.followers must be at least 0"),
    (mention(engagement={"views": 2**60}), "bad_value", "at most 9,007,199,254,740,992"),
    (mention(platform=""), "bad_value", "$.platform is empty"),
    (mention(rating=1)[:-2] + b"1e999}", "not_json", "Not valid JSON"),
    (mention(id=""), "empty_id", "$.id is empty"),
    (mention(repost_of=""), "empty_id", "$.repost_of is empty"),
    (mention(text="x" * 20_001), "text_too_long", "longer than 20,000 characters"),
    (mention(id="x" * 257), "field_too_long", "$.id is longer than 256"),
    (mention(author={"bio": "x" * 10_001}), "field_too_long", "$.author.bio"),
    (mention(links=["http://a"] * 101), "field_too_long", "more than 100 items"),
    (mention(published_at="2026-01-31T09:30:00"), "bad_time", "no UTC offset"),
    (mention(published_at="2026-02-30T09:30:00Z"), "bad_time", "$.published_at is not a time"),
    (mention(published_at="yesterday"), "bad_time", "RFC 3339"),
    (mention(author={"created_at": "2014-01-31T09:30:00"}), "bad_time", "$.author.created_at"),
    (mention(published_at="1999-12-31T23:59:59Z"), "time_too_old", "before 2000-01-01"),
    (mention(published_at="0001-01-01T00:00:00+14:00"), "time_too_old", "check its year"),
    (mention(published_at="9999-12-31T23:59:59-14:00"), "time_in_future", "2100-01-01"),
    (mention(junk="x" * MAX_LINE_BYTES), "line_too_large", "first 1 MiB is kept"),
    (b"x" * (10 * MAX_LINE_BYTES), "line_too_large", "longer than 1 MiB"),
    (mention() + b" " * MAX_LINE_BYTES, "line_too_large", "longer than 1 MiB"),
    *(
        (orjson.dumps({"csv_error": code, "csv_row": "a,b"}), "bad_row", sentence)
        for code, sentence in CSV_ERRORS.items()
    ),
]


@pytest.mark.parametrize(("line", "reason", "part"), REJECTED)
def test_each_fault_has_its_reason_and_says_where(line: bytes, reason: str, part: str) -> None:
    rejection = only_rejection(line)
    assert rejection.reason == reason
    assert part in rejection.detail
    assert rejection.detail.endswith(".")
    assert rejection.raw == line[:MAX_LINE_BYTES]
    assert (rejection.source, rejection.position) == ("test", "1")


def test_every_reason_is_produced_and_documented() -> None:
    assert {reason for _, reason, _ in REJECTED} == set(REASONS)
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", DOC.read_text("utf-8"), re.MULTILINE)
    documented = {code: text for code, text in rows if code in REASONS}
    assert documented == dict(REASONS)


def test_the_future_is_what_lies_beyond_the_clock_and_its_tolerance() -> None:
    late = mention(published_at="2026-01-31T09:35:01+03:00")
    rejection = only_rejection(late, now_ms=NOW_MS)
    assert rejection.reason == "time_in_future"
    assert "2026-01-31T06:35:00Z" in rejection.detail
    in_time = decode(mention(published_at="2026-01-31T09:35:00+03:00"), now_ms=NOW_MS)
    assert len(in_time.mentions) == 1
    assert len(decode(late, now_ms=None).mentions) == 1


def test_null_is_absent_for_every_optional_key() -> None:
    optional = {f.name: None for f in msgspec.structs.fields(Mention) if not f.required}
    assert only_mention(mention(**optional)) == only_mention(mention())
    nested = only_mention(mention(engagement={"likes": None, "views": 3}, author={"id": None}))
    assert nested == only_mention(mention(engagement={"views": 3}, author={}))


def test_tolerated_oddities() -> None:
    plain = only_mention(mention())
    assert only_mention(b"\xef\xbb\xbf" + mention()) == plain
    assert only_mention(mention() + b"\r") == plain
    assert only_mention(mention(unknown={"x": [None]}, csv_error="columns")) == plain
    assert only_mention(b'{"text":1,' + mention()[1:]) == plain  # the last duplicate counts
    deep = b'{"junk":' + b"[" * 1000 + b"]" * 1000 + b"," + mention()[1:]
    assert only_mention(deep) == plain


def test_hostile_text_is_kept_as_it_is() -> None:
    text = "{{7*7}} <script> \x1b[31m \u202eevil \x00 " + "ا" * 19_000
    assert only_mention(mention(text=text)).text == text


def test_details_never_quote_the_mention() -> None:
    secret = "z9secretz9"
    faults = [
        secret.encode(),
        mention(kind=secret),
        mention(published_at=secret),
        mention(rating=secret),
        mention(links=secret),
        orjson.dumps({secret: secret}),
        orjson.dumps({"csv_error": secret}),
        mention(author={"followers": secret}),
    ]
    out = decode(*faults)
    assert len(out.rejections) == len(faults)
    assert not [r for r in out.rejections if "secret" in r.detail]


def test_positions_follow_the_lines() -> None:
    lines = [b"", mention(id="a"), b" \r", b"bad", mention(id="b"), b"{}", mention(id="c")]
    lines.insert(6, mention(id="old", published_at="1990-01-01T00:00:00Z"))
    out = decode_batch(lines, source="s", positions=range(100, 108), now_ms=None, max_future_ms=0)
    assert [m.id for m in out.mentions] == ["a", "b", "c"]
    assert list(out.positions) == [101, 104, 107]
    found = [(r.position, r.reason) for r in out.rejections]
    assert found == [("103", "not_json"), ("105", "missing_key"), ("106", "time_too_old")]


def test_an_empty_batch() -> None:
    assert decode() == Decoded([], [], range(1, 1))


# --- properties -----------------------------------------------------------------------------

texts = st.text(max_size=40)
ids = st.text(min_size=1, max_size=20)
counts = st.integers(0, 2**53)
zones = st.sampled_from([UTC, timezone(timedelta(hours=3)), timezone(timedelta(minutes=-210))])
times = st.datetimes(datetime(2000, 1, 2), datetime(2099, 12, 30), timezones=zones)  # noqa: DTZ001
authors: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    id=st.none() | ids,
    handle=st.none() | texts,
    followers=st.none() | counts,
    created_at=st.none() | times.map(datetime.isoformat),
    verified=st.none() | st.booleans(),
)
mentions: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    id=ids,
    platform=st.text(min_size=1, max_size=10),
    published_at=times.map(datetime.isoformat),
    text=texts,
    kind=st.sampled_from(["post", "reply", "repost", "quote", "review", "message"]),
    author=st.none() | authors,
    rating=st.none() | st.floats(1, 5),
    links=st.none() | st.lists(texts, max_size=3),
    engagement=st.none() | st.fixed_dictionaries({"likes": counts}),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
mutated = st.builds(
    lambda base, key, value: orjson.dumps({**base, key: value}),
    mentions,
    st.sampled_from([f.name for f in msgspec.structs.fields(Mention)]),
    json_values,
)
cut = st.builds(
    lambda line, at, junk: line[: at % len(line)] + junk + line[at % len(line) :],
    mentions.map(orjson.dumps),
    st.integers(0, 10_000),
    st.binary(max_size=4),
)
any_line = st.binary(max_size=60) | json_values.map(orjson.dumps) | mutated | cut


@settings(max_examples=300, deadline=None)
@given(st.lists(any_line, max_size=8), st.none() | st.integers(0, 2**45))
def test_every_line_is_a_mention_or_a_rejection_in_order(
    lines: list[bytes], now_ms: int | None
) -> None:
    out = decode(*lines, now_ms=now_ms)
    written = [i for i, line in enumerate(lines, 1) if line.strip(b" \t\r\n\xef\xbb\xbf")]
    blank = set(range(1, len(lines) + 1)) - set(written)
    rejected = [int(r.position) for r in out.rejections]
    assert rejected == sorted(rejected)
    assert list(out.positions) == sorted(out.positions)
    assert len(out.positions) == len(out.mentions)
    met = sorted([*rejected, *out.positions])
    assert len(met) == len(set(met))
    assert set(written) <= set(met) <= set(written) | blank
    for rejection in out.rejections:
        assert rejection.reason in REASONS
        assert rejection.raw == lines[int(rejection.position) - 1]
        assert rejection.detail.isprintable()
    for line, position in zip(out.mentions, out.positions):
        alone = decode(lines[position - 1], now_ms=now_ms)
        assert alone.mentions == [line]  # neighbours change nothing


@settings(max_examples=150, deadline=None)
@given(mentions)
def test_a_valid_mention_round_trips(wire: dict[str, Any]) -> None:
    first = only_mention(orjson.dumps(wire))
    assert only_mention(msgspec.json.encode(first)) == first
    assert (first.id, first.text, first.platform) == (wire["id"], wire["text"], wire["platform"])
    assert first.published_at == datetime.fromisoformat(wire["published_at"])
    assert list(first.links) == (wire["links"] or [])
