"""Who is known to say what others say, and makes no group suspect: syndicators, ambassadors.

An entry is a handle (``@acme_fan``), an account (``x:12345``) or a domain (``reuters.com``), of
which a post with a link to it counts.  Whoever links to such a domain is passed over, so only
domains that others cannot write to belong here.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.coordination.traces import canonical_link, links_in
from models.kept import Kept


class Allies:
    """The allies of one brand.

    Parameters
    ----------
    entries : sequence of str

    Examples
    --------
    >>> Allies(["@fan", "x:7", "wire.example"]).handles
    frozenset({'fan'})
    """

    def __init__(self, entries: Sequence[str]) -> None:
        handles, accounts, domains = set(), set(), set()
        for entry in (e.strip() for e in entries):
            if entry.startswith("@"):
                handles.add(entry[1:].lower())
            elif ":" in entry:
                accounts.add(entry)
            else:
                domains.add(entry.lower().removeprefix("www."))
        self.handles, self.accounts = frozenset(handles), frozenset(accounts)
        self.domains = frozenset(domains)

    def posted(self, kept: Kept) -> bool:
        """Whether a post is theirs, or links to them."""
        if not (self.handles or self.accounts or self.domains):
            return False
        handle = (kept.handle or "").removeprefix("@").lower()
        if handle in self.handles or f"{kept.platform}:{kept.author_id}" in self.accounts:
            return True
        return bool(self.domains) and any(map(self._theirs, kept.links or links_in(kept.text)))

    def _theirs(self, link: str) -> bool:
        host = canonical_link(link).partition("/")[0].partition("?")[0].partition(":")[0]
        parts = host.rstrip(".").split(".")
        return any(".".join(parts[i:]) in self.domains for i in range(len(parts)))
