"""Measure quality and write the figures into docs/quality.md; nothing is downloaded.

``python -m benchmarks.quality [SECTION ...]`` (volume, stationary, sentiment, share, calibration,
impersonation, scenarios, coordination), all of them if none is named; ``--seeds N`` runs each
scenario at most N times.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable

from benchmarks.quality.document import QualityError, stamp, write
from benchmarks.quality.options import Options, options

# in the order of the document; each is a module with ``run(options) -> lines``
SECTIONS = (
    "volume", "stationary", "sentiment", "share", "calibration", "impersonation", "scenarios",
    "coordination",
)  # fmt: skip
_SIMULATED = ("stationary", "scenarios")  # these need no data


def main(arguments: list[str] | None = None) -> int:
    """Measure sections; 1 if one of them could not be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--seeds", type=int, help="run each scenario at most so many times")
    given = parser.parse_args(arguments)
    if unknown := set(given.sections) - set(SECTIONS):
        parser.error(f"no section {min(unknown)!r}; there are {', '.join(SECTIONS)}")
    if given.seeds is not None and given.seeds < 1:
        parser.error("--seeds: at least 1")
    wanted = [name for name in SECTIONS if name in given.sections or not given.sections]
    told = options(given.seeds)
    try:
        if set(wanted) - set(_SIMULATED):
            told.check_data()
    except QualityError as error:
        print(f"quality: {error}", file=sys.stderr)
        return 1
    return max([_measure(name, told) for name in wanted])


def _measure(name: str, told: Options) -> int:
    """Measure a section, print it and write it down; 1 if that fails."""
    print(f"\n## {name}", flush=True)
    run: Callable[[Options], list[str]] = importlib.import_module(f"benchmarks.quality.{name}").run
    began = time.monotonic()
    seeds = f" --seeds {told.seeds}" if told.seeds and name == "scenarios" else ""
    try:
        lines = run(told)
        said = stamp(f"python -m benchmarks.quality {name}{seeds}", time.monotonic() - began)
        write(name, [*lines, "", said])
    except QualityError as error:
        print(f"quality, {name}: {error}", file=sys.stderr)
        return 1
    print(*lines, said, sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
