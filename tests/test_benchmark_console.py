"""The benchmark of the console measures what it says, with very little of everything."""

from __future__ import annotations

import logging

from benchmarks import console
from benchmarks.console import Sizes


def test_it_gives_rows_and_loses_nobody() -> None:
    try:
        lines = console.run(Sizes(alerts=120, asked=2, viewers=3, changes=2))
    finally:
        logging.disable(logging.NOTSET)
    rows = [line.split("|") for line in lines if line.startswith("| ")][1:]
    assert len(rows) == 10
    assert all(0 < float(row[2]) <= float(row[3]) for row in rows)
    assert "6 of 6 events came" in lines[-1]
    assert "6 pages were fetched anew" in lines[-1]
