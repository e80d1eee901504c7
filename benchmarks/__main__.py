"""Run benchmarks and append what they measured to benchmarks/results.md.

``python -m benchmarks [NAME ...]`` (pipeline, detectors, impersonation, hostile, coordination,
response, console, kafka); without a name all but the last.
"""

from __future__ import annotations

import logging
import os
import platform
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import coordination, detectors, hostile, impersonation, pipeline

RESULTS = Path(__file__).with_name("results.md")


def _kafka() -> list[str]:
    from benchmarks import kafka  # needs Java and the jars

    logging.disable(logging.WARNING)
    return kafka.run()


def _response() -> list[str]:
    from benchmarks import response  # needs PostgreSQL

    return response.run()


def _console() -> list[str]:
    from benchmarks import console  # starts a server

    return console.run()


_BENCHMARKS: dict[str, tuple[str, Callable[[], list[str]]]] = {
    "pipeline": ("Embedded pipeline, CPU time on one core:", pipeline.run),
    "detectors": ("Detectors and their peers, CPU time on one core:", detectors.run),
    "impersonation": (
        "Impersonation: accounts and links of StockNet, CPU time a mention on one core:",
        impersonation.run,
    ),
    "hostile": (
        "Impersonation, the worst inputs, 1,000 brands, CPU time on one core:",
        hostile.run,
    ),
    "coordination": ("Coordination and its peer, CPU time on one core:", coordination.run),
    "response": ("Response API on PostgreSQL, 100,000 alerts, wall time a request:", _response),
    "console": (
        "Console, 10,000 alerts in SQLite, CPU time a page with its request:",
        _console,
    ),
    "kafka": ("Kafka engine, one broker and everything else on this machine, wall time:", _kafka),
}

_USUAL = (
    "pipeline", "detectors", "impersonation", "hostile", "coordination", "response", "console"
)  # fmt: skip


def main() -> None:
    """Run those that are named."""
    for name in sys.argv[1:] or _USUAL:
        _measure(*_BENCHMARKS[name])


def _measure(title: str, run: Callable[[], list[str]]) -> None:
    """Run one; print and append its table."""
    table = run()
    print(*table, sep="\n")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    head = f"\n## {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}\n"
    with RESULTS.open("a", encoding="utf-8") as out:
        out.write("\n".join((head, title, "", *table, "")))
    print(f"appended to {RESULTS.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
