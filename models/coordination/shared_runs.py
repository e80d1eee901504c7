"""Who shared the same things at the same time more often than popularity explains.

Validated links after M. Tumminello et al., *PLoS ONE* 6, 2011: two accounts are joined by how many
things they share, each weighed by how few others shared it.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain
from math import log10

import numpy as np

from models.coordination.chance import rarer
from models.coordination.sharing import Run, Sharing
from models.records import Float64, Int64

_MOST_CELLS = 4_000_000  # of a product that is computed at once
LEAST_IN_WAVES = 5
_LEAST_WAVES, _MOST_WAVES, _APART_MS, _WAVE_CHANCE = 3, 200, 1_000, 1e-6
_ROUNDING = 1e-9  # in whichever order weights are added


def validated(sharing: Sharing, active: int) -> tuple[list[tuple[int, int]], list[Run]]:
    """Pairs of accounts that share more things than popularity explains, and those things.

    The chance that an independent account is in a run is its share of the active accounts; the
    line is one such pair in ten windows among all pairs (Bonferroni).
    """
    whole = log10(max(active, 1))
    line = log10(max(active * active / 2, 1.0)) + 1.0 - _ROUNDING
    # whoever has not enough in all has not enough with anybody
    inside = _together(sharing, whole, line)
    runs = [run for run, accounts in inside.items() if len(accounts) > 1]
    if len(runs) < 2:
        return [], []
    sizes = [len(inside[run]) for run in runs]
    every = np.fromiter(chain.from_iterable([inside[run] for run in runs]), np.int64, sum(sizes))
    known, who = np.unique(every, return_inverse=True)
    of, weights = np.arange(len(runs)).repeat(sizes), np.array([whole + run.rarity for run in runs])
    weights = np.maximum(weights, 0.0)
    # and of those who are left some shared only with others
    enough = (np.bincount(who, weights[of]) >= line)[who]
    enough &= (np.bincount(of[enough], minlength=len(runs)) > 1)[of]
    of, who = of[enough], who[enough]
    first, second = _pairs(of, who, weights, line)
    joined = np.zeros(len(known), dtype=np.bool_)
    joined[first] = joined[second] = True
    telling = np.unique(of[joined[who]]).tolist()
    pairs = list(zip(known[first].tolist(), known[second].tolist()))
    return pairs, [runs[i] for i in telling]


def in_waves(sharing: Sharing, active: int) -> list[tuple[set[int], list[Run]]]:
    """Accounts that came together at once, and again with other things, and those things.

    Popularity explains no wave of the very accounts that made another one, however many they are
    of all (which hides them from `validated`): two waves go together where most of the smaller one
    are in both, and more than chance brings (Poisson).  Of an audience that follows something live
    others come each time.  Two waves at the same moment are one: a link and a picture of the same
    posts.
    """
    if len(sharing.often) < LEAST_IN_WAVES:
        return []
    count = Counter(chain.from_iterable([run.accounts for run in sharing.waves]))
    regular = {account for account, many in count.items() if many >= _LEAST_WAVES}
    if len(regular) < LEAST_IN_WAVES:
        return []
    runs = sorted(sharing.waves, key=lambda run: (run.trace.number, run.at_ms(0)))
    waves = [(run, set(run.accounts)) for run in runs[-_MOST_WAVES:]]
    waves = [
        (run, accounts) for run, accounts in waves if len(accounts & regular) >= LEAST_IN_WAVES
    ]
    found: list[tuple[set[int], list[Run]]] = []
    for i, (first, members) in enumerate(waves):
        if any(members & regular <= known for known, _ in found):
            continue
        mine, moments = [first], [_moment(first)]
        for run, others in waves[i + 1 :]:
            apart = min(abs(_moment(run) - at_ms) for at_ms in moments) >= _APART_MS
            if apart and _go_together(members, others, active):
                mine.append(run)
                moments.append(_moment(run))
        inside = Counter(chain.from_iterable([run.accounts for run in mine]))
        core = {account for account, many in inside.items() if many >= _LEAST_WAVES}
        if len(core) >= LEAST_IN_WAVES:
            found.append((core, mine))
    return found


def _go_together(one: set[int], other: set[int], active: int) -> bool:
    both, small = len(one & other), min(len(one), len(other))
    by_chance = len(one) * len(other) / max(active, 1)
    return both >= LEAST_IN_WAVES and 2 * both > small and rarer(both, by_chance, _WAVE_CHANCE)


def _moment(run: Run) -> int:
    return run.at_ms(len(run.entries) // 2)


def _together(sharing: Sharing, whole: float, line: float) -> dict[Run, list[int]]:
    """Those who have enough in all, of each of their runs."""
    inside: dict[Run, list[int]] = {}
    for account in sharing.often:
        runs = sharing.runs_of(account)
        if sum([max(0.0, whole + run.rarity) for run in runs]) >= line:
            for run in runs:
                inside.setdefault(run, []).append(account)
    return inside


def _pairs(of: Int64, who: Int64, weights: Float64, line: float) -> tuple[Int64, Int64]:
    """Pairs that share more than the line, in order; of entries of things and of those who did.

    No single thing tells as much, so whoever is joined shares two at least.
    """
    things, rows = np.unique(of, return_inverse=True)
    known, columns = np.unique(who, return_inverse=True)
    weights, shape = weights[things], (len(things), len(known))
    if shape[0] * shape[1] ** 2 <= _MOST_CELLS:
        shared = np.zeros(shape)
        shared[rows, columns] = 1.0
        first, second = ((shared.T * weights) @ shared >= line).nonzero()
    else:
        from scipy.sparse import csr_array  # takes long to load, and is seldom needed

        ones = csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
        by_weight = csr_array((weights[rows], (rows, columns)), shape=shape)
        told = csr_array(by_weight.T @ ones).tocoo()
        first, second = (at[told.data >= line] for at in (told.row, told.col))
        order = np.lexsort((second, first))
        first, second = first[order], second[order]
    once = first < second
    return known[first[once]], known[second[once]]
