"""Sentences of notifications: both languages complete, every one of them used."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

import alerts.texts
from alerts.notify.records import Why
from tests.alerts.test_phrases import ARABIC, leaves, placeholders

ROOT = Path(alerts.texts.__file__).parents[1]
TEXTS = yaml.safe_load((ROOT / "texts" / "notify.yaml").read_text(encoding="utf-8"))


def sentences(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, str]]]:
    """Every sentence; one may have others below it."""
    if "ar" in node or "en" in node:
        yield path, node
    for key, below in node.items():
        if isinstance(below, dict):
            yield from sentences(below, f"{path}.{key}".strip("."))


LEAVES = dict(sentences(TEXTS))


@pytest.mark.parametrize("key", LEAVES)
def test_both_languages_say_the_same(key: str) -> None:
    leaf = LEAVES[key]
    assert placeholders(leaf["ar"]) == placeholders(leaf["en"])
    assert re.findall(r"\d+", leaf["ar"]) == re.findall(r"\d+", leaf["en"])
    assert not ARABIC.search(leaf["en"])
    words = re.sub(r"\{\w+\}|[^\w]", "", leaf["ar"])
    assert not words.strip("0123456789") or ARABIC.search(leaf["ar"])


def test_every_reason_has_its_words() -> None:
    assert set(TEXTS["why"]) == set(get_args(Why))
    assert sum(1 for _ in leaves(TEXTS["why"])) == len(TEXTS["why"])


def test_every_sentence_is_used() -> None:
    sources = [*(ROOT / "notify").rglob("*.py"), *(ROOT / "templates").glob("mail*.j2")]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    for key in LEAVES:
        head = key.partition(".")[0]
        assert any(f'"{each}' in code for each in (key, f"{head}.{{", head)), key
