"""Who posted what a window holds."""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct

from models.coordination.traces import hash64
from models.records import Author, Mention

_MOST_LEFT = 32_768


class Account(Struct, eq=False, gc=False):
    """Who posted, as far as the platform tells."""

    shown: str
    handle: str | None
    created_ms: int | None
    platform: str = ""
    numbered: bool = False  # whether its handle ends in a row of digits
    held: int = 0
    early: bool = False  # whether a mention of it went before its time
    id: int = 0  # none before it shares something

    def identified(self) -> int:
        """Its number, the same in every process; in 63 bits, as traces hold it."""
        if not self.id:
            self.id = number_of(self.platform, self.shown)
        return self.id


class Accounts:
    """Accounts that posted what is held.

    Attributes
    ----------
    sharing : dict
        Those who share something, by number.
    numbered : int
        How many have a handle that ends in a row of digits.
    """

    def __init__(self) -> None:
        self.sharing: dict[int, Account] = {}
        self.numbered = 0
        self._names: dict[tuple[str, str], Account] = {}  # by platform
        # what they shared may still tell
        self._left: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._names)

    def posting(self, mention: Mention, name: str) -> Account:
        """Who posts a mention, counted as one that is held."""
        named = mention.platform, name
        known = self._names.get(named)
        if known is None:
            assert mention.author is not None  # it has a name
            known = self._names[named] = _account(mention.author, name, mention.platform)
            self.numbered += known.numbered
            if self._left and named in self._left:
                del self._left[named]
                self.share(known)
        known.held += 1
        return known

    def share(self, account: Account) -> None:
        """Let an account be found by its number."""
        self.sharing[account.identified()] = account

    def let_go(self, account: Account, early: bool) -> None:
        """Take note that one of its mentions is not held any more, perhaps before its time."""
        account.held -= 1
        account.early |= early
        if account.held:
            return
        self.numbered -= account.numbered
        del self._names[account.platform, account.shown]
        if account.id:
            if self.sharing.get(account.id) is account:
                del self.sharing[account.id]
            if account.early:
                self._left[account.platform, account.shown] = None
                if len(self._left) > _MOST_LEFT:
                    self._left.popitem(last=False)


def name_of(mention: Mention) -> str | None:
    """How its account is told from others of the platform; none or empty if it is not told."""
    author = mention.author
    return None if author is None else author.id or author.handle


def number_of(platform: str, name: str) -> int:
    """The number of an account, the same in every process."""
    return hash64(f"{platform}|{name}") >> 1


def _account(author: Author, name: str, platform: str) -> Account:
    handle, created = author.handle, author.created_at
    created_ms = int(created.timestamp() * 1000) if created else None
    numbered = handle is not None and len(handle) > 4 and handle[-4:].isdigit()
    return Account(name, handle, created_ms, platform, numbered)
