"""From traces to groups of accounts that act together, and how sure that is.

Who shares a text that chance cannot explain is joined at once.  Links, hashtags, media and reposts
join two accounts only when both shared several of them at the same time, more often than accounts
that choose by popularity would (D. Pacheco et al., *Uncovering Coordinated Networks on Social
Media*, ICWSM 2021; CooRnet, F. Giglietto et al. 2020; validated links after M. Tumminello et al.,
*PLoS ONE* 6, 2011).  One popular post joins nobody: that is amplification, and is told as such.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log2
from statistics import median

import numpy as np
from scipy.special import pdtrc

from models.coordination.shared_runs import MINUTE_MS, runs_of, validated
from models.coordination.table import Table, densest_of
from models.coordination.trace import ACCOUNT, FIRST_MS, TIMES, WHOLE, WIDTH, Quote, Trace
from models.coordination.window import DAY_MS, Account, TraceWindow
from models.records import Int64

LEAST_ACCOUNTS = 5
AMPLIFIED_ACCOUNTS = 10
_ORDER = {"repost": 0, "link": 1, "media": 2, "text": 3}  # what is told of an amplified thing
_EVEN = 0.1  # texts in a window that come at once by chance
_EAGER = 3  # mentions with the group's own hashtag, by which an account joins it
_AMPLIFIED_CAP = 0.49
_YOUNG_MS, _OLD_MS = 180 * DAY_MS, 730 * DAY_MS
_BORN_TOGETHER_MS = 7 * DAY_MS
_START = -3.0
# pairs of texts that met by chance, before any is known, and how much more often those on one topic
_PRIOR_MET, _PRIOR_PAIRS, _SAME_TOPIC = 0.1, 1e5, 60.0


@dataclass(slots=True)
class Group:
    """Accounts that act together, or that amplify one thing.

    Attributes
    ----------
    kind : str
        ``coordination`` or ``amplification``.
    score : float
        0 to 1; 0.5 is the balanced line.  Amplification alone stays below it.
    parts : dict
        What the score adds up, in log-odds, by name.
    facts : dict
        Figures behind the parts, for the explanation.
    traces : list of Trace
        What the accounts share, the most telling first.
    names : dict
        What accounts are called.
    share : float
        Of the brand's mentions between the first and the last.
    """

    kind: str
    score: float
    accounts: set[int]
    first_ms: int
    last_ms: int
    parts: dict[str, float]
    facts: dict[str, float]
    traces: list[Trace]
    names: dict[int, str]
    share: float = 0.0
    id: str = ""
    found_ms: int = 0

    def posts(self) -> list[Quote]:
        """What its accounts posted of the things they share, in order of time."""
        posts = {q.id: q for t in self.traces for q in t.quotes if q.account in self.accounts}
        return sorted(posts.values(), key=lambda q: (q.at_ms, q.id))

    def posted(self) -> int:
        """How many posts these are."""
        return len({q.id for t in self.traces for q in t.quotes if q.account in self.accounts})


def find_groups(window: TraceWindow) -> list[Group]:
    """Groups of the window as it stands, coordination first.

    What is amplified is told again only after it has changed.
    """
    table = Table.of_traces(list(window.traces()))
    if not len(table):
        return []
    text = np.array([trace.kind == "text" for trace in table.traces])
    copies = table.shared(table.copies & text[table.of])
    texts = _at_once(copies, window)
    tags = [trace for trace in table.traces if trace.kind == "tag"]
    pairs, together = validated(runs_of(table), len(window.accounts))
    found = []
    sets = [*_components(pairs), *_tagged(texts, tags), *texts]
    for members in _joined(sets, len(window.accounts)):
        if 2 * len(members) > LEAST_ACCOUNTS:
            members |= _eager(members, tags) | _copiers(members, copies)
        if len(members) < LEAST_ACCOUNTS:
            continue
        own = copies.shared(copies.of_accounts(members))
        runs = together.shared(together.of_accounts(members))
        if len(own) or len(runs):
            found.append(_group(members, own, runs, copies, window))
    found.sort(key=lambda g: (-g.score, g.first_ms))
    within = set().union(*(g.accounts for g in found if g.score >= 0.5))
    return found + _all_amplified(table.traces, within, window)


def _at_once(copies: Table, window: TraceWindow) -> list[set[int]]:
    """Who copied each of those texts that hardly come as much at once by chance.

    How likely that is if they do not know of each other is asked again after a text has changed.
    """
    line = _EVEN / max(len(copies), 1)
    starts = np.append(0, np.cumsum(copies.sizes)).tolist()
    found = []
    for thing, trace in enumerate(copies.traces):
        if trace.chance[0] != trace.changes:
            times_ms = copies.first_ms[starts[thing] : starts[thing + 1]].tolist()
            trace.chance = (trace.changes, window.pace.chance(times_ms))
        if trace.chance[1] <= line:
            found.append(copies.members(thing))
    return found


def _tagged(texts: list[set[int]], tags: list[Trace]) -> list[set[int]]:
    """Accounts that copy texts and use the same hashtag, where that is not everybody's hashtag."""
    copiers = set().union(*texts)
    using = [(copiers.intersection(trace.joined), len(trace.joined)) for trace in tags]
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
        return both > 1 and (2 * both >= small or float(pdtrc(both - 1, by_chance)) <= line)

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


def _eager(members: set[int], tags: list[Trace]) -> set[int]:
    """Accounts that use the group's own hashtag again and again, as its members do."""
    more: set[int] = set()
    for trace in tags:
        using = members & trace.joined.keys()
        if 2 * len(using) < len(members) or 3 * len(using) < len(trace.joined):
            continue
        more |= {a for a, at in trace.joined.items() if trace.rows[at + TIMES] >= _EAGER}
    return more


def _copiers(members: set[int], copies: Table) -> set[int]:
    """Accounts that post a text of the group: one that at least half of its copiers are from."""
    inside = np.bincount(copies.of[copies.of_accounts(members)], minlength=len(copies))
    theirs = (inside > 0) & (2 * inside >= copies.sizes)
    more: set[int] = set(copies.known[copies.who[theirs[copies.of]]].tolist())
    return more


def _group(
    members: set[int],
    own: Table,
    runs: Table,
    every: Table,
    window: TraceWindow,
) -> Group:
    tables = [table for table in (own, runs) if len(table)]
    accounts_of = np.concatenate([t.rows[:, ACCOUNT] for t in tables])
    seen = np.unique(accounts_of, return_counts=True)[1]
    things = {id(trace): trace for t in tables for trace in sorted(t.traces, key=_began)}
    largest = max(int(t.sizes.max()) for t in tables)
    gaps = np.concatenate([t.gaps_ms() for t in tables])
    hour = sum(int(t.densest().sum()) for t in tables) / len(accounts_of)
    first_ms = min(int(t.first_ms.min()) for t in tables)
    share_again = float(np.count_nonzero(seen > 1)) / len(members)
    one_thing = largest >= 0.75 * len(members)
    close, at_once = float((gaps <= 10 * MINUTE_MS).mean()), float((gaps <= MINUTE_MS).mean())
    total, copiers = int(own.likest().sum()) / WHOLE, len(np.unique(own.rows[:, ACCOUNT]))
    exact = bool(len(own)) and total >= 0.95 * copiers
    headline = one_thing and exact and min(own.traces, key=_began).link is not None
    beyond = _beyond_chance(own, every, first_ms, window)
    repetition = 2.5 * share_again + _per_thing(share_again) * log2(max(len(things), 1))
    synchrony = 1.5 * close + 1.5 * max(0.0, at_once - 0.25) / 0.75
    accounts = [window.accounts[a] for a in members if a in window.accounts]
    parts = {
        "start": _START,
        "copies": beyond * min(4.0, max(0.0, 1.2 * log2(max(hour * total, 1.0) / 4))),
        "repetition": repetition * (1.0 if runs else beyond),
        # news travels fast
        "synchrony": 0.0 if headline else hour * synchrony * (1.0 if runs else beyond),
        "one_thing": -1.0 if one_thing else 0.0,
        "headline": -2.0 if headline else 0.0,
        **_people(accounts, first_ms, window),
    }
    facts = {
        "accounts": len(members),
        "copiers": copiers,
        "things": len(things),
        "texts": len(own),
        "again": round(share_again, 3),
        "gap_s": round(float(np.median(gaps)) / 1000, 1),
        "headline": float(headline),
    }
    traces = sorted(things.values(), key=lambda t: (t.kind != "text", -len(t.joined)))
    score = 1 / (1 + exp(-sum(parts.values())))
    names = {a: window.accounts[a].shown for a in members if a in window.accounts}
    last_ms = max(int(t.first_ms.max()) for t in tables)
    return Group("coordination", score, members, first_ms, last_ms, parts, facts, traces, names)


def _began(trace: Trace) -> tuple[int, int]:
    return trace.first_ms, trace.hash


def _per_thing(share_again: float) -> float:
    """What twice as many things tell: many who share few of many things are a chorus."""
    return 0.25 + 0.25 * min(1.0, share_again / 0.2)


def _beyond_chance(own: Table, every: Table, first_ms: int, window: TraceWindow) -> float:
    """Which part of a group's pairs of near-duplicates its public's own habits do not explain.

    How often two texts of this public meet was counted before the group's first post, and is seen
    in the texts that are not the group's; where all speak of one thing they meet more often.
    """
    posts = own.posts()
    met, posted = _pairs(posts), int(posts.sum())
    if not met:
        return 1.0
    left = max(window.texts - posted, 0)
    before = window.chances(first_ms)
    chance = max(
        (before.met + _PRIOR_MET) / (before.pairs + _PRIOR_PAIRS),
        (_pairs(every.sizes) - _pairs(own.whole) + _PRIOR_MET) / (left * left / 2 + _PRIOR_PAIRS),
    )
    odds = _SAME_TOPIC * chance
    return max(0.0, 1.0 - odds / (1.0 + odds) * posted**2 / 2 / met)


def _pairs(many: Int64) -> float:
    return float((many * (many - 1) // 2).sum())


def _people(accounts: list[Account], at_ms: int, window: TraceWindow) -> dict[str, float]:
    """What the accounts themselves tell: age, being made together, handles made by rule."""
    parts: dict[str, float] = {}
    born = sorted(a.created_ms for a in accounts if a.created_ms is not None)
    if born and 2 * len(born) >= len(accounts):
        ages = [at_ms - ms for ms in born]
        parts["young"] = sum(age < _YOUNG_MS for age in ages) / len(ages)
        ends = np.searchsorted(born, np.array(born) + _BORN_TOGETHER_MS, side="right")
        together = float((ends - np.arange(len(born))).max()) / len(born)
        parts["born_together"] = 2.5 * together if together >= 0.5 else 0.0
        parts["old"] = -1.0 if median(ages) > _OLD_MS else 0.0
    numbered = sum(account.numbered for account in accounts)
    others = len(window.accounts) - len(accounts)
    usual = (window.numbered - numbered) / others if others > 0 else 0.0
    if accounts and numbered / len(accounts) >= max(0.5, usual + 0.3):
        parts["handles"] = 0.8
    return parts


def _all_amplified(traces: Iterable[Trace], within: set[int], window: TraceWindow) -> list[Group]:
    """What is newly amplified, beside what the accounts in ``within`` share."""
    many = [t for t in traces if t.kind in _ORDER and len(t.joined) >= AMPLIFIED_ACCOUNTS]
    if all(trace.told == trace.changes for trace in many):
        return []
    found = []
    for trace in sorted(many, key=lambda t: (_ORDER[t.kind], t.first_ms)):
        if trace.told == trace.changes:
            within |= trace.joined.keys()
            continue
        times_ms = np.sort(np.array(trace.rows[FIRST_MS::WIDTH]))
        densest = int(densest_of(times_ms).max())
        inside = within.intersection(trace.joined)
        if densest >= AMPLIFIED_ACCOUNTS and 2 * len(inside) <= len(trace.joined):
            found.append(_amplified(trace, times_ms, densest, window))
            within |= trace.joined.keys()  # a post and its link are told once
            trace.told = trace.changes
    return found


def _amplified(trace: Trace, times: Int64, densest: int, window: TraceWindow) -> Group:
    """One post, link or text that many share within an hour."""
    accounts = [window.accounts[a] for a in trace.joined if a in window.accounts]
    close = float((np.diff(times) <= 10 * MINUTE_MS).mean())
    parts = {
        "start": _START,
        "copies": min(2.0, log2(densest / AMPLIFIED_ACCOUNTS)),
        "synchrony": close,
        "one_thing": -1.0,
        **_people(accounts, trace.first_ms, window),
    }
    score = min(_AMPLIFIED_CAP, 1 / (1 + exp(-sum(parts.values()))))
    facts: dict[str, float] = {
        "accounts": len(trace.joined) + trace.missed,
        "mentions": trace.mentions,
    }
    names = {a: window.accounts[a].shown for a in trace.joined if a in window.accounts}
    return Group(
        "amplification", score, set(trace.joined), trace.first_ms, trace.last_ms,
        parts, facts, [trace], names,
    )  # fmt: skip
