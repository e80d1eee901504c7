"""What a window keeps of a mention."""

from __future__ import annotations

from msgspec import Struct

from models.coordination.accounts import Account
from models.coordination.text import Text
from models.coordination.trace import Quote, Trace


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
            who = self.account.identified()
            self.quoted = Quote(self.id, who, self.at_ms, self.text, self.repost)
        return self.quoted
