"""The HTTP intake and the schema: what is answered, what is stored, what is documented."""

from __future__ import annotations

import asyncio
import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import orjson
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from models.records import Mention
from streams.decode import MAX_LINE_BYTES, decode_batch
from streams.intake import (
    MAX_ERRORS,
    MAX_ITEMS,
    IntakeOptions,
    IntakeUnavailable,
    ItemTooLarge,
    create_intake,
)
from streams.schema import DESCRIPTIONS, EXAMPLES, mention_schema
from streams.sources.csv_map import MENTION_KEYS

DOC = Path(__file__).resolve().parents[2] / "docs" / "mention.md"
NOW_MS = 1_769_841_000_000  # 2026-01-31T06:30:00Z
ONE = orjson.dumps(
    {"id": "1", "platform": "x", "published_at": "2026-01-31T06:30:00Z", "text": "مرحبا"}
)
BAD = b'{"id": 1}'
NDJSON = {"content-type": "application/x-ndjson"}
JSON = {"content-type": "application/json"}


class MemoryStore:
    """Keeps lines in a list; `error` is raised instead, once set."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.error: Exception | None = None
        self.entered = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def append(self, lines: list[bytes]) -> int:
        self.entered.set()
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        self.lines += lines
        return len(lines)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def intake(store: MemoryStore, **options: Any) -> Starlette:
    return create_intake(store, IntakeOptions(now_ms=lambda: NOW_MS, **options))


def client(app: Starlette) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://intake")


def post(
    app: Starlette,
    content: bytes | Any,
    headers: dict[str, str] | None = None,
    path: str = "/v1/mentions",
) -> httpx.Response:
    async def send() -> httpx.Response:
        async with client(app) as session:
            return await session.post(path, content=content, headers=headers or JSON)

    return asyncio.run(send())


def problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail"} <= set(body)
    assert body["status"] == response.status_code
    assert body["detail"].endswith(".")
    return body


class TestAccepted:
    @pytest.mark.parametrize(
        ("body", "headers", "count"),
        [
            (ONE, JSON, 1),
            (ONE, {"content-type": "application/json; charset=utf-8"}, 1),
            (ONE, {"content-type": ""}, 1),
            (b"\xef\xbb\xbf \n" + ONE + b"\n", JSON, 1),
            (b"[" + ONE + b",\n" + ONE + b"]", JSON, 2),
            (b"[]", JSON, 0),
            (ONE + b"\n" + ONE, JSON, 2),  # NDJSON by its content
            (ONE + b"\r\n\r\n" + ONE + b"\r\n", NDJSON, 2),
            (gzip.compress(ONE, mtime=0), {**JSON, "content-encoding": "gzip"}, 1),
            (
                gzip.compress(ONE + b"\n", mtime=0) + gzip.compress(ONE, mtime=0),
                {**NDJSON, "content-encoding": "gzip"},
                2,
            ),
        ],
    )
    def test_every_shape_of_body(
        self, store: MemoryStore, body: bytes, headers: dict[str, str], count: int
    ) -> None:
        response = post(intake(store), body, headers)
        assert response.status_code == 202
        assert response.json() == {"accepted": count, "rejected": 0, "errors": []}
        assert [line.strip() for line in store.lines] == [ONE] * count

    def test_pretty_printed_json_is_stored_as_one_line(self, store: MemoryStore) -> None:
        pretty = orjson.dumps(orjson.loads(ONE), option=orjson.OPT_INDENT_2)
        assert post(intake(store), pretty).status_code == 202
        assert post(intake(store), b"[" + pretty + b"]").status_code == 202
        assert len(store.lines) == 2
        for line in store.lines:
            assert b"\n" not in line
            assert orjson.loads(line) == orjson.loads(ONE)

    def test_it_is_answered_only_once_durable(self, store: MemoryStore) -> None:
        async def scenario() -> None:
            store.go_on.clear()
            async with client(intake(store)) as session:
                sent = asyncio.create_task(session.post("/v1/mentions", content=ONE, headers=JSON))
                await store.entered.wait()
                assert not sent.done()
                assert store.lines == []
                store.go_on.set()
                assert (await sent).status_code == 202
            assert store.lines == [ONE]

        asyncio.run(scenario())


class TestRejected:
    @pytest.mark.parametrize(
        ("body", "headers"),
        [
            (b"[" + b", ".join([ONE, BAD, ONE, b'"text"']) + b"]", JSON),
            (b"\n".join([ONE, BAD, ONE, b'"text"']), NDJSON),
            (b"\n".join([ONE, BAD, ONE, b'"text"']), JSON),
        ],
    )
    def test_broken_items_are_reported_and_stored_too(
        self, store: MemoryStore, body: bytes, headers: dict[str, str]
    ) -> None:
        response = post(intake(store), body, headers)
        assert response.status_code == 202
        answer = response.json()
        assert (answer["accepted"], answer["rejected"]) == (2, 2)
        assert [(e["index"], e["reason"]) for e in answer["errors"]] == [
            (1, "wrong_type"),
            (3, "not_object"),
        ]
        assert store.lines == [ONE, BAD, ONE, b'"text"']

    @pytest.mark.parametrize("body", [BAD, b"[" + BAD + b"]", b"[1, 2]", b"true"])
    def test_nothing_acceptable_is_422_and_stored(self, store: MemoryStore, body: bytes) -> None:
        found = problem(post(intake(store), body))
        assert found["status"] == 422
        assert (found["accepted"], found["rejected"]) == (0, len(store.lines))
        assert found["rejected"] == len(found["errors"]) > 0

    def test_a_mention_from_the_future_is_rejected(self, store: MemoryStore) -> None:
        future = ONE.replace(b"06:30:00", b"06:35:01")
        found = problem(post(intake(store), future))
        assert found["errors"][0]["reason"] == "time_in_future"

    def test_a_long_list_of_errors_is_cut(self, store: MemoryStore) -> None:
        answer = post(intake(store), b"\n".join([ONE, *[BAD] * 500]), NDJSON).json()
        assert answer["rejected"] == 500
        assert len(answer["errors"]) == MAX_ERRORS

    def test_a_huge_item_is_stored_cut_and_still_too_large(self, store: MemoryStore) -> None:
        huge = ONE[:-1] + b',"x":"' + b"y" * (2 * MAX_LINE_BYTES) + b'"}'
        answer = post(intake(store), b"[" + ONE + b"," + huge + b"]").json()
        assert answer["errors"][0]["reason"] == "line_too_large"
        again = decode_batch(
            store.lines, source="s", positions=(1, 2), now_ms=None, max_future_ms=0
        )
        assert [r.reason for r in again.rejections] == ["line_too_large"]
        assert len(store.lines[1]) == MAX_LINE_BYTES + 1


class TestRefused:
    @pytest.mark.parametrize(
        ("body", "headers", "status", "part"),
        [
            (b"", JSON, 400, "empty"),
            (b" \n ", NDJSON, 400, "empty"),
            (b"name=secret", JSON, 400, "Not valid JSON"),
            (b"secret\nsecret", NDJSON, 400, "Not valid JSON"),
            (ONE[:-1], JSON, 400, "Not valid JSON"),
            (ONE.replace(b"x", b"\xff"), JSON, 400, "UTF-8"),
            (b"[" + ONE, JSON, 400, "array"),
            (b"[" + ONE + b",]", JSON, 400, "array"),
            (b"[" * 100_000, JSON, 400, "array"),
            (b'{"a":' * 100_000, JSON, 400, "nested"),
            (b"[" + b"[" * 2000 + b"]" * 2000 + b"]", JSON, 400, "array"),
            (b"not gzip", {**JSON, "content-encoding": "gzip"}, 400, "not valid gzip"),
            (
                gzip.compress(ONE, mtime=0)[:-9],
                {**JSON, "content-encoding": "gzip"},
                400,
                "cut short",
            ),
            (ONE, {"content-type": "text/plain"}, 415, "application/json"),
            (ONE, {**JSON, "content-encoding": "br"}, 415, "gzip"),
            (b"[" + b"1," * MAX_ITEMS + b"1]", JSON, 413, "10,000 mentions"),
            (b" " * 30_001, JSON, 413, "30,000 bytes"),
            (
                gzip.compress(bytes(10**7), mtime=0),
                {**JSON, "content-encoding": "gzip"},
                413,
                "inflated",
            ),
        ],
    )
    def test_nothing_is_stored_and_the_answer_says_why(
        self, store: MemoryStore, body: bytes, headers: dict[str, str], status: int, part: str
    ) -> None:
        limit = 30_000 if status == 413 else 8 << 20
        response = post(intake(store, max_body_bytes=limit), body, headers)
        assert response.status_code == status
        assert part in problem(response)["detail"]
        assert "secret" not in response.text
        assert store.lines == []

    def test_a_body_without_length_is_bounded_too(self, store: MemoryStore) -> None:
        async def chunks() -> Any:
            for _ in range(100):
                yield b" " * 1000

        response = post(intake(store, max_body_bytes=30_000), chunks())
        assert problem(response)["status"] == 413

    def test_other_methods_and_paths_are_problems_too(self, store: MemoryStore) -> None:
        async def get(path: str) -> httpx.Response:
            async with client(intake(store)) as session:
                return await session.get(path)

        refused = asyncio.run(get("/v1/mentions"))
        assert problem(refused)["status"] == 405
        assert refused.headers["allow"] == "POST"
        assert problem(asyncio.run(get("/")))["status"] == 404

    @pytest.mark.parametrize(
        "shown", [None, "", "Bearer", "Bearer wrong", "Basic s3cret", "Bearer s3cret2", "s3cret"]
    )
    def test_a_token_is_needed_where_one_is_set(
        self, store: MemoryStore, shown: str | None
    ) -> None:
        headers = JSON if shown is None else {**JSON, "authorization": shown}
        response = post(intake(store, token="s3cret"), ONE, headers)
        assert problem(response)["status"] == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert store.lines == []

    @pytest.mark.parametrize("shown", ["Bearer s3cret", "bearer  s3cret"])
    def test_the_right_token_is_let_in(self, store: MemoryStore, shown: str) -> None:
        headers = {**JSON, "authorization": shown}
        assert post(intake(store, token="s3cret"), ONE, headers).status_code == 202


class TestOverload:
    def test_bytes_in_flight_are_bounded_and_given_back(self, store: MemoryStore) -> None:
        async def scenario() -> None:
            store.go_on.clear()
            app = intake(store, max_in_flight_bytes=len(ONE) + 10)
            async with client(app) as session:
                first = asyncio.create_task(session.post("/v1/mentions", content=ONE, headers=JSON))
                await store.entered.wait()
                second = await session.post("/v1/mentions", content=ONE, headers=JSON)
                assert problem(second)["status"] == 503
                assert second.headers["retry-after"] == "1"
                store.go_on.set()
                assert (await first).status_code == 202
                third = await session.post("/v1/mentions", content=ONE, headers=JSON)
                assert third.status_code == 202

        asyncio.run(scenario())
        assert store.lines == [ONE, ONE]

    def test_inflated_bytes_count(self, store: MemoryStore) -> None:
        body = gzip.compress(ONE + b" " * 10_000, mtime=0)
        headers = {**JSON, "content-encoding": "gzip"}
        response = post(intake(store, max_in_flight_bytes=5000), body, headers)
        assert problem(response)["status"] == 503

    def test_an_item_that_the_store_does_not_take_is_named(self, store: MemoryStore) -> None:
        store.error = ItemTooLarge(1, 90_000)
        found = problem(post(intake(store), b"[" + ONE + b"," + ONE + b"]"))
        assert found["status"] == 413
        assert "index 1" in found["detail"]
        assert "90,000" in found["detail"]

    def test_a_store_that_is_full_asks_to_try_again(self, store: MemoryStore) -> None:
        store.error = IntakeUnavailable("disk full")
        response = post(intake(store), ONE)
        assert problem(response)["status"] == 503
        assert response.headers["retry-after"] == "1"

    def test_a_store_that_fails_is_500_without_its_words(self, store: MemoryStore) -> None:
        store.error = RuntimeError("secret path")
        response = post(intake(store), ONE)
        assert problem(response)["status"] == 500
        assert "secret" not in response.text

    def test_a_sender_that_stalls_is_cut_off(self, store: MemoryStore) -> None:
        async def never() -> Message:
            await asyncio.Event().wait()
            raise AssertionError

        response = self.call(intake(store, body_timeout_s=0.01), never)
        assert response["status"] == 408

    def test_a_sender_that_goes_away_stores_nothing(self, store: MemoryStore) -> None:
        messages: Iterator[Message] = iter(
            [
                {"type": "http.request", "body": ONE[:9], "more_body": True},
                {"type": "http.disconnect"},
            ]
        )

        async def receive() -> Message:
            return next(messages)

        assert self.call(intake(store), receive)["status"] == 400
        assert store.lines == []

    def call(self, app: Starlette, receive: Any) -> Message:
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/mentions",
            "headers": [],
            "query_string": b"",
        }
        asyncio.run(app(scope, receive, send))
        return sent[0]


def test_routes_can_live_in_another_application(store: MemoryStore) -> None:
    from starlette.routing import Route

    from streams.intake import intake_routes, problem_handlers

    async def health(_request: Request) -> Response:
        return Response("ok")

    routes = [*intake_routes(store, IntakeOptions(now_ms=lambda: NOW_MS)), Route("/h", health)]
    app = Starlette(routes=routes, exception_handlers=problem_handlers())
    assert post(app, ONE).status_code == 202
    assert problem(post(app, ONE, path="/h"))["status"] == 405


# --- schema and documentation -----------------------------------------------------------------


def schema_fields(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Dotted key, type in words, description: the table of fields in docs/mention.md."""
    definitions = mention_schema()["$defs"]
    for name, value in schema["properties"].items():
        core = next(v for v in value.get("anyOf", [value]) if v != {"type": "null"})
        required = " (required)" if name in schema["required"] else ""
        words = "object" if "$ref" in core else in_words(core)
        yield prefix + name, words + required, value["description"]
        if "$ref" in core:
            inner = definitions[core["$ref"].rpartition("/")[2]]
            yield from schema_fields(inner, f"{prefix}{name}.")


def in_words(core: dict[str, Any]) -> str:
    if "enum" in core:
        return ", ".join(f"`{word}`" for word in core["enum"])
    if core["type"] == "array":
        return f"list of up to {core['maxItems']} × {in_words(core['items'])}"
    if core["type"] == "string":
        if core.get("format") == "date-time":
            return "time"
        least = "1" if core.get("minLength") == 1 else "0"
        return f"string, {least}–{core['maxLength']:,} characters"
    words = {"integer": "whole number", "number": "number", "boolean": "true or false"}
    kind = words[core["type"]]
    if core.get("maximum") == 2**53:
        return f"{kind}, {core['minimum']} or more"
    return f"{kind}, {core['minimum']}–{core['maximum']}" if "maximum" in core else kind


def doc_tables() -> str:
    return DOC.read_text("utf-8")


def test_the_documented_fields_are_the_schema() -> None:
    rows = re.findall(r"^\| `([\w.]+)` \| ([^|]+) \| ([^|]+) \|", doc_tables(), re.MULTILINE)
    documented = [row for row in rows if row[0] in DESCRIPTIONS]
    assert documented == list(schema_fields(mention_schema()))


def test_the_schema_has_every_key_and_decodes_its_examples() -> None:
    schema = mention_schema()
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].startswith("urn:nadhir:")
    assert set(schema["properties"]) == {f.name for f in msgspec.structs.fields(Mention)}
    assert set(MENTION_KEYS) | {"author", "engagement"} == set(DESCRIPTIONS)
    assert orjson.loads(orjson.dumps(schema)) == schema
    lines = [orjson.dumps(example) for example in schema["examples"]]
    out = decode_batch(lines, source="s", positions=(1, 2), now_ms=None, max_future_ms=0)
    assert (len(out.mentions), out.rejections) == (len(EXAMPLES), [])
    for key, value in schema["properties"].items():
        nullable = {"type": "null"} in value.get("anyOf", [])
        assert nullable == (key not in schema["required"])


def test_the_documented_examples_are_valid() -> None:
    blocks = re.findall(r"```json\n(.*?)```", doc_tables(), re.DOTALL)
    lines = [orjson.dumps(orjson.loads(block)) for block in blocks]
    mentions = [line for line in lines if b'"platform"' in line]
    out = decode_batch(
        mentions, source="d", positions=range(len(mentions)), now_ms=None, max_future_ms=0
    )
    assert out.rejections == []
    assert {m.lang for m in out.mentions} == {"ar", "en"}


def test_a_web_page_cannot_send_to_an_open_intake(store: MemoryStore) -> None:
    response = post(intake(store), ONE, {**JSON, "origin": "https://elsewhere.example"})
    assert problem(response)["status"] == 403
    trusted = {**JSON, "origin": "https://ours.example", "authorization": "Bearer long-enough"}
    assert post(intake(store, token="long-enough"), ONE, trusted).status_code == 202
