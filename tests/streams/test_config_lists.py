"""Allow and block lists in the configuration: read, and refused where they say nothing clear."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from models.records import Listed
from streams.config import check, load

HEAD = """\
brands:
  - id: acme
    names: [Acme]
    handles: [acme]
    accounts: [{platform: x, id: "1"}]
    domains: [acme.com]
    timezone: Asia/Riyadh
"""
WHO = "owner: Sara, reason: known"


def write(folder: Path, lists: str) -> Path:
    path = folder / "nadhir.yaml"
    path.write_text(HEAD + lists, encoding="utf-8")
    return path


def test_entries_become_what_the_stages_know(tmp_path: Path) -> None:
    text = f"""\
    allow:
      - {{handle: "@acme_fans", {WHO}, until: "2026-03-31"}}
      - {{domain: partner.example, {WHO}}}
    block: [{{platform: x, account: "99", {WHO}}}]
"""
    (brand,) = load(write(tmp_path, text), {}).brand_records()
    ends = datetime(2026, 4, 1, tzinfo=ZoneInfo("Asia/Riyadh"))  # the last day is included
    until_ms = round(ends.timestamp() * 1000)
    assert brand.allow == (
        Listed(owner="Sara", reason="known", handle="acme_fans", until_ms=until_ms),
        Listed(owner="Sara", reason="known", domain="partner.example"),
    )
    assert brand.block == (Listed(owner="Sara", reason="known", platform="x", account="99"),)


@pytest.mark.parametrize(
    ("entry", "key", "message"),
    [
        (f"allow: [{{{WHO}}}]", "brands[0].allow[0]", "none or several"),
        (f"allow: [{{handle: a, domain: b.example, {WHO}}}]", "brands[0].allow[0]", "none or"),
        ("allow: [{handle: fans, reason: x}]", "brands[0].allow[0].owner", "is required"),
        (f'block: [{{account: "9", {WHO}}}]', "brands[0].block[0].account", "needs its platform"),
        (f"block: [{{handle: Acme, {WHO}}}]", "brands[0].block[0].handle", "the brand's own"),
        (f"block: [{{domain: ACME.com, {WHO}}}]", "brands[0].block[0].domain", "brand's own"),
        (f'block: [{{platform: X, account: "1", {WHO}}}]', "brands[0].block[0].account", "own"),
        (
            f"allow: [{{handle: fans, {WHO}}}]\n    block: [{{handle: '@Fans', {WHO}}}]",
            "brands[0].block[0].handle",
            "is allowed too",
        ),
        (f"allow: [{{handle: a, until: soon, {WHO}}}]", "brands[0].allow[0].until", "soon"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, entry: str, key: str, message: str) -> None:
    (problem,) = check(write(tmp_path, f"    {entry}\n"), {})
    assert (problem.key, problem.severity) == (key, "error")
    assert message in problem.message
