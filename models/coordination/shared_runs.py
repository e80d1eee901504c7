"""Who shared the same things at the same time more often than popularity explains.

Validated links after M. Tumminello et al., *PLoS ONE* 6, 2011: two accounts are joined by how many
things they share, each weighed by how few others shared it.
"""

from __future__ import annotations

from math import log10

import numpy as np
from scipy.sparse import csr_array

from models.coordination.table import HOUR_MS, Table
from models.records import Bool, Float64

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
_MOST_CELLS = 1_000_000  # of a product that is computed at once
_ROUNDING = 1e-9  # in whichever order weights are added


def runs_of(table: Table) -> Table:
    """Those who shared a thing within its time of each other; copies apart from reposts."""
    within = np.array([TOGETHER_MS.get(trace.kind, 0) for trace in table.traces])[table.of]
    text = np.array([trace.kind == "text" for trace in table.traces])[table.of]
    parts = (
        np.flatnonzero((within > 0) & (~text | table.reposts)),
        np.flatnonzero(text & table.copies),
    )
    rows = np.concatenate(parts)
    if not len(rows):
        return table.taken(rows, rows, [])
    new = np.ones(len(rows), dtype=np.bool_)
    of, at_ms = table.of[rows], table.first_ms[rows]
    new[1:] = (of[1:] != of[:-1]) | (np.diff(at_ms) > within[rows[1:]])
    new[len(parts[0]) : len(parts[0]) + 1] = True
    run = np.cumsum(new) - 1
    sizes = np.bincount(run)
    kept = (sizes > 1) & (sizes <= _MOST_PAIRED)
    inside = kept[run]
    return table.taken(rows[inside], (np.cumsum(kept) - 1)[run[inside]], of[new][kept].tolist())


def validated(runs: Table, active: int) -> tuple[list[tuple[int, int]], Table]:
    """Pairs of accounts that share more things than popularity explains, and those things.

    The chance that an independent account is in a run is its share of the active accounts; the
    line is one such pair in ten windows among all pairs (Bonferroni).
    """
    line = log10(max(active * active / 2, 1.0)) + 1.0
    weights = np.log10(np.maximum(active, runs.sizes) / np.maximum(runs.sizes, 1))
    nobody: tuple[list[tuple[int, int]], Table] = [], runs.taken(runs.of[:0], runs.of[:0], [])
    if weights.sum() < line:
        return nobody
    # whoever has not enough in all has not enough with anybody; of those who are left, some
    # shared only with others
    left = _enough(runs, weights, line, np.ones(len(runs.of), dtype=np.bool_))
    if not left.any():
        return nobody
    likely = left = _enough(runs, weights, line, left)
    many = -1
    while many != (many := int(np.count_nonzero(left))):
        left = _enough(runs, weights, line, left)
    pairs = _pairs(runs, weights, line, left) if many else []
    joined = np.zeros(len(runs.known), dtype=np.bool_)
    joined[[i for pair in pairs for i in pair]] = True
    proven = np.zeros(len(runs), dtype=np.bool_)
    proven[runs.of[likely & joined[runs.who]]] = True
    known = runs.known.tolist() if pairs else []
    return [(known[i], known[j]) for i, j in pairs], runs.shared(proven[runs.of])


def _enough(table: Table, weights: Float64, line: float, among: Bool) -> Bool:
    """Which entries are of accounts that have enough in all, where others of these are, too."""
    told = np.bincount(table.who[among], weights[table.of[among]], len(table.known))
    enough = among & (told >= line)[table.who]
    inside = np.bincount(table.of[enough], minlength=len(weights))
    found: Bool = enough & (inside > 1)[table.of]
    return found


def _pairs(table: Table, weights: Float64, line: float, among: Bool) -> list[tuple[int, int]]:
    """Pairs of accounts, by their place in the table, that share more than the line.

    No single thing tells as much, so whoever is joined shares two at least.
    """
    accounts, columns = np.unique(table.who[among], return_inverse=True)
    things, rows = np.unique(table.of[among], return_inverse=True)
    weighed = weights[things]
    if len(things) * len(accounts) ** 2 <= _MOST_CELLS:
        shared = np.zeros((len(things), len(accounts)))
        shared[rows, columns] = 1.0
        first, second = np.nonzero((shared.T * weighed) @ shared >= line - _ROUNDING)
    else:
        shape = (len(things), len(accounts))
        ones = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
        by_weight = csr_array((weighed[rows], (rows, columns)), shape=shape)
        told = csr_array(by_weight.T @ ones).tocoo()
        keep = told.data >= line - _ROUNDING
        first, second = told.row[keep], told.col[keep]
    pairs = zip(accounts[first].tolist(), accounts[second].tolist())
    return sorted((one, other) for one, other in pairs if one < other)
