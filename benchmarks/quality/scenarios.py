"""Simulated scenarios through the whole pipeline: what is found, how soon, and what is false."""

from __future__ import annotations

import time
from statistics import median

from benchmarks.quality.document import table, verdict
from benchmarks.quality.options import Options
from tests.acceptance.scenarios import DAYS, HEAD, MOST_DELAY_MIN, Outcome, row
from tests.acceptance.scenarios import run as replayed

_FIRST = 200  # seeds below were looked at
_RUNS = {
    "outage": 50,
    "slow_burn": 50,
    "calm": 20,
    "holiday_peak": 20,
    "low_volume": 20,
    "viral_praise": 20,
}
_MOST_FALSE = {"calm": 1.0, "holiday_peak": 1.0, "low_volume": 1.0}  # a brand and month


def run(options: Options) -> list[str]:
    """Measure; the lines of the section."""
    rows, goals = [], []
    for name, runs in _RUNS.items():
        began = time.monotonic()
        count = min(runs, options.seeds or runs)
        outcomes = [replayed(name, seed) for seed in range(_FIRST, _FIRST + count)]
        rows.append(row(outcomes))
        goals += _goal(name, outcomes)
        print(f"{rows[-1]}  {time.monotonic() - began:.0f} s", flush=True)
    last = {runs: _FIRST + min(runs, options.seeds or runs) - 1 for runs in _RUNS.values()}
    seeds = " or ".join(f"{_FIRST} to {seed}" for seed in sorted(set(last.values())))
    return [
        *HEAD.splitlines(),
        *rows,
        "",
        *table(["goal", "Nadhir", "reached"], goals),
        "",
        f"Seeds {seeds}.",
    ]


def _goal(name: str, outcomes: list[Outcome]) -> list[list[str]]:
    """What was asked of a scenario and what came of it."""
    if name in MOST_DELAY_MIN:
        delays = [o.delay_min for o in outcomes if o.delay_min is not None]
        # a crisis that is not found is found after any time
        delays += [float("inf")] * (len(outcomes) - len(delays))
        delay, most = median(delays), MOST_DELAY_MIN[name]
        return [[f"{name}: median delay ≤ {most} min", f"{delay:.0f} min", verdict(delay <= most)]]
    if name in _MOST_FALSE:
        false = sum(len(o.alerts) for o in outcomes) / (len(outcomes) * DAYS / 30)
        most_false = _MOST_FALSE[name]
        said = f"{name}: false alerts of a brand in a month ≤ {most_false:g}"
        return [[said, f"{false:.2f}", verdict(false <= most_false)]]
    return []
