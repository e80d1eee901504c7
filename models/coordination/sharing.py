"""What is shared, kept from look to look: only what has changed since is read again."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from itertools import pairwise, starmap, zip_longest
from math import log10
from operator import sub

from msgspec import Struct

from models.coordination.table import HOUR_MS
from models.coordination.trace import ACCOUNT, COPIES, FIRST_MS, MOST_ACCOUNTS, TIMES, WIDTH, Trace

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
AMPLIFIED_ACCOUNTS = 10
AMPLIFIED = {"repost": 0, "link": 1, "media": 2, "text": 3}  # what is told first
_LEAST_RUNS = 3  # two things, however few shared them, do not tell enough of two accounts
_MOST_PAIRED = 300  # accounts who said or tagged the same within its time: more is a set phrase
_IN_WAVES = frozenset(("repost", "link", "media"))
_LEAST_WAVE, _WAVE_MS = 5, MINUTE_MS // 2  # accounts of a wave, and how long the middle half takes


class Run(Struct, eq=False, gc=False):
    """Accounts that shared a thing within its time of each other, in order of time.

    Attributes
    ----------
    entries : list of int
        Which of the entries of the trace they are.
    rarity : float
        How few they are: the logarithm of their number, less than zero.
    """

    trace: Trace
    accounts: list[int]
    entries: list[int]
    rarity: float

    def at_ms(self, place: int) -> int:
        """When the account at a place in it shared the thing first."""
        return self.trace.rows[WIDTH * self.entries[place] + FIRST_MS]


class Sharing:
    """Traces of at least two accounts, by what is asked of them.

    Attributes
    ----------
    copied, tags, amplified : dict
        Texts that two accounts posted as their own, hashtags, and what many share.
    unlikely : dict
        Of the copied texts, those that hardly come as much at once by chance.
    often : set of int
        Accounts in so many runs that some may tell enough together.
    waves : dict
        Runs that came as if at a signal.
    """

    def __init__(self) -> None:
        self.copied: dict[Trace, None] = {}
        self.tags: dict[Trace, None] = {}
        self.amplified: dict[Trace, None] = {}
        self.often: set[int] = set()
        self.waves: dict[Run, None] = {}
        self.unlikely: dict[Trace, None] = {}
        self._changed: dict[Trace, None] = {}  # of those that are copied
        self._runs: dict[Trace, list[Run]] = {}
        self._of: dict[int, list[Run]] = {}

    def runs_of(self, account: int) -> Sequence[Run]:
        """The runs that an account is in."""
        return self._of.get(account, ())

    def changed_copies(self) -> list[Trace]:
        """Copied texts that have changed since this was asked last."""
        changed = list(self._changed)
        self._changed.clear()
        return changed

    def update(self, traces: Iterable[Trace]) -> None:
        """Read traces that have changed, or are not held any more."""
        for trace in traces:
            kind, many = trace.kind, len(trace.joined) if trace.held else 0
            trace.known = True
            runs = _read(trace) if kind in TOGETHER_MS and many > 1 else []
            if kind == "text":
                copied = many > 1 and len(trace.copiers) > 1
                _keep(self.copied, trace, copied)
                _keep(self._changed, trace, copied)
                self.unlikely.pop(trace, None)
            elif kind == "tag":
                _keep(self.tags, trace, many > 1)
            if kind in AMPLIFIED:
                _keep(self.amplified, trace, many >= AMPLIFIED_ACCOUNTS)
            if runs or trace in self._runs:
                self._follow(trace, runs)

    def _follow(self, trace: Trace, now: list[Run]) -> None:
        """Take up the runs of a trace in place of those it had; most go on, or are as they were."""
        kept: list[Run] = []
        for old, new in zip_longest(self._runs.get(trace, ()), now):
            if old and new and old.accounts == new.accounts[: len(old.accounts)]:
                self._add(old, new.accounts[len(old.accounts) :])
                old.accounts, old.entries, old.rarity = new.accounts, new.entries, new.rarity
                kept.append(old)
                continue
            if old:
                self._remove(old)
            if new:
                self._add(new, new.accounts)
                kept.append(new)
        for run in kept:
            if _is_wave(run):
                self.waves[run] = None
            else:
                self.waves.pop(run, None)
        if kept:
            self._runs[trace] = kept
        else:
            self._runs.pop(trace, None)

    def _add(self, run: Run, accounts: Iterable[int]) -> None:
        for account in accounts:
            runs = self._of.setdefault(account, [])
            runs.append(run)
            if len(runs) == _LEAST_RUNS:
                self.often.add(account)

    def _remove(self, run: Run) -> None:
        self.waves.pop(run, None)
        for account in run.accounts:
            runs = self._of[account]
            runs.remove(run)
            if len(runs) == _LEAST_RUNS - 1:
                self.often.discard(account)
            if not runs:
                del self._of[account]


def _is_wave(run: Run) -> bool:
    many = len(run.entries)
    if many < _LEAST_WAVE or run.trace.kind not in _IN_WAVES:
        return False
    first, last = (run.at_ms(part * many // 4) for part in (1, 3))
    return last - first <= _WAVE_MS


def _keep(among: dict[Trace, None], trace: Trace, wanted: bool) -> None:
    if wanted:
        among[trace] = None
    else:
        among.pop(trace, None)


def _read(trace: Trace) -> list[Run]:
    """Those who shared a thing within its time of each other; copies apart from reposts."""
    rows = trace.rows
    first_ms = rows[FIRST_MS::WIDTH]
    if trace.kind != "text":
        return _cut(trace, sorted(range(len(first_ms)), key=first_ms.__getitem__), first_ms)
    times, copies = rows[TIMES::WIDTH], rows[COPIES::WIDTH]
    own = [i for i, many in enumerate(copies) if many]
    trace.copiers = sorted(own, key=first_ms.__getitem__)
    found = _cut(trace, trace.copiers, first_ms)
    if times != copies:
        others = [i for i, (all_, own) in enumerate(zip(times, copies)) if all_ > own]
        found += _cut(trace, sorted(others, key=first_ms.__getitem__), first_ms)
    return found


def _cut(trace: Trace, entries: list[int], first_ms: array[int]) -> list[Run]:
    """Entries in order of time, cut where too long passed between two of them."""
    who, within_ms = trace.rows[ACCOUNT::WIDTH], TOGETHER_MS[trace.kind]
    gaps_ms = starmap(sub, pairwise([first_ms[i] for i in entries]))
    cuts = [i for i, gap_ms in enumerate(gaps_ms, 1) if gap_ms < -within_ms]
    found = []
    for first, last in pairwise([0, *cuts, len(entries)]):
        if 1 < last - first <= (MOST_ACCOUNTS if trace.kind in _IN_WAVES else _MOST_PAIRED):
            run = entries[first:last]
            found.append(Run(trace, [who[i] for i in run], run, -log10(len(run))))
    return found
