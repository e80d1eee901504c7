"""Sources: every line once, in order, from any stored position, whatever the input does."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.decode import MAX_LINE_BYTES, Decoded, decode_batch
from streams.sources import Batch, CsvMap, Source, SourceError, open_source
from streams.sources.base import BATCH_BYTES, CHUNK_BYTES, LineQueue
from streams.sources.stdin import StdinSource

LINES = [f'{{"id":"{i}","text":"{"س" * (i % 50)}"}}'.encode() for i in range(5000)]


def batches(source: Source, limit: int = 700) -> Iterator[Batch]:
    while (batch := source.poll(limit)) is not None:
        yield batch
    source.close()


def lines_of(source: Source, limit: int = 700) -> list[bytes]:
    return [line for batch in batches(source, limit) for line in batch.lines]


def until_it_breaks(source: Source, message: str) -> list[bytes]:
    got: list[bytes] = []

    def read_on() -> None:
        while batch := source.poll(50):
            got.extend(batch.lines)

    with pytest.raises(SourceError, match=message):
        read_on()
    return got


def decoded(source: Source) -> Decoded:
    lines = lines_of(source)
    return decode_batch(
        lines, source="t", positions=range(1, len(lines) + 1), now_ms=None, max_future_ms=0
    )


@pytest.fixture(params=["plain", "gzip", "gzip of two members", "gzip by another name"])
def jsonl(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    data = b"\n".join(LINES)  # the last line has no newline
    half = len(data) // 2
    name, content = {
        "plain": ("a.jsonl", data),
        "gzip": ("a.jsonl.gz", gzip.compress(data)),
        "gzip of two members": ("a.gz", gzip.compress(data[:half]) + gzip.compress(data[half:])),
        "gzip by another name": ("a.jsonl", gzip.compress(data)),
    }[request.param]
    path = tmp_path / name
    path.write_bytes(content)
    return path


class TestJsonl:
    def test_every_line_once_and_in_order(self, jsonl: Path) -> None:
        source = open_source(str(jsonl))
        assert not source.done
        assert source.total_bytes == jsonl.stat().st_size
        found = list(batches(source))
        assert [line for batch in found for line in batch.lines] == LINES
        assert [batch.first for batch in found] == list(range(1, 5001, 700))
        assert source.done

    def test_progress_reaches_the_total(self, jsonl: Path) -> None:
        source = open_source(str(jsonl))
        while source.poll(100) is not None:
            pass
        assert source.consumed_bytes == source.total_bytes
        source.close()

    def test_resume_after_any_batch_gives_the_same_batches(self, jsonl: Path) -> None:
        found = list(batches(open_source(str(jsonl))))
        for i, batch in enumerate(found):
            again = open_source(str(jsonl))
            again.seek(batch.next)
            assert list(batches(again)) == found[i + 1 :]

    def test_an_empty_file_is_done_at_once(self, tmp_path: Path) -> None:
        path = tmp_path / "empty.jsonl"
        path.touch()
        source = open_source(str(path))
        assert source.poll(10) is None
        assert source.done
        source.close()

    def test_a_cut_gzip_gives_what_can_be_read_and_then_fails(self, tmp_path: Path) -> None:
        path = tmp_path / "cut.jsonl.gz"
        path.write_bytes(gzip.compress(b"\n".join(LINES))[:-2000])
        source = open_source(str(path))
        got = until_it_breaks(source, "it was cut")
        assert 100 < len(got) < 5000
        assert got == LINES[: len(got)]
        with pytest.raises(SourceError, match="it was cut"):
            source.poll(100)
        assert not source.done
        source.close()

    @pytest.mark.parametrize("junk", [b"junk after the end", b"\x1f\x8bjunk"])
    def test_junk_after_gzip_fails_after_the_lines(self, tmp_path: Path, junk: bytes) -> None:
        path = tmp_path / "junk.jsonl.gz"
        path.write_bytes(gzip.compress(b"a\nb\n") + junk)
        source = open_source(str(path))
        batch = source.poll(10)
        assert batch is not None
        assert batch.lines == [b"a", b"b"]
        with pytest.raises(SourceError, match=r"broken gzip|was cut"):
            source.poll(10)
        source.close()

    @pytest.mark.parametrize("ending", [b"\nafter", b"\n", b""])
    def test_a_huge_line_is_cut_and_reading_goes_on(self, tmp_path: Path, ending: bytes) -> None:
        path = tmp_path / "huge.jsonl"
        path.write_bytes(b"before\n" + b"x" * (10 * MAX_LINE_BYTES) + ending)
        after = [b"after"] if ending == b"\nafter" else []
        expected = [b"before", b"x" * (MAX_LINE_BYTES + 1), *after]
        found = list(batches(open_source(str(path)), 1))
        assert [batch.lines[0] for batch in found] == expected
        assert int(found[-1].next.split(":")[0]) == path.stat().st_size
        again = open_source(str(path))
        again.seek(found[1].next)
        assert lines_of(again) == after

    def test_batches_are_bounded_in_bytes(self, tmp_path: Path) -> None:
        path = tmp_path / "wide.jsonl"
        path.write_bytes((b"y" * 1_000_000 + b"\n") * 20)
        sizes = [sum(map(len, batch.lines)) for batch in batches(open_source(str(path)), 10_000)]
        assert sum(sizes) == 20_000_000
        assert max(sizes) <= BATCH_BYTES

    @pytest.mark.parametrize("position", ["99999999:7", "x", "1", "-1:2", "1:2:3", "١:٢"])
    def test_a_position_that_does_not_fit_is_an_error(self, jsonl: Path, position: str) -> None:
        source = open_source(str(jsonl))
        with pytest.raises(SourceError, match=r"shorter than|not one of this source"):
            source.seek(position)
        source.close()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.binary(max_size=12) | st.just(b"\n"), max_size=30),
    st.integers(1, 5),
    st.integers(0, 40),
)
def test_a_line_queue_is_split_whatever_the_chunks(
    chunks: list[bytes], limit: int, skip: int
) -> None:
    data = b"".join(chunks)
    expected = data.split(b"\n")
    if not expected[-1]:
        expected.pop()
    queue = LineQueue()
    for chunk in chunks:
        queue.feed(chunk)
    queue.finish()
    got: list[bytes] = []
    while len(queue):
        assert queue.ordinal == len(got) + 1
        assert data[queue.offset :].startswith(b"".join(expected[len(got) : len(got) + 1]))
        got += queue.take(limit)
    assert got == expected
    assert queue.offset == len(data)


class TestCsv:
    HEADER = "id,platform,published_at,text,author.handle,engagement.likes,rating\n"

    def write(self, tmp_path: Path, text: str | bytes, name: str = "a.csv") -> str:
        path = tmp_path / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return str(path)

    def test_headers_that_are_mention_keys_need_no_map(self, tmp_path: Path) -> None:
        path = self.write(
            tmp_path,
            "\ufeff" + self.HEADER + '7,x,2026-01-31T09:30:00Z,"line one\nline ""two"", ok",amal,'
            '"1,204",4.5\n\n8,x,2026-01-31T09:31:00Z,مرحبا,,,',
        )
        out = decoded(open_source(path))
        assert out.rejections == []
        first, second = out.mentions
        assert first.text == 'line one\nline "two", ok'
        assert first.author is not None
        assert first.author.handle == "amal"
        assert first.engagement is not None
        assert (first.engagement.likes, first.rating) == (1204, 4.5)
        assert (second.id, second.text, second.author, second.rating) == ("8", "مرحبا", None, None)
        assert list(out.positions) == [1, 3]

    def test_an_export_of_another_tool(self, tmp_path: Path) -> None:
        rows = (
            "Date;User;Verified;Body;Followers;URLs\r\n"
            "31/01/2026 12:30;sara;نعم;انقطعت الخدمة;١٢٠٠;http://a.sa | http://b.sa\r\n"
            "31/01/2026 12:30;sara;نعم;انقطعت الخدمة;12.0;\r\n"
            "2026-01-31T09:31:00Z;omar;no;still down;;\r\n"
        )
        csv_map = CsvMap(
            columns={
                "published_at": "Date",
                "text": "Body",
                "author.handle": "User",
                "author.verified": "Verified",
                "author.followers": "Followers",
                "links": "URLs",
            },
            constants={"platform": "x", "lang": "ar"},
            time_format="%d/%m/%Y %H:%M",
            timezone="Asia/Riyadh",
            encoding="windows-1256",
        )
        with pytest.raises(UnicodeEncodeError):  # Arabic digits are not in this encoding
            rows.encode("windows-1256")
        path = self.write(tmp_path, rows.replace("١٢٠٠", "1200").encode("windows-1256"))
        out = decoded(open_source(path, csv=csv_map))
        assert out.rejections == []
        first, twin, last = out.mentions
        assert first.published_at.isoformat() == "2026-01-31T12:30:00+03:00"
        assert first.author is not None
        assert (first.author.followers, first.author.verified) == (1200, True)
        assert first.links == ("http://a.sa", "http://b.sa")
        assert (first.lang, first.platform) == ("ar", "x")
        assert first.id == twin.id != last.id
        assert twin.author is not None
        assert twin.author.followers == 12
        assert [m.id for m in decoded(open_source(path, csv=csv_map)).mentions] == [
            m.id for m in out.mentions
        ]

    @pytest.mark.parametrize(
        ("row", "reason", "part"),
        [
            ("1,x,yesterday,t,,,", "bad_time", "$.published_at"),
            ("1,x,2026-01-31T09:30:00,t,,,", "bad_time", "no UTC offset"),
            ("1,x,2026-01-31T09:30:00Z,t,,many,", "wrong_type", "$.engagement.likes"),
            ("1,x,2026-01-31T09:30:00Z,t,,99999999999999999999,", "wrong_type", "likes"),
            ("1,x,2026-01-31T09:30:00Z,t,,-5,", "bad_value", "at least 0"),
            ("1,x,2026-01-31T09:30:00Z,t,,,good", "wrong_type", "$.rating"),
            ("1,x,2026-01-31T09:30:00Z,,,,", "missing_key", "$.text"),
            ("1,x,2026-01-31T09:30:00Z,t", "bad_row", "more or fewer cells"),
            ("1,x,2026-01-31T09:30:00Z,t,,,,extra", "bad_row", "more or fewer cells"),
            ("1,x,2026-01-31T09:30:00Z,a\rb,,,", "bad_row", "carriage returns"),
            ('1,x,2026-01-31T09:30:00Z,"open,,,' + "y" * 200_000, "bad_row", "never closes"),
            ("1,x,2026-01-31T09:30:00Z," + "y" * (2 * CHUNK_BYTES), "bad_row", "longer than"),
        ],
    )
    def test_a_bad_row_is_rejected_whole_and_the_next_is_read(
        self, tmp_path: Path, row: str, reason: str, part: str
    ) -> None:
        good = "2,x,2026-01-31T09:30:00Z,next,,,\n"
        out = decoded(open_source(self.write(tmp_path, self.HEADER + row + "\n" + good)))
        assert [m.id for m in out.mentions] == ["2"]
        (rejection,) = out.rejections
        assert rejection.reason == reason
        assert part in rejection.detail
        if reason != "bad_value":
            kept = orjson.loads(rejection.raw)["csv_row"]
            assert kept == row[:131072]

    def test_bytes_in_another_encoding_are_one_bad_row(self, tmp_path: Path) -> None:
        text = self.HEADER.encode() + b"1,x,2026-01-31T09:30:00Z,caf\xe9,,,\n"
        out = decoded(open_source(self.write(tmp_path, text)))
        (rejection,) = out.rejections
        assert (rejection.reason, "encoding" in rejection.detail) == ("bad_row", True)
        assert "caf\\xe9" in orjson.loads(rejection.raw)["csv_row"]

    def test_a_row_of_endless_quoted_lines_is_bounded(self, tmp_path: Path) -> None:
        row = '1,"' + ('a\n","' * 300_000)
        out = decoded(open_source(self.write(tmp_path, self.HEADER + row)))
        assert out.mentions == []
        assert {r.reason for r in out.rejections} == {"bad_row"}
        assert "longer than 1 MiB" in out.rejections[0].detail

    def test_resume_after_any_batch(self, tmp_path: Path) -> None:
        rows = [f'{i},x,2026-01-31T09:30:00Z,"t\n{i}",,,\n' for i in range(50)]
        rows[20] = "broken\n"
        path = self.write(tmp_path, gzip.compress((self.HEADER + "".join(rows)).encode()), "a.gz")
        csv_map = CsvMap()
        found = list(batches(open_source(path, csv=csv_map), 7))
        assert sum(len(batch.lines) for batch in found) == 50
        for i, batch in enumerate(found):
            again = open_source(path, csv=csv_map)
            again.seek(batch.next)
            assert list(batches(again, 7)) == found[i + 1 :]
            assert again.done
        again = open_source(path, csv=csv_map)
        with pytest.raises(SourceError, match="shorter than"):
            again.seek("51")
        again.close()

    def test_a_cut_gzip_gives_whole_rows_and_then_fails(self, tmp_path: Path) -> None:
        rows = "".join(f"{i},x,2026-01-31T09:30:00Z,{os.urandom(9).hex()},,,\n" for i in range(900))
        data = gzip.compress((self.HEADER + rows).encode())
        source = open_source(self.write(tmp_path, data[:-900], "a.csv.gz"))
        got = until_it_breaks(source, "it was cut")
        assert 50 < len(got) < 900
        assert [orjson.loads(line)["id"] for line in got] == [str(i) for i in range(len(got))]
        source.close()

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (b"", "no header"),
            (b"id,text\n1,t\n", "no column for platform; map one to it; the header has 'id'"),
            (b"\xff\xfei\x00d\x00", "UTF-16"),
            (b"caf\xe9,text\n", "its header is not utf-8"),
            (b'"' + b"a" * 140_000 + b"\n", "header is not CSV"),
            ("\u202e,text\n".encode(), r"'\\u202e'"),
        ],
    )
    def test_a_file_that_cannot_be_mapped(self, tmp_path: Path, text: bytes, message: str) -> None:
        with pytest.raises(SourceError, match=message):
            open_source(self.write(tmp_path, text))

    def test_a_mapped_column_must_exist(self, tmp_path: Path) -> None:
        csv_map = CsvMap(columns={"text": "Body"}, constants={"platform": "x"})
        with pytest.raises(SourceError, match=r"no column 'Body' \(for text\)"):
            open_source(self.write(tmp_path, "a,b\n"), csv=csv_map)

    @pytest.mark.parametrize(
        ("parameters", "message"),
        [
            ({"columns": {"txt": "Tweet"}}, "columns: 'txt' is not a key"),
            ({"constants": {"author": {}}}, "constants: 'author' is not a key"),
            ({"constants": {"text": {1, 2}}}, "constants: not JSON"),
            ({"timezone": "Asia/Riyad"}, "timezone: 'Asia/Riyad'"),
            ({"timezone": "Asia"}, "timezone: 'Asia'"),
            ({"time_format": "%d/%m/%Y"}, "timezone: needed"),
            ({"time_format": "%Q"}, "time_format: '%Q'"),
            ({"delimiter": ";;"}, "delimiter: ';;'"),
            ({"encoding": "utf-16"}, "encoding: 'utf-16'"),
            ({"encoding": "raw_unicode_escape"}, "encoding"),
            ({"encoding": "nonsense"}, "encoding: 'nonsense'"),
        ],
    )
    def test_a_map_that_cannot_work_names_the_parameter(
        self, parameters: dict[str, object], message: str
    ) -> None:
        with pytest.raises(ValueError, match=message):
            CsvMap(**parameters)  # type: ignore[arg-type]

    @settings(max_examples=100, deadline=None)
    @given(
        data=st.binary(max_size=200)
        | st.text(alphabet='a,"\n\r;\x00é', max_size=80).map(str.encode)
    )
    def test_any_bytes_after_the_header_give_lines_that_decode(
        self, tmp_path_factory: pytest.TempPathFactory, data: bytes
    ) -> None:
        path = self.write(tmp_path_factory.mktemp("csv"), self.HEADER.encode() + data)
        for line in lines_of(open_source(path)):
            assert line == b"" or isinstance(orjson.loads(line), dict)


class TestStdin:
    def test_takes_what_is_there_and_ends_with_the_pipe(self) -> None:
        read, write = os.pipe()
        source = StdinSource(read)
        assert source.poll(10) is None
        os.write(write, b"one\ntw")
        assert source.poll(10) == Batch([b"one"], 1, "2")
        assert source.poll(10) is None
        os.write(write, b"o\nthree")
        os.close(write)
        assert source.poll(1) == Batch([b"two"], 2, "3")
        assert not source.done
        assert source.poll(10) == Batch([b"three"], 3, "4")
        assert source.done
        assert source.poll(10) is None
        os.close(read)

    def test_numbering_goes_on_after_a_restart(self) -> None:
        read, write = os.pipe()
        os.write(write, b"next\n")
        source = StdinSource(read)
        source.seek("42")
        assert source.poll(10) == Batch([b"next"], 42, "43")
        os.close(write)
        os.close(read)

    def test_what_cannot_be_read_is_a_source_error(self, tmp_path: Path) -> None:
        directory = os.open(tmp_path, os.O_RDONLY)
        with pytest.raises(SourceError, match="standard input"):
            StdinSource(directory).poll(1)
        os.close(directory)


class TestFollow:
    def append(self, path: Path, data: bytes) -> None:
        with path.open("ab") as file:
            file.write(data)

    def texts(self, source: Source) -> list[bytes]:
        found: list[bytes] = []
        while batch := source.poll(10):
            found += batch.lines
        return found

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "live.jsonl"

    @pytest.fixture
    def source(self, path: Path) -> Iterator[Source]:
        source = open_source(str(path), follow=True)
        yield source
        source.close()

    def test_waits_for_the_file_and_for_whole_lines(self, path: Path, source: Source) -> None:
        assert source.poll(10) is None
        self.append(path, b"one\ntw")
        assert self.texts(source) == [b"one"]
        assert self.texts(source) == []
        self.append(path, b"o\n")
        assert self.texts(source) == [b"two"]
        assert not source.done
        assert (source.total_bytes, source.consumed_bytes) == (None, None)

    def test_rotation_finishes_the_old_file_first(self, path: Path, source: Source) -> None:
        self.append(path, b"one\n")
        assert self.texts(source) == [b"one"]
        path.rename(path.with_suffix(".jsonl.1"))
        assert self.texts(source) == []
        path.touch()  # the rotator makes the new file before the writer moves on
        self.append(path.with_suffix(".jsonl.1"), b"two\nthree without newline")
        assert self.texts(source) == [b"two"]
        self.append(path, b"four\n")
        assert self.texts(source) == [b"three without newline", b"four"]

    def test_truncation_starts_over(self, path: Path, source: Source) -> None:
        self.append(path, b"one one one\npart")
        assert self.texts(source) == [b"one one one"]
        path.write_bytes(b"two\n")
        assert self.texts(source) == [b"two"]
        self.append(path, b"three\n")
        assert self.texts(source) == [b"three"]

    def test_a_huge_line_is_cut(self, path: Path, source: Source) -> None:
        self.append(path, b"x" * (3 * MAX_LINE_BYTES))
        assert self.texts(source) == []
        self.append(path, b"\nnext\n")
        assert [len(line) for line in self.texts(source)] == [MAX_LINE_BYTES + 1, 4]

    def restarted(self, path: Path, position: str) -> list[bytes]:
        source = open_source(str(path), follow=True)
        source.seek(position)
        lines = self.texts(source)
        source.close()
        return lines

    def test_restart_goes_on_where_it_was(self, path: Path, source: Source) -> None:
        self.append(path, b"one\ntwo\nthree\n")
        batch = source.poll(2)
        assert batch is not None
        assert self.restarted(path, batch.next) == [b"three"]
        again = open_source(str(path), follow=True)
        again.seek(batch.next)
        assert again.poll(5) is not None
        again.close()

    def test_restart_after_rotation_finds_the_old_file(self, path: Path, source: Source) -> None:
        self.append(path, b"one\ntwo\nthree\n")
        batch = source.poll(1)
        assert batch is not None
        path.rename(path.with_suffix(".jsonl.1"))
        path.write_bytes(b"four is in the new file\n")
        assert self.restarted(path, batch.next) == [b"two", b"three", b"four is in the new file"]

    def test_restart_after_replacement_starts_over(self, path: Path, source: Source) -> None:
        self.append(path, b"one\ntwo\n")
        batch = source.poll(1)
        assert batch is not None
        path.write_bytes(b"another file, longer than the first\n")
        assert self.restarted(path, batch.next) == [b"another file, longer than the first"]
        path.unlink()
        assert self.restarted(path, batch.next) == []

    def test_ordinals_grow_across_files(self, path: Path, source: Source) -> None:
        self.append(path, b"one\n")
        assert self.texts(source) == [b"one"]
        path.rename(path.with_suffix(".jsonl.1"))
        self.append(path, b"two\n")
        batch = source.poll(10)
        assert batch is not None
        assert batch.first == 2

    def test_a_position_of_another_source_is_an_error(self, source: Source) -> None:
        with pytest.raises(SourceError, match="not one of this source"):
            source.seek("12:3")


class TestOpenSource:
    def test_what_cannot_be_read_is_a_source_error(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="No such file"):
            open_source(str(tmp_path / "none.jsonl"))
        with pytest.raises(SourceError, match="irectory"):
            open_source(str(tmp_path))
        with pytest.raises(SourceError, match="directory"):
            open_source(str(tmp_path), follow=True)
        with pytest.raises(SourceError, match="cannot be followed"):
            open_source("a.csv", follow=True)
        with pytest.raises(SourceError, match="by name"):
            open_source("-", csv=CsvMap())

    def test_a_dash_is_standard_input(self) -> None:
        assert isinstance(open_source("-"), StdinSource)
