"""Who shared the same things at the same time more often than popularity explains.

Validated links after M. Tumminello et al., *PLoS ONE* 6, 2011: two accounts are joined by how many
things they share, each weighed by how few others shared it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log10

import numpy as np
from scipy.sparse import coo_array, csr_array

from models.coordination.window import DAY_MS, HOUR_MS, Trace

MINUTE_MS = 60_000
# how close in time two accounts must share a thing to be joined by it
TOGETHER_MS = {
    "repost": 5 * MINUTE_MS,
    "link": 15 * MINUTE_MS,
    "media": HOUR_MS,
    "tags": 15 * MINUTE_MS,
    "reply": 5 * MINUTE_MS,
    "text": 15 * MINUTE_MS,  # reposts that do not say of what
}
_MOST_PAIRED = 300  # accounts of a run that are compared with each other


@dataclass(slots=True)
class Shared:
    """A trace, or a run of it: those who shared it at about the same time."""

    trace: Trace
    accounts: list[int] = field(default_factory=list)

    def times_ms(self) -> list[int]:
        """When its accounts shared it first, ascending."""
        joined = self.trace.joined
        return sorted(joined[a].first_ms for a in self.accounts)


def runs_of(trace: Trace, copies: bool = False) -> list[Shared]:
    """Those who shared a thing within its time of each other; of texts, reposts or copies."""
    reposts = trace.kind == "text" and not copies
    who = sorted(
        (j.first_ms, account)
        for account, j in trace.joined.items()
        if (j.copies if copies else not reposts or j.times > j.copies)
    )
    runs: list[Shared] = []
    before_ms = -DAY_MS
    for at_ms, account in who:
        if at_ms - before_ms > TOGETHER_MS[trace.kind]:
            runs.append(Shared(trace))
        runs[-1].accounts.append(account)
        before_ms = at_ms
    return [run for run in runs if 1 < len(run.accounts) <= _MOST_PAIRED]


def validated(runs: list[Shared], active: int) -> tuple[list[tuple[int, int]], list[Shared]]:
    """Pairs of accounts that share more things than popularity explains, and those things.

    The chance that an independent account is in a run is its share of the active accounts; the
    line is one such pair in ten windows among all pairs (Bonferroni).
    """
    line = log10(max(active * active / 2, 1.0)) + 1.0
    weighed_runs = [
        (run, log10(max(active, len(run.accounts)) / len(run.accounts))) for run in runs
    ]
    enough = _enough(weighed_runs, line)
    # of those who are left, some shared only with others
    enough = _enough(weighed_runs, line, enough) if enough else enough
    index = {a: i for i, a in enumerate(enough)}
    rows, columns, values = [], [], []
    for column, (run, weight) in enumerate(weighed_runs):
        inside = [index[a] for a in run.accounts if a in index]
        if len(inside) > 1:
            rows += inside
            columns += [column] * len(inside)
            values += [weight] * len(inside)
    if not rows:
        return [], []
    shape = (len(index), len(runs))
    ones = csr_array(coo_array((np.ones(len(rows)), (rows, columns)), shape=shape))
    weighed = csr_array(coo_array((np.array(values), (rows, columns)), shape=shape))
    both, told = csr_array(ones @ ones.T), csr_array(weighed @ ones.T)
    for product in (both, told):
        product.sort_indices()  # the same entries in the same order
    first = np.repeat(np.arange(len(index)), np.diff(told.indptr))
    keep = (first < told.indices) & (told.data >= line) & (both.data > 1)
    pairs = list(zip(first[keep].tolist(), told.indices[keep].tolist()))
    known = list(index)
    joined = {i for pair in pairs for i in pair}
    proven = {c for r, c in zip(rows, columns) if r in joined}
    return [(known[i], known[j]) for i, j in pairs], [runs[c] for c in sorted(proven)]


def _enough(
    runs: list[tuple[Shared, float]], line: float, among: list[int] | None = None
) -> list[int]:
    """Who has enough in all; whoever has not, has not enough with anybody."""
    told_of: dict[int, float] = {} if among is None else dict.fromkeys(among, 0.0)
    for run, weight in runs:
        accounts = run.accounts
        if among is not None:
            accounts = [a for a in accounts if a in told_of]
        if len(accounts) > 1:
            for account in accounts:
                told_of[account] = told_of.get(account, 0.0) + weight
    return [account for account, most in told_of.items() if most >= line]
