"""``analyze narratives``: simulated rumours found in both languages, and nothing where none is."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from models.records import Brand, NarrativeRecord
from models.sentiment import load
from streams.analyze_narratives import as_lines, find_narratives
from streams.simulate import SimulationSpec, simulate, write
from tests.running import nadhir

SEEDS = range(101, 111)
QUIET = ("calm", "outage", "viral_praise")


@cache
def model() -> Any:
    return load()


def found(scenario: str, seed: int) -> list[NarrativeRecord]:
    simulation = simulate(SimulationSpec(scenario, seed=seed, days=2, rate_per_hour=40))
    told = simulation.config()["brands"][0]
    brand = Brand(
        id=told["id"],
        **{name: tuple(told[name]) for name in ("names", "keywords", "handles", "domains")},
    )
    return find_narratives(simulation.lines(), brand=brand, sentiment=model())


def label(mention_id: str) -> str:
    return mention_id.split("-")[-1][0]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rumour_is_found_in_both_languages_with_its_first_carriers(seed: int) -> None:
    rumours = [n for n in found("rumour", seed) if n.kind == "rumour"]
    assert {next(iter(n.languages)) for n in rumours} == {"ar", "en"}
    for rumour in rumours:
        said = [label(text.id) for text in rumour.texts for _ in range(text.times)]
        assert said.count("r") >= 0.95 * len(said)
        first = [label(carrier.mention) for carrier in rumour.carriers]
        assert first
        assert first.count("r") >= 0.9 * len(first)


@pytest.mark.parametrize("scenario", QUIET)
def test_there_is_no_rumour_where_none_is(scenario: str) -> None:
    marked = [n for seed in SEEDS for n in found(scenario, seed) if n.kind == "rumour"]
    assert marked == []


def test_a_file_becomes_lines(tmp_path: Path) -> None:
    with (tmp_path / "in.jsonl").open("wb") as out:
        spec = SimulationSpec("rumour", seed=7, days=2, rate_per_hour=40)
        write(spec, out, config=tmp_path / "nadhir.yaml")
    with (tmp_path / "in.jsonl").open("ab") as out:
        out.write(b"{\n\n")
    arguments = ("analyze", "narratives", "in.jsonl", "--config", "nadhir.yaml")
    done = nadhir(*arguments, "--brand", "rimal-bank", cwd=tmp_path)
    assert done.returncode == 1
    assert b"in.jsonl, line " in done.stderr
    assert b"1 line could not be read" in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [n["kind"] for n in lines[:2]] == ["rumour", "rumour"]
    assert {n["kind"] for n in lines[2:]} == {"narrative"}
    counts = [n["mentions"] for n in lines[2:]]
    assert counts == sorted(counts, reverse=True)
    top = lines[0]
    assert top["first_seen"] < top["found_at"] < top["last_seen"]
    assert top["speed"]["peak"] >= top["speed"]["now"]
    assert 0 <= top["negative_share"] <= 1
    assert top["first_carriers"][0]["published_at"] >= top["first_seen"]
    assert set(top["explanation"]) == {"ar", "en"}
    assert nadhir(*arguments, cwd=tmp_path).stdout == done.stdout


def test_without_a_configuration_every_mention_is_about_the_topic() -> None:
    simulation = simulate(SimulationSpec("rumour", seed=8, days=2, rate_per_hour=40))
    records = find_narratives(simulation.lines(), sentiment=model())
    assert [n.kind for n in records[:3]] == ["rumour", "rumour", "narrative"]
    for line, record in zip(as_lines(records), records):
        assert msgspec.json.decode(line)["id"] == record.id


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--brand", "acme"], b"--config"),
        (["--config", "nadhir.yaml"], b"a, b"),
        (["--config", "nadhir.yaml", "--brand", "c"], b"a, b"),
    ],
)
def test_which_brand_must_be_clear(tmp_path: Path, arguments: list[str], words: bytes) -> None:
    (tmp_path / "nadhir.yaml").write_text("brands: [{id: a, names: [A1]}, {id: b, names: [B1]}]\n")
    (tmp_path / "in.jsonl").write_bytes(b"")
    done = nadhir("analyze", "narratives", "in.jsonl", *arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr


@pytest.mark.parametrize("content", [b"", b"\n\n"])
def test_an_empty_file_has_no_narratives(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "in.jsonl").write_bytes(content)
    done = nadhir("analyze", "narratives", "in.jsonl", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"")
