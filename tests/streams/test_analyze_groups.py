"""``analyze coordination`` on real bursts and on people who merely talk."""

from __future__ import annotations

import csv
import gzip
import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from streams.analyze_groups import as_lines, find_groups
from tests.running import nadhir


def lines_of(path: Path) -> list[bytes]:
    with gzip.open(path) as file:
        return file.read().splitlines()


def groups(lines: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in as_lines(told for _, told in find_groups(lines).groups)]


def test_the_labelled_burst_is_found_early_and_whole(shared_data: Path) -> None:
    lines = lines_of(shared_data / "coordination" / "prayers-burst.jsonl.gz")
    (group,) = groups(lines)
    authors: dict[str, str] = {}  # by first post
    for mention in map(json.loads, lines):
        authors.setdefault(mention["author"]["id"], mention["published_at"])
    tenth = datetime.fromisoformat(sorted(authors.values())[9])
    assert group["score"] >= 0.5
    assert len(authors.keys() & set(group["accounts"])) >= 0.9 * len(authors)
    assert datetime.fromisoformat(group["found_at"]) <= tenth + timedelta(minutes=10)
    assert set(group["mentions"]) <= {json.loads(line)["id"] for line in lines}
    assert f"{len(group['accounts'])} accounts" in group["explanation"]["en"]
    assert "يُشتبه" in group["explanation"]["ar"]
    assert "bot" not in group["explanation"]["en"]
    pair = group["evidence"][0]["pair"]
    assert pair[0]["account"] != pair[1]["account"]


def test_people_who_talk_are_no_group(shared_data: Path) -> None:
    assert groups(lines_of(shared_data / "coordination" / "organic-spotify-2017-10.jsonl.gz")) == []


def test_repost_cascades_are_amplification(shared_data: Path) -> None:
    """The bursts that were counted in StockNet 2014; hardly anything is coordination."""
    found = groups(lines_of(shared_data / "mentions" / "stocknet-2014.jsonl.gz"))
    amplified = [set(g["mentions"]) for g in found if g["kind"] == "amplification"]
    with (shared_data / "coordination" / "stocknet-bursts-2014.csv").open() as file:
        bursts = [set(row["tweet_ids"].split()) for row in csv.DictReader(file)]
    named = sum(any(2 * len(b & a) >= len(b) for a in amplified) for b in bursts)
    assert named >= 0.9 * len(bursts)
    assert len(found) - len(amplified) <= 2
    assert all(0 < g["share_of_mentions"] <= 1 for g in found)


def test_a_bad_line_is_told_and_passed_over(tmp_path: Path) -> None:
    text = "the same long words about this company again and again from everybody"
    good = [
        {
            "id": str(i),
            "platform": "x",
            "published_at": f"2026-03-01T10:{i:02d}:00Z",
            "text": text,
            "author": {"id": f"a{i}"},
        }
        for i in range(40)
    ]
    lines = [json.dumps(mention) for mention in good]
    lines[7:7] = ["{", ""]
    (tmp_path / "in.jsonl").write_text("\n".join(lines))
    done = nadhir("analyze", "coordination", "in.jsonl", cwd=tmp_path)
    assert done.returncode == 1
    assert b"in.jsonl, line 8: " in done.stderr
    (group,) = map(json.loads, done.stdout.splitlines())
    assert len(group["accounts"]) == 40


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_has_no_groups(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.jsonl").write_bytes(content)
    done = nadhir("analyze", "coordination", "in.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")


def test_a_picture_is_written(tmp_path: Path, shared_data: Path) -> None:
    burst = shared_data / "coordination" / "prayers-burst.jsonl.gz"
    done = nadhir("analyze", "coordination", str(burst), "--plot", "out.html", cwd=tmp_path)
    assert done.returncode == 0
    (group,) = map(json.loads, done.stdout.splitlines())
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert page.count("<circle") == len(group["accounts"])
    assert page.count("<line") > len(group["accounts"])
    assert group["explanation"]["ar"] in page
    assert page.count('class="sides"') == len(group["evidence"])


def test_one_picture_is_written(tmp_path: Path, shared_data: Path) -> None:
    burst = shared_data / "coordination" / "prayers-burst.jsonl.gz"
    done = nadhir("analyze", "coordination", str(burst), "--plot", "out.PNG", cwd=tmp_path)
    assert (done.returncode, done.stdout.count(b"\n")) == (0, 1)
    with Image.open(tmp_path / "out.PNG") as picture:
        assert picture.format == "PNG"
        assert picture.width == 2192


def test_other_pictures_are_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("{")
    done = nadhir("analyze", "coordination", "in.jsonl", "--plot", "out.jpg", cwd=tmp_path)
    assert done.returncode == 2
    assert b"ends neither in .html nor in .png" in done.stderr
    assert not (tmp_path / "out.jpg").exists()
