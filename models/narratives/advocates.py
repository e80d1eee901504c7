"""Accounts that have steadily defended or praised a brand, and how often they answer its critics.

Advocates are looked for among the heavy hitters by days (after A. Metwally et al., *Efficient
Computation of Frequent and Top-k Elements in Data Streams*, ICDT 2005, ranked by days in place of
counts): an account with support on more days is never let go for one with fewer.  That an account
comes back is remembered by Bloom filters (B. Bloom, 1970) of days gone by, so a flood of new
accounts only replaces other new accounts.  What one paid burst can buy, many mentions at once,
makes nobody an advocate: days do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from models.coordination.accounts import name_of
from models.coordination.traces import hash64
from models.coordination.window import DAY_MS
from models.narratives.claims import Stance, shipped_claims
from models.records import Advocate, Mention
from models.returning import Returning
from models.tokens import Tokens, tokens_of

LEAST_DAYS = 4  # of the latest 28 with a supportive mention
LEAST_SPAN_DAYS = 7  # from the first to the last of these
LEAST_POSITIVE = 0.7  # of what was not neutral, one of each kind added
MOST_A_DAY = 20.0  # mentions on average; who posts more is no person, or paid by the post
CAPACITY = 2048  # accounts
_SLACK = 1.25
_DAYS = 28
_BURST_SHARE = 0.5  # of the supportive mentions on one day
_MOST_THREADS = 4096  # of a generation
_MOST_ANSWERS = 16  # of a thread


@dataclass(frozen=True, slots=True)
class Defended:
    """Threads that began with criticism in a span of time, and how many an advocate answered.

    ``ratio`` is None where nobody criticised.
    """

    threads: int
    answered: int
    active: tuple[Advocate, ...]

    @property
    def ratio(self) -> float | None:
        """Share of the threads that an advocate answered."""
        return self.answered / self.threads if self.threads else None


class Account(msgspec.Struct, array_like=True):
    """What is known of an account that supported the brand."""

    shown: str
    platform: str
    handle: str | None
    followers: int | None
    first_ms: int
    last_ms: int
    day: int = 0  # the latest with a supportive mention
    days: int = 0  # as bits, the latest lowest
    today: int = 0  # supportive mentions on that day
    most_a_day: int = 0
    supportive: int = 0
    negative: int = 0
    mentions: int = 0
    answers: int = 0
    back: bool = False  # as far as filters tell, it supported the brand on a day before the first

    def support(self, at_ms: int) -> None:
        """Count a supportive mention."""
        day = at_ms // DAY_MS
        ahead = day - self.day
        if ahead > 0 or not self.days:
            kept = self.days << min(ahead, _DAYS) if self.days else 0
            self.days = (kept | 1) & ((1 << _DAYS) - 1)
            self.day, self.today = day, 1
        else:
            self.days |= 1 << -ahead if -ahead < _DAYS else 0
            self.today += ahead == 0
        self.most_a_day = max(self.most_a_day, self.today)
        self.supportive += 1


@dataclass(slots=True)
class _Thread:
    """A critical mention and those who answered it without joining in."""

    critic: int
    at_ms: int
    answered: set[int] = field(default_factory=set)


class Advocates:
    """Who supports one brand, in one pass over its mentions.

    Parameters
    ----------
    capacity : int
        How many accounts are held.

    Attributes
    ----------
    dropped : int
        Accounts that were let go because there were too many.

    Examples
    --------
    >>> Advocates().defence(0, 1).ratio is None
    True
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        if capacity < 1:
            raise ValueError(f"capacity={capacity}: expected at least 1")
        self.now_ms = 0
        self.dropped = 0
        self._capacity = capacity
        self._accounts: dict[int, Account] = {}
        self._days = Returning()
        self._threads: dict[int, _Thread] = {}  # by mention, of two generations
        self._older: dict[int, _Thread] = {}

    def __len__(self) -> int:
        return len(self._accounts)

    def threads_held(self) -> int:
        """How many mentions of critical threads are remembered."""
        return len(self._threads) + len(self._older)

    def observe(
        self,
        mentions: Sequence[Mention],
        labels: Sequence[int],
        own: Sequence[bool] | None = None,
        stances: Sequence[int] | None = None,
        tokens: Tokens | None = None,
    ) -> None:
        """Take in mentions in order.

        Parameters
        ----------
        mentions : sequence of Mention
        labels : sequence of int
            Indices into ``models.records.LABELS``.
        own : sequence of bool, optional
            Which the brand wrote itself; these neither criticise nor defend.
        stances : sequence of int, optional
            As `claims.Claims.stances` gives them; found in the texts where not known.
        tokens : Tokens, optional
            Of the texts, where they are known.
        """
        if stances is None:
            tokens = tokens_of([m.text for m in mentions]) if tokens is None else tokens
            stances = shipped_claims().stances(tokens).tolist()
        for row, mention in enumerate(mentions):
            if own is None or not own[row]:
                self._take(mention, int(labels[row]), int(stances[row]))

    def all(self) -> list[Advocate]:
        """The advocates, the steadiest first."""
        found = [advocate_of(account, self.now_ms) for account in self._accounts.values()]
        steady = [advocate for advocate in found if advocate is not None]
        return sorted(steady, key=lambda a: (-a.days, -a.answers, -a.supportive, a.account))

    def defence(self, first_ms: int, last_ms: int) -> Defended:
        """What advocates did in a span of time, its ends included.

        Threads count by their first, critical mention; as many are remembered as there is room for.
        """
        known = {
            key: shown
            for key, account in self._accounts.items()
            if (shown := advocate_of(account, self.now_ms)) is not None
        }
        every = {id(t): t for held in (self._older, self._threads) for t in held.values()}
        threads = [t for t in every.values() if first_ms <= t.at_ms <= last_ms]
        answered = sum(not known.keys().isdisjoint(thread.answered) for thread in threads)
        active = [a for a in known.values() if first_ms <= a.last_ms <= last_ms]
        active.sort(key=lambda a: (-a.days, -a.answers, -a.supportive, a.account))
        return Defended(len(threads), answered, tuple(active))

    def _take(self, mention: Mention, label: int, stance: int) -> None:
        at_ms = int(mention.published_at.timestamp() * 1000)
        self.now_ms = max(self.now_ms, at_ms)
        author, name = mention.author, name_of(mention)
        if author is None or not name:
            return
        key = hash64(f"{mention.platform}|{name}")
        critical = label == 0 and stance != Stance.DENIAL and mention.kind != "repost"
        thread = self._thread(mention, key, at_ms, critical=critical)
        answers = thread is not None and thread.critic != key and not critical
        defends = answers and (label == 2 or stance == Stance.DENIAL)
        account = self._accounts.get(key)
        if label == 2 or defends:
            back = self._days.back(key, self.now_ms // DAY_MS)
            if account is None:
                account = self._open(key, mention, name, at_ms)
                account.back = back
            account.support(at_ms)
        if thread is not None and answers and len(thread.answered) < _MOST_ANSWERS:
            new = key not in thread.answered
            thread.answered.add(key)
            if account is not None:
                account.answers += new
        if account is None:
            return
        account.mentions += 1
        account.negative += critical
        if at_ms >= account.last_ms:
            account.last_ms = at_ms
            account.followers = author.followers
            account.handle = author.handle or account.handle

    def _open(self, key: int, mention: Mention, name: str, at_ms: int) -> Account:
        author = mention.author
        account = Account(
            name,
            mention.platform,
            author.handle if author else None,
            author.followers if author else None,
            at_ms,
            at_ms,
        )
        if len(self._accounts) >= _SLACK * self._capacity:
            self._let_go()
        self._accounts[key] = account
        return account

    def _let_go(self) -> None:
        """Forget those with support on the fewest days of late, and of these the most idle."""

        def standing(key: int) -> tuple[int, int, int]:
            account = self._accounts[key]
            days = days_of(account, self.now_ms).bit_count()
            return days + (account.back and days > 0), account.last_ms, key

        order = sorted(self._accounts, key=standing)
        for key in order[: len(order) - self._capacity]:
            del self._accounts[key]
            self.dropped += 1

    def _thread(
        self, mention: Mention, account: int, at_ms: int, *, critical: bool
    ) -> _Thread | None:
        """The critical thread that a mention belongs to; criticism begins one."""
        thread = None
        if mention.in_reply_to:
            parent = hash64(f"{mention.platform}|{mention.in_reply_to}")
            thread = self._threads.get(parent) or self._older.get(parent)
        if thread is None and critical:
            thread = _Thread(account, at_ms)
        if thread is not None:
            self._threads[hash64(f"{mention.platform}|{mention.id}")] = thread
            if len(self._threads) >= _MOST_THREADS:
                self._older, self._threads = self._threads, {}
        return thread


def days_of(account: Account, now_ms: int) -> int:
    """Its days with support, as bits, without those that are too long ago."""
    ago = min(max(now_ms // DAY_MS - account.day, 0), _DAYS)
    return account.days & ((1 << (_DAYS - ago)) - 1)


def advocate_of(account: Account, now_ms: int) -> Advocate | None:
    """The account as an advocate, if it is one."""
    days = days_of(account, now_ms)
    if days.bit_count() < LEAST_DAYS or _span(days) < LEAST_SPAN_DAYS:
        return None
    share = (account.supportive + 1) / (account.supportive + account.negative + 2)
    held_days = (account.last_ms - account.first_ms) / DAY_MS + 1
    if share < LEAST_POSITIVE or account.mentions > MOST_A_DAY * held_days:
        return None
    if account.most_a_day > _BURST_SHARE * account.supportive:
        return None
    return Advocate(
        account=account.shown,
        platform=account.platform,
        handle=account.handle,
        followers=account.followers,
        days=days.bit_count(),
        supportive=account.supportive,
        positive_share=round(account.supportive / (account.supportive + account.negative), 4),
        answers=account.answers,
        first_ms=account.first_ms,
        last_ms=account.last_ms,
    )


def _span(days: int) -> int:
    """Days from the first to the last of them, both included."""
    return days.bit_length() - ((days & -days).bit_length() - 1)
