"""From traces to groups of accounts that act together, and how sure that is.

Who shares a text that chance cannot explain is joined at once.  Links, hashtags, media and reposts
join two accounts only when both shared several of them at the same time, more often than accounts
that choose by popularity would (D. Pacheco et al., *Uncovering Coordinated Networks on Social
Media*, ICWSM 2021; CooRnet, F. Giglietto et al. 2020; validated links after M. Tumminello et al.,
*PLoS ONE* 6, 2011).  One popular post joins nobody: that is amplification, and is told as such.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, log2, log10
from statistics import median

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from models.trace_window import DAY_MS, HOUR_MS, Account, Quote, Trace, TraceWindow

LEAST_ACCOUNTS = 5
AMPLIFIED_ACCOUNTS = 10
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
_ORDER = {"repost": 0, "link": 1, "media": 2, "text": 3}  # what is told of an amplified thing
_MOST_PAIRED = 300  # accounts of a run that are compared with each other
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


@dataclass(slots=True)
class _Shared:
    """A trace, or a run of it: those who shared it at about the same time."""

    trace: Trace
    accounts: list[int] = field(default_factory=list)


def find_groups(window: TraceWindow) -> list[Group]:
    """Groups of the window as it stands, coordination first."""
    traces = list(window.traces())
    texts, runs = [], []
    for trace in traces:
        copiers = [a for a, j in trace.joined.items() if j.copies] if trace.kind == "text" else []
        if len(copiers) > 1:
            texts.append(_Shared(trace, copiers))
        if trace.kind in TOGETHER_MS:
            runs += _runs(trace)
    tags = [trace for trace in traces if trace.kind == "tag"]
    pairs, proven = _validated(runs, len(window.accounts))
    found = []
    for members in _components(texts, pairs, _tagged(texts, tags)):
        if 2 * len(members) > LEAST_ACCOUNTS:
            members |= _eager(members, tags)
        if len(members) >= LEAST_ACCOUNTS:
            found.append(_group(members, texts, proven, window))
    found.sort(key=lambda g: (-g.score, g.first_ms))
    within = set().union(*(g.accounts for g in found if g.score >= 0.5))
    for trace in sorted(traces, key=lambda t: (_ORDER.get(t.kind, 9), t.first_ms)):
        for group in _amplified(trace, within, window):
            within |= group.accounts  # a post and its link are told once
            found.append(group)
    return found


def _runs(trace: Trace) -> list[_Shared]:
    """Those who shared a thing within its time of each other; of texts, only the reposts."""
    reposts = trace.kind == "text"
    who = sorted(
        (j.first_ms, account)
        for account, j in trace.joined.items()
        if not reposts or j.times > j.copies
    )
    runs: list[_Shared] = []
    before_ms = -DAY_MS
    for at_ms, account in who:
        if at_ms - before_ms > TOGETHER_MS[trace.kind]:
            runs.append(_Shared(trace))
        runs[-1].accounts.append(account)
        before_ms = at_ms
    return [run for run in runs if 1 < len(run.accounts) <= _MOST_PAIRED]


def _validated(runs: list[_Shared], active: int) -> tuple[list[tuple[int, int]], list[_Shared]]:
    """Pairs of accounts that share more things than popularity explains, and those things.

    The chance that an independent account is in a run is its share of the active accounts; the
    line is one such pair in ten windows among all pairs (Bonferroni).
    """
    line = log10(max(active * active / 2, 1.0)) + 1.0
    weights = [log10(max(active, len(run.accounts)) / len(run.accounts)) for run in runs]
    told_of: dict[int, float] = {}
    for run, weight in zip(runs, weights):
        for account in run.accounts:
            told_of[account] = told_of.get(account, 0.0) + weight
    # who has not enough in all has not enough with anybody
    index = {a: i for i, a in enumerate(a for a, most in told_of.items() if most >= line)}
    rows, columns, values = [], [], []
    for column, (run, weight) in enumerate(zip(runs, weights)):
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


def _tagged(texts: list[_Shared], tags: list[Trace]) -> list[list[int]]:
    """Accounts that copy texts and use the same hashtag, where that is not everybody's hashtag."""
    copiers = {account for text in texts for account in text.accounts}
    using = [([a for a in trace.joined if a in copiers], len(trace.joined)) for trace in tags]
    return [some for some, all_ in using if len(some) >= LEAST_ACCOUNTS and 10 * len(some) >= all_]


def _components(
    texts: list[_Shared], pairs: list[tuple[int, int]], tagged: list[list[int]]
) -> list[set[int]]:
    together = [*(text.accounts for text in texts), *tagged, *map(list, pairs)]
    everyone = dict.fromkeys(account for some in together for account in some)
    index = {account: i for i, account in enumerate(everyone)}
    # as a chain: all are connected
    ends = [(index[a], index[b]) for some in together for a, b in pairwise(some)]
    if not ends:
        return []
    rows, columns = np.array(ends, dtype=np.int64).T
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(index), len(index)))
    count, label = connected_components(graph, directed=False)
    parts: list[set[int]] = [set() for _ in range(count)]
    for account, part in zip(everyone, label.tolist()):
        parts[part].add(account)
    return parts


def _eager(members: set[int], tags: list[Trace]) -> set[int]:
    """Accounts that use the group's own hashtag again and again, as its members do."""
    more: set[int] = set()
    for trace in tags:
        using = members & trace.joined.keys()
        if 2 * len(using) < len(members) or 3 * len(using) < len(trace.joined):
            continue
        more |= {a for a, joined in trace.joined.items() if joined.times >= _EAGER}
    return more


def _group(
    members: set[int], texts: list[_Shared], proven: list[_Shared], window: TraceWindow
) -> Group:
    own = [t for t in texts if len(members.intersection(t.accounts)) > 1]
    runs = [r for r in proven if len(members.intersection(r.accounts)) > 1]
    seen: Counter[int] = Counter()
    for shared in (*own, *runs):
        seen.update(members.intersection(shared.accounts))
    copiers: dict[int, float] = {}
    for shared in own:
        for a in members.intersection(shared.accounts):
            copiers[a] = max(copiers.get(a, 0.0), shared.trace.joined[a].alike)
    copied = sum(copiers.values())
    things = {id(s.trace): s.trace for s in (*own, *runs)}
    largest = max(len(members.intersection(s.accounts)) for s in (*own, *runs))
    one_thing = largest >= 0.75 * len(members)
    times = [
        sorted(s.trace.joined[a].first_ms for a in members.intersection(s.accounts))
        for s in (*own, *runs)
    ]
    gaps = np.array([b - a for at in times for a, b in pairwise(at)])
    accounts = [window.accounts[a] for a in members if a in window.accounts]
    first_ms = min((at[0] for at in times), default=window.now_ms)
    last_ms = max((at[-1] for at in times), default=window.now_ms)
    share_again = sum(n > 1 for n in seen.values()) / len(members)
    close, at_once = float((gaps <= 10 * MINUTE_MS).mean()), float((gaps <= MINUTE_MS).mean())
    exact = bool(copiers) and copied >= 0.95 * len(copiers)
    headline = one_thing and exact and own[0].trace.link is not None
    beyond = _beyond_chance(own, texts, members, first_ms, window)
    repetition = 2.5 * share_again + _per_thing(share_again) * log2(max(len(things), 1))
    synchrony = 1.5 * close + 1.5 * max(0.0, at_once - 0.25) / 0.75
    parts = {
        "start": _START,
        "copies": beyond * min(4.0, max(0.0, 1.2 * log2(max(copied, 1.0) / 4))),
        "repetition": repetition * (1.0 if runs else beyond),
        # news travels fast
        "synchrony": 0.0 if headline else synchrony * (1.0 if runs else beyond),
        "one_thing": -1.0 if one_thing else 0.0,
        "headline": -2.0 if headline else 0.0,
        **_people(accounts, first_ms, window),
    }
    facts = {
        "accounts": len(members),
        "copiers": len(copiers),
        "things": len(things),
        "texts": len(own),
        "again": round(share_again, 3),
        "gap_s": round(float(np.median(gaps)) / 1000, 1),
        "headline": float(headline),
    }
    traces = sorted(things.values(), key=lambda t: (t.kind != "text", -len(t.joined)))
    score = 1 / (1 + exp(-sum(parts.values())))
    names = {a: window.accounts[a].shown for a in members if a in window.accounts}
    return Group("coordination", score, members, first_ms, last_ms, parts, facts, traces, names)


def _per_thing(share_again: float) -> float:
    """What twice as many things tell: many who share few of many things are a chorus."""
    return 0.25 + 0.25 * min(1.0, share_again / 0.2)


def _beyond_chance(
    own: list[_Shared], texts: list[_Shared], members: set[int], first_ms: int, window: TraceWindow
) -> float:
    """Which part of a group's pairs of near-duplicates its public's own habits do not explain.

    How often two texts of this public meet was counted before the group's first post, and is seen
    in the texts that are not the group's; where all speak of one thing they meet more often.
    """
    posts = [sum(t.trace.joined[a].times for a in members.intersection(t.accounts)) for t in own]
    met = sum(n * (n - 1) / 2 for n in posts)
    if not met:
        return 1.0
    inside = {id(t.trace) for t in own}
    others = [len(t.accounts) for t in texts if id(t.trace) not in inside]
    left = max(window.texts - sum(posts), 0)
    before = window.chances(first_ms)
    chance = max(
        (before.met + _PRIOR_MET) / (before.pairs + _PRIOR_PAIRS),
        (sum(n * (n - 1) / 2 for n in others) + _PRIOR_MET) / (left * left / 2 + _PRIOR_PAIRS),
    )
    return max(0.0, 1.0 - _SAME_TOPIC * chance * sum(posts) ** 2 / 2 / met)


def _people(accounts: list[Account], at_ms: int, window: TraceWindow) -> dict[str, float]:
    """What the accounts themselves tell: age, being made together, handles made by rule."""
    parts: dict[str, float] = {}
    born = sorted(a.created_ms for a in accounts if a.created_ms is not None)
    if born and 2 * len(born) >= len(accounts):
        ages = [at_ms - ms for ms in born]
        parts["young"] = sum(age < _YOUNG_MS for age in ages) / len(ages)
        ends = np.searchsorted(born, np.array(born) + _BORN_TOGETHER_MS, side="right")
        together = float((ends - np.arange(len(born))).max()) / len(born)
        parts["born_together"] = 1.5 * together if together >= 0.5 else 0.0
        parts["old"] = -1.0 if median(ages) > _OLD_MS else 0.0
    numbered = sum(account.numbered for account in accounts)
    others = len(window.accounts) - len(accounts)
    usual = (window.numbered - numbered) / others if others > 0 else 0.0
    if accounts and numbered / len(accounts) >= max(0.5, usual + 0.3):
        parts["handles"] = 0.8
    return parts


def _amplified(trace: Trace, within: set[int], window: TraceWindow) -> Iterable[Group]:
    """One post, link or text that many share within an hour, as long as no group explains it."""
    times = np.array(sorted(j.first_ms for j in trace.joined.values()))
    if len(times) < AMPLIFIED_ACCOUNTS or trace.kind not in _ORDER:
        return
    densest = int((np.searchsorted(times, times + HOUR_MS, "right") - np.arange(len(times))).max())
    inside = within & trace.joined.keys()
    if densest < AMPLIFIED_ACCOUNTS or 2 * len(inside) > len(trace.joined):
        return
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
    yield Group(
        "amplification", score, set(trace.joined), trace.first_ms, trace.last_ms,
        parts, facts, [trace], names,
    )  # fmt: skip
