"""``analyze coordination`` on real bursts and on people who merely talk."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from streams.analyze_groups import as_lines, find_groups
from streams.plot_groups import links_of, plot_groups
from tests.running import environment, nadhir

WORDS = ["".join(part) for part in product(("ra", "li", "mo", "pe", "ka", "ne", "vo"), repeat=4)]
NADHIR = (sys.executable, "-m", "streams.cli")


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


def campaign(**author: Any) -> list[bytes]:
    """Twelve accounts on two platforms post three texts, each within a minute, beside others."""
    rng = np.random.default_rng(3)
    begin = datetime(2026, 3, 1, tzinfo=UTC)
    lines = []
    for text in range(3):
        words = " ".join(rng.choice(WORDS, 12))
        for i in range(12):
            at = begin + timedelta(hours=text, seconds=5 * i)
            who = {"id": f"acc{i % 6}"} | {k: v.format(i % 6) for k, v in author.items()}
            mention = {"id": f"p{text}-{i % 6}", "platform": "xy"[i // 6], "text": words,
                       "published_at": at.isoformat(), "author": who}  # fmt: skip
            lines.append(json.dumps(mention).encode())
    for i in range(150):
        words = " ".join(rng.choice(WORDS, 12))
        at = begin + timedelta(minutes=i)
        mention = {"id": f"o{i}", "platform": "x", "text": words, "published_at": at.isoformat(),
                   "author": {"id": f"other{i}"}}  # fmt: skip
        lines.append(json.dumps(mention).encode())
    return lines


@pytest.mark.parametrize("author", [{}, {"handle": "amal_{}"}])
def test_accounts_of_two_platforms_are_two(author: dict[str, str], tmp_path: Path) -> None:
    found = find_groups(campaign(**author))
    ((_, told),) = found.groups
    assert (len(told.accounts), len(told.mentions)) == (12, 36)
    plot_groups(tmp_path / "out.html", found.groups, found.mentions, "in")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    name = "amal_0" if author else "acc0"
    assert page.count("<circle") == 12
    assert {f"<title>{name} ({p})</title>" in page for p in "xy"} == {True}
    told = {post.account for _, g in found.groups for t in g.evidence for post in t.posts}
    assert told <= {f"acc{i}" for i in range(6)}
    shown = re.findall(r'class="side"><p class="soft"><bdi>([^<]+)</bdi>', page)
    assert shown
    assert all(re.fullmatch(rf"{name[:-1]}\d \([xy]\)", who) for who in shown)
    assert ("acc0" in page) is not bool(author)


def test_who_shared_a_thing_long_ago_is_joined_by_it() -> None:
    """The window forgets people of a thing that goes on; its network does not."""
    lines = [json.loads(line) for line in campaign()]
    late = [
        lines[12 * text] | {"id": f"late{text}", "author": {"id": f"new{text}"},
                            "published_at": "2026-03-01T23:30:00Z"}
        for text in range(3)
    ]  # fmt: skip
    last = lines[-1] | {"id": "last", "published_at": "2026-03-02T09:00:00Z"}
    (group, _), *_ = find_groups(
        [json.dumps(line).encode() for line in [*lines, *late, last]]
    ).groups
    joined = {account for a, b, _ in links_of(group) for account in (a, b)}
    assert len(joined) >= 12


def test_a_mention_that_came_twice_counts_once() -> None:
    lines = campaign()
    assert groups([*lines, *lines]) == groups(lines)


@pytest.mark.parametrize("command", ["coordination", "narratives"])
def test_what_is_before_the_damage_is_read(command: str, tmp_path: Path) -> None:
    lines = [*campaign(), b"{"]  # a whole line that is told
    whole = gzip.compress(b"\n".join(lines) + b"\n")
    (tmp_path / "whole.gz").write_bytes(whole)
    (tmp_path / "cut.gz").write_bytes(whole[:-8])
    runs = [nadhir("analyze", command, name, cwd=tmp_path) for name in ("whole.gz", "cut.gz")]
    assert [run.returncode for run in runs] == [1, 1]
    assert runs[0].stdout == runs[1].stdout != b""
    assert f"cut.gz, line {len(lines)}: Not valid JSON".encode() in runs[1].stderr
    assert b"cut.gz: its gzip stream is cut" in runs[1].stderr


def test_nothing_that_can_be_read_makes_no_picture(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("id,text\n1,hello\n")
    done = nadhir("analyze", "coordination", "in.jsonl", "--plot", "out.png", cwd=tmp_path)
    assert done.returncode == 1
    assert b"2 lines could not be read and were passed over" in done.stderr
    assert not (tmp_path / "out.png").exists()


def test_the_input_is_not_written_over_by_another_name(tmp_path: Path) -> None:
    lines = b"\n".join(campaign())
    (tmp_path / "in.jsonl").write_bytes(lines)
    os.link(tmp_path / "in.jsonl", tmp_path / "hard.png")
    (tmp_path / "soft.png").symlink_to("in.jsonl")
    for name in ("hard.png", "soft.png"):
        for file in ("in.jsonl", "-"):
            with (tmp_path / "in.jsonl").open("rb") as stdin:
                done = subprocess.run(
                    [*NADHIR, "analyze", "coordination", file, "--plot", name],
                    stdin=stdin, cwd=tmp_path, env=environment(), capture_output=True,
                )  # fmt: skip
            assert done.returncode == 2, (name, file)
            assert f"{name} is named twice".encode() in done.stderr
    assert (tmp_path / "in.jsonl").read_bytes() == lines


@pytest.mark.parametrize("name", ["loop.png", "gone/out.png"])
def test_a_picture_that_cannot_be_written_is_told(name: str, tmp_path: Path) -> None:
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "in.jsonl").write_bytes(b"\n".join(campaign()))
    done = nadhir("analyze", "coordination", "in.jsonl", "--plot", name, cwd=tmp_path)
    assert done.returncode == 1
    assert f"{name} cannot be written".encode() in done.stderr
    assert b"Traceback" not in done.stderr


def test_each_post_is_shown_with_who_posted_it(tmp_path: Path) -> None:
    """The same id is another person on another platform."""
    lines = [json.loads(line) for line in campaign()]
    for line in lines:
        line["author"]["handle"] = line["platform"] + line["author"]["id"]
        line["text"] += " " + line["platform"]
    found = find_groups([json.dumps(line).encode() for line in lines])
    plot_groups(tmp_path / "out.html", found.groups, found.mentions, "in")
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    sides = re.findall(
        r'class="side"><p class="soft"><bdi>(\w)acc\d</bdi>.*?</p>(.*?)</div>', page, re.S
    )
    assert sides
    for platform, text in sides:
        assert re.sub("<[^>]+>", "", text).split()[-1] == platform
