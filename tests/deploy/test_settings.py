"""Every setting that a manifest makes is one that Nadhir has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streams.config.environment import unknown_variables

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
MANIFESTS = sorted(
    path
    for path in DEPLOY.rglob("*")
    if path.is_file() and path.suffix not in (".pyc", ".json", ".xml", ".md")
)
NAME = re.compile(r"NADHIR_[A-Z0-9_]+")


def named() -> dict[str, Path]:
    return {
        name: path for path in MANIFESTS for name in NAME.findall(path.read_text(encoding="utf-8"))
        if name != "NADHIR_NAME" and not name.endswith("_")
    }  # fmt: skip


def test_the_manifests_set_something() -> None:
    suffixes = {path.suffix for path in named().values()}
    assert {".yaml", ".service"} <= suffixes | {""}
    assert len(named()) > 8


@pytest.mark.parametrize("name", sorted(named()))
def test_every_variable_is_a_setting(name: str) -> None:
    assert not [str(p) for p in unknown_variables({name: "1"})], named()[name]
