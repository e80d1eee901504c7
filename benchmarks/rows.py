"""Rows of alerts that nobody has answered, for databases that are filled to be measured."""

from __future__ import annotations

from typing import Any

from alerts.records import Alert
from alerts.store.rows import Row


def row_of(alert: Alert, number: int, **other: Any) -> Row:
    """A copy of an alert as a row, under an id made of a number.

    Parameters
    ----------
    alert : Alert
    number : int
    **other
        Fields of its own: ``state``, ``severity``, ``opened_ms`` and ``updated_ms`` at least.
    """
    fields: dict[str, Any] = {
        "id": f"a-{number:016x}",
        "version": 1,
        "brand": alert.brand,
        "type": alert.type,
        "score": alert.score,
        "kind": alert.kind,
        "title_ar": alert.title.ar,
        "title_en": alert.title.en,
        "drill": False,
        "acknowledged_by": None,
        "acknowledged_ms": None,
        "resolved_by": None,
        "resolved_ms": None,
        "assignee": None,
        "paged_version": 1,
        "news": 1,
    }
    return Row(**(fields | other))
