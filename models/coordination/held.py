"""What a window keeps of a mention and of who posted it."""

from __future__ import annotations

from msgspec import Struct

from models.coordination.text import Text
from models.coordination.trace import Quote, Trace
from models.coordination.traces import hash64
from models.records import Author


class Account(Struct, eq=False, gc=False):
    """Who posted, as far as the platform tells."""

    shown: str
    handle: str | None
    created_ms: int | None
    platform: str = ""
    id: int = 0
    held: int = 0

    @property
    def numbered(self) -> bool:
        """Whether its handle ends in a row of digits."""
        handle = self.handle
        return handle is not None and len(handle) > 4 and handle[-4:].isdigit()


def account_of(author: Author, name: str, platform: str) -> Account:
    """Who posts under a name for the first time."""
    created = author.created_at
    created_ms = int(created.timestamp() * 1000) if created else None
    known = hash64(f"{platform}|{name}") >> 1  # in 63 bits, as traces hold it
    return Account(name, author.handle, created_ms, platform, known)


class Held(Struct, eq=False, gc=False):
    """A mention that others may share something with; nothing that it holds leads back to it."""

    id: str
    account: Account
    at_ms: int
    text: str  # as much as is shown of it
    repost: bool
    keys: tuple[int, ...]
    link: int | None
    said: Text | None  # if it tells enough to be compared
    trace: Trace | None = None  # of its text
    quoted: Quote | None = None

    def quote(self) -> Quote:
        """The mention as evidence; made when there is something to prove."""
        if self.quoted is None:
            self.quoted = Quote(self.id, self.account.id, self.at_ms, self.text, self.repost)
        return self.quoted
