"""Run the benchmarks and append what they measured to benchmarks/results.md."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import pipeline

RESULTS = Path(__file__).with_name("results.md")


def main() -> None:
    """Run everything; print and append the tables."""
    table = pipeline.run()
    print(*table, sep="\n")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    head = f"\n## {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine}\n"
    with RESULTS.open("a", encoding="utf-8") as out:
        out.write("\n".join((head, "Embedded pipeline, CPU time on one core:", "", *table, "")))
    print(f"appended to {RESULTS.relative_to(Path.cwd())}")


if __name__ == "__main__":
    main()
