"""From traces to groups of accounts that act together, and how sure that is.

Who shares a text that chance cannot explain is joined at once.  Links, hashtags, media and reposts
join two accounts only when both shared several of them at the same time, more often than accounts
that choose by popularity would (D. Pacheco et al., *Uncovering Coordinated Networks on Social
Media*, ICWSM 2021; CooRnet, F. Giglietto et al. 2020; validated links after M. Tumminello et al.,
*PLoS ONE* 6, 2011).  One popular post joins nobody: that is amplification, and is told as such.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from itertools import chain

import numpy as np

from models.coordination.chance import rarer
from models.coordination.group import Group, amplified, coordinated
from models.coordination.pace import Pace
from models.coordination.shared_runs import in_waves, validated
from models.coordination.sharing import AMPLIFIED, AMPLIFIED_ACCOUNTS, Run, Sharing
from models.coordination.table import Table, densest_of
from models.coordination.trace import ACCOUNT, FIRST_MS, TIMES, WIDTH, Trace
from models.coordination.window import TraceWindow

LEAST_ACCOUNTS = 5
_EVEN = 0.1  # texts in a window that come at once by chance
_EAGER = 3  # mentions with the group's own hashtag, by which an account joins it


def find_groups(window: TraceWindow, known: Collection[Group] = ()) -> list[Group]:
    """Groups of the window as it stands, coordination first.

    What is amplified is told again only after it has changed.

    Parameters
    ----------
    window : TraceWindow
    known : collection of Group
        What was found before; what such a group did is no habit of its public.
    """
    sharing, active = window.sharing(), len(window.accounts)
    pairs, together = validated(sharing, active)
    waves = in_waves(sharing, active)
    texts = _at_once(sharing, window.pace)
    found = []
    if pairs or texts or waves:
        tags = sorted(sharing.tags, key=_made)
        more = [members for members, _ in waves]
        sets = _joined([*_components(pairs), *more, *_tagged(texts, tags), *texts], active)
        together = list(dict.fromkeys(chain(together, *(runs for _, runs in waves))))
        found = _suspected(sets, sharing, together, window, known)
    within = set().union(*(g.accounts for g in found if g.score >= 0.5))
    return found + _all_amplified(sharing.amplified, within, window)


def _made(trace: Trace) -> int:
    return trace.number


def _suspected(
    sets: Iterable[set[int]],
    sharing: Sharing,
    together: Sequence[Run],
    window: TraceWindow,
    known: Collection[Group],
) -> list[Group]:
    """Those of some sets of accounts that are large enough, with all who belong to them."""
    large = [members for members in sets if 2 * len(members) > LEAST_ACCOUNTS]
    if not large:
        return []
    copied = sorted(sharing.copied, key=_made)
    copies = Table.of_entries([(trace, trace.copiers) for trace in copied])
    found = []
    for members in large:
        members |= _eager(members, sharing.tags) | _copiers(members, copies)
        if len(members) < LEAST_ACCOUNTS:
            continue
        own = copies.shared(copies.of_accounts(members))
        runs = _runs_within(members, together)
        if len(own) or len(runs):
            before = [g for g in known if g.kind == "coordination" and g.is_of(members)]
            found.append(coordinated(members, own, runs, copies, window, before))
    return sorted(found, key=lambda g: (-g.score, g.first_ms))


def _runs_within(members: set[int], runs: Iterable[Run]) -> Table:
    """What at least two of some accounts shared at the same time."""
    parts = []
    for run in runs:
        if members.isdisjoint(run.accounts):
            continue
        inside = [i for account, i in zip(run.accounts, run.entries) if account in members]
        if len(inside) > 1:
            parts.append((run.trace, inside))
    return Table.of_entries(parts)


def _at_once(sharing: Sharing, pace: Pace) -> list[set[int]]:
    """Who copied each of those texts that hardly come as much at once by chance.

    How likely that is if they do not know of each other is asked again after a text has changed.
    """
    changed = sharing.changed_copies()
    if changed:
        times_ms = [t.rows[WIDTH * i + FIRST_MS] for t in changed for i in t.copiers]
        chances = pace.chances(times_ms, [len(t.copiers) for t in changed])
        for trace, chance in zip(changed, chances):
            trace.chance = chance
            if chance <= _EVEN:
                sharing.unlikely[trace] = None
    line = _EVEN / max(len(sharing.copied), 1)
    close = sorted((trace for trace in sharing.unlikely if trace.chance <= line), key=_made)
    return [{trace.rows[WIDTH * i + ACCOUNT] for i in trace.copiers} for trace in close]


def _tagged(texts: list[set[int]], tags: list[Trace]) -> list[set[int]]:
    """Accounts that copy texts and use the same hashtag, where that is not everybody's hashtag."""
    copiers = set().union(*texts)
    many = [trace for trace in tags if len(trace.joined) >= LEAST_ACCOUNTS]
    using = [(copiers & trace.joined.keys(), len(trace.joined)) for trace in many]
    return [some for some, all_ in using if len(some) >= LEAST_ACCOUNTS and 10 * len(some) >= all_]


def _joined(sets: list[set[int]], active: int) -> list[set[int]]:
    """Sets of accounts as groups, each account in one.

    Two sets become one where half of the smaller is in both, or more than independent accounts
    have in common by chance (Poisson).  One account in two sets does not join them: those who say
    what many say would else be a chain without end.
    """
    line = 0.1 / max(len(sets) ** 2, 1)

    def same(one: set[int], other: set[int]) -> bool:
        both, small = len(one & other), min(len(one), len(other))
        by_chance = len(one) * len(other) / max(active, 1)
        return both > 1 and (2 * both >= small or rarer(both, by_chance, line))

    whole: list[set[int]] = []
    for one in sorted(sets, key=len, reverse=True):
        joined = [other for other in whole if same(one, other)]
        whole = [other for other in whole if other not in joined]
        whole.append(one.union(*joined))
    apart: list[set[int]] = []
    taken: set[int] = set()
    for one in sorted(whole, key=len, reverse=True):
        apart.append(one - taken)
        taken |= one
    return apart


def _components(pairs: list[tuple[int, int]]) -> list[set[int]]:
    part_of: dict[int, set[int]] = {}
    for a, b in pairs:
        one, other = part_of.get(a) or {a}, part_of.get(b) or {b}
        if one is not other:
            small, large = sorted((one, other), key=len)
            large |= small
            part_of.update(dict.fromkeys(large if len(large) < 3 else small, large))
    return list({id(part): part for part in part_of.values()}.values())


def _eager(members: set[int], tags: Iterable[Trace]) -> set[int]:
    """Accounts that use the group's own hashtag again and again, as its members do."""
    more: set[int] = set()
    for trace in tags:
        if 2 * len(trace.joined) < len(members):
            continue
        using = members & trace.joined.keys()
        if 2 * len(using) < len(members) or 3 * len(using) < len(trace.joined):
            continue
        more |= {a for a, at in trace.joined.items() if trace.rows[at + TIMES] >= _EAGER}
    return more


def _copiers(members: set[int], copies: Table) -> set[int]:
    """Accounts that post a text of the group: one that at least half of its copiers are from."""
    if not len(copies):
        return set()
    inside = np.bincount(copies.of[copies.of_accounts(members)], minlength=len(copies))
    theirs = (inside > 0) & (2 * inside >= copies.sizes)
    more: set[int] = set(copies.known[copies.who[theirs[copies.of]]].tolist())
    return more


def _all_amplified(many: Collection[Trace], within: set[int], window: TraceWindow) -> list[Group]:
    """What is newly amplified, beside what the accounts in ``within`` share."""
    new = sum([trace.told != trace.changes for trace in many])
    if not new:
        return []
    found: list[Group] = []
    for trace in sorted(many, key=lambda t: (AMPLIFIED[t.kind], t.first_ms, t.number)):
        if not new:
            break
        if trace.told == trace.changes:
            within.update(trace.joined)
            continue
        new -= 1
        if 2 * len(within.intersection(trace.joined)) > len(trace.joined):
            continue
        times_ms = np.sort(np.array(trace.rows[FIRST_MS::WIDTH]))
        densest = int(densest_of(times_ms).max())
        if densest >= AMPLIFIED_ACCOUNTS:
            found.append(amplified(trace, times_ms, densest, window))
            within.update(trace.joined)  # a post and its link are told once
            trace.told = trace.changes
    return found
