"""The table of docs/metrics.md, and the metrics that a process tells, to be compared."""

from __future__ import annotations

import re
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from tests.running import ROOT

_ROW = re.compile(r"^\| `(nadhir_\w+)` \| (\w+) \| ?(.*?) ?\| ([RAW ]+) \|", re.MULTILINE)
_PROCESS = "process"  # label that a worker adds


class Documented(NamedTuple):
    """A row of the table."""

    name: str
    type: str
    labels: frozenset[str]
    told_by: frozenset[str]


def documented(by: str = "RAW") -> dict[str, Documented]:
    """Rows of the metrics that one of some processes (R, A, W) tells, by name."""
    text = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = [
        Documented(name, type_, frozenset(re.findall(r"`(\w+)`", labels)), frozenset(who.split()))
        for name, type_, labels, who in _ROW.findall(text)
    ]
    assert len({row.name for row in rows}) == len(rows)
    return {row.name: row for row in rows if row.told_by & set(by)}


def told(text: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Type and labels of each of our metrics in an answer of /metrics."""
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for family in text_string_to_metric_families(text):
        if family.name.startswith("nadhir_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = {label for sample in family.samples for label in sample.labels}
            found[name] = family.type, frozenset(labels - {"le", _PROCESS})
    return found


def as_documented(by: str) -> dict[str, tuple[str, frozenset[str]]]:
    """What a process should tell, in the shape of `told`."""
    return {row.name: (row.type, row.labels) for row in documented(by).values()}
