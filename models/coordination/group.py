"""A group of accounts, and what its score adds up: how sure it is that they act together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from math import exp, log2
from statistics import median

import numpy as np

from models.coordination.accounts import Account
from models.coordination.sharing import AMPLIFIED_ACCOUNTS, MINUTE_MS
from models.coordination.table import Table
from models.coordination.trace import ACCOUNT, WHOLE, Quote, Trace
from models.coordination.window import DAY_MS, TraceWindow
from models.records import Int64

_AMPLIFIED_CAP = 0.49
_MOST_EARLIER = 20_000  # posts of what a group shared before
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
    earlier : dict of Trace
        What they shared at looks before; of very much the first is let go.
    began_ms : int
        When its first post came; from ``first_ms`` on its posts are known.
    habit : (int, int)
        How many pairs of texts there were until it began, and how many met.
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
    id: str = ""
    found_ms: int = 0
    earlier: dict[Trace, None] = field(default_factory=dict)
    began_ms: int = 0
    habit: tuple[int, int] = (0, 0)

    def is_of(self, accounts: set[int]) -> bool:
        """Whether half of the smaller set of accounts is in both."""
        both = len(self.accounts & accounts)
        return 2 * both >= min(len(self.accounts), len(accounts))

    def posts(self) -> list[Quote]:
        """What its accounts posted of the things they share, in order of time."""
        quotes = (q for t in chain(self.earlier, self.traces) for q in t.quotes)
        posts = {(q.account, q.id): q for q in quotes if q.account in self.accounts}
        return sorted(posts.values(), key=lambda q: (q.at_ms, q.id, q.account))

    def go_on_from(self, known: Group) -> None:
        """Take up what was known of it before."""
        self.accounts |= known.accounts
        self.names = known.names | self.names
        self.first_ms = min(self.first_ms, known.first_ms)
        self.last_ms = max(self.last_ms, known.last_ms)
        self.earlier = known.earlier | self.earlier | dict.fromkeys(known.traces)
        for trace in self.traces:
            self.earlier.pop(trace, None)
        room = _MOST_EARLIER - sum([len(trace.quotes) for trace in self.earlier])
        if room < 0:
            self._let_go(_MOST_EARLIER // 4 - room)
        if self.score < known.score:
            self.score, self.parts = known.score, known.parts

    def _let_go(self, many: int) -> None:
        """Forget so many posts of what was shared at the first looks."""
        while self.earlier and many > 0:
            trace = next(iter(self.earlier))
            many -= len(trace.quotes)
            del self.earlier[trace]
        # nothing is said of a time of which nothing is known
        quotes = (q for t in chain(self.earlier, self.traces) for q in t.quotes)
        first_ms = min([q.at_ms for q in quotes if q.account in self.accounts], default=0)
        self.first_ms = max(self.first_ms, first_ms)


def coordinated(
    members: set[int],
    own: Table,
    runs: Table,
    every: Table,
    window: TraceWindow,
    before: Iterable[Group] = (),
) -> Group:
    """A group with its score.

    Parameters
    ----------
    members : set of int
    own, every : Table
        Texts that its accounts copied, and those that all did.
    runs : Table
        What they shared together again and again.
    before : iterable of Group
        Groups that it may go on from.
    """
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
    began_ms, habit = first_ms, window.chances(first_ms)
    for known in before:
        if known.last_ms >= first_ms - window.span_ms and known.began_ms < began_ms:
            began_ms, habit = known.began_ms, known.habit
    beyond = _beyond_chance(own, every, habit, window)
    repetition = 2.5 * share_again + _per_thing(share_again) * log2(max(len(things), 1))
    synchrony = 1.5 * close + 1.5 * max(0.0, at_once - 0.25) / 0.75
    people = window.accounts.sharing
    accounts = [people[a] for a in members if a in people]
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
    names = {a: people[a].shown for a in members if a in people}
    last_ms = max(int(t.first_ms.max()) for t in tables)
    return Group(
        "coordination", score, members, first_ms, last_ms, parts, facts, traces, names,
        began_ms=began_ms, habit=habit,
    )  # fmt: skip


def amplified(trace: Trace, times: Int64, densest: int, window: TraceWindow) -> Group:
    """One post, link or text that many share within an hour."""
    known = window.accounts.sharing
    accounts = [known[a] for a in trace.joined if a in known]
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
    names = {a: known[a].shown for a in trace.joined if a in known}
    return Group(
        "amplification", score, set(trace.joined), trace.first_ms, trace.last_ms,
        parts, facts, [trace], names,
    )  # fmt: skip


def _began(trace: Trace) -> tuple[int, int]:
    return trace.first_ms, trace.hash


def _per_thing(share_again: float) -> float:
    """What twice as many things tell: many who share few of many things are a chorus."""
    return 0.25 + 0.25 * min(1.0, share_again / 0.2)


def _beyond_chance(own: Table, every: Table, habit: tuple[int, int], window: TraceWindow) -> float:
    """Which part of a group's pairs of near-duplicates its public's own habits do not explain.

    How often two texts of this public meet was counted before the group's first post, and is seen
    in the texts that are not the group's; where all speak of one thing they meet more often.
    """
    posts = own.posts()
    met, posted = _pairs(posts), int(posts.sum())
    if not met:
        return 1.0
    left = max(window.texts - posted, 0)
    pairs, met_before = habit
    chance = max(
        (met_before + _PRIOR_MET) / (pairs + _PRIOR_PAIRS),
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
    usual = (window.accounts.numbered - numbered) / others if others > 0 else 0.0
    if accounts and numbered / len(accounts) >= max(0.5, usual + 0.3):
        parts["handles"] = 0.8
    return parts
