"""Allow and block lists: what somebody has judged comes before what a detector says."""

from __future__ import annotations

import re
from collections.abc import Sequence

from models.impersonation.urls import parse_url
from models.records import Author, Brand, Judgement, Listed

_PLAIN = re.compile(
    r"https?://(?![a-z0-9.-]*xn--)([a-z0-9-]+(?:\.[a-z0-9-]+)*)(?:[:/?#][ -?A-\[\]-~]*)?\Z",
    re.IGNORECASE | re.ASCII,
)

Entry = tuple[int, Listed]  # index of the brand, and what somebody says


class Lists:
    """The lists of all brands, by what they name.

    Parameters
    ----------
    brands : sequence of Brand
        With the lists of the configuration.
    added : sequence of Judgement, optional
        What was judged since; entries of other brands are passed over.

    Examples
    --------
    >>> known = Listed(handle="acme_fans", owner="Sara", reason="our fan club")
    >>> lists = Lists([Brand(id="acme", names=("Acme",), allow=(known,))])
    >>> lists.allows_account(0, Author(handle="@Acme_Fans"), "x", 0)
    True
    """

    def __init__(self, brands: Sequence[Brand], added: Sequence[Judgement] = ()) -> None:
        allowed = [(i, each) for i, b in enumerate(brands) for each in b.allow]
        blocked = [(i, each) for i, b in enumerate(brands) for each in b.block]
        index = {brand.id: i for i, brand in enumerate(brands)} if added else {}
        for one in added:
            if one.brand in index:
                into = allowed if one.list == "allow" else blocked
                into.append((index[one.brand], one.listed))
        self._allowed, self._blocked = _Index(allowed), _Index(blocked)

    def allows_account(self, brand: int, author: Author, platform: str, at_ms: int) -> bool:
        """Whether the brand's list says that an account is known and harmless."""
        found = self._allowed.account(author, platform)
        return any(i == brand for i, _ in _valid(found, at_ms))

    def allows_domain(self, brand: int, host: str, at_ms: int) -> bool:
        """The same of a host or what is above it."""
        return any(i == brand for i, _ in _valid(self._allowed.domain(host), at_ms))

    def blocked_account(self, author: Author, platform: str, at_ms: int) -> list[Entry]:
        """Who says that an account is to be flagged."""
        return _valid(self._blocked.account(author, platform), at_ms)

    def blocked_domain(self, host: str, at_ms: int) -> list[Entry]:
        """Who says that a host, or what is above it, is to be flagged."""
        return _valid(self._blocked.domain(host), at_ms)

    @property
    def blocks_accounts(self) -> bool:
        """Whether any account is blocked: most have no list, and need not be asked."""
        return self._blocked.holds_accounts

    @property
    def blocks_domains(self) -> bool:
        """Whether any domain is blocked."""
        return self._blocked.holds_domains

    def may_block_account(self, author: Author, platform: str) -> bool:
        """Whether `blocked_account` can tell of an account at any time: quick."""
        return bool(self._blocked.account(author, platform))

    def may_block_link(self, link: str) -> bool:
        """Whether `blocked_domain` can tell of a link's host at any time: quick.

        Only a host that is written plainly is read here; any other may lead anywhere.
        """
        plain = _PLAIN.match(link)
        return plain is None or bool(self._blocked.domain(plain[1].lower()))


class _Index:
    def __init__(self, entries: Sequence[Entry]) -> None:
        self._accounts: dict[tuple[str, str], list[Entry]] = {}
        self._domains: dict[str, list[Entry]] = {}
        for entry in entries:
            listed = entry[1]
            if listed.domain:
                url = parse_url(listed.domain)
                host = url.host if url else listed.domain.lower()
                self._domains.setdefault(host, []).append(entry)
            elif listed.handle:
                self._add("handle", _bare(listed.handle), entry)
            else:
                self._add((listed.platform or "").casefold(), listed.account or "", entry)
        self.holds_accounts = bool(self._accounts)
        self.holds_domains = bool(self._domains)

    def _add(self, kind: str, name: str, entry: Entry) -> None:
        self._accounts.setdefault((kind, name), []).append(entry)

    def account(self, author: Author, platform: str) -> list[Entry]:
        if not self._accounts:
            return []
        found = list(self._accounts.get((platform.casefold(), author.id or ""), ()))
        for entry in self._accounts.get(("handle", _bare(author.handle or "")), ()):
            # a handle may be listed for one platform alone
            if (entry[1].platform or platform).casefold() == platform.casefold():
                found.append(entry)
        return found

    def domain(self, host: str) -> list[Entry]:
        found: list[Entry] = []
        while host and self._domains:
            found += self._domains.get(host, ())
            host = host.partition(".")[2]
        return found


def _valid(entries: list[Entry], at_ms: int) -> list[Entry]:
    return [e for e in entries if e[1].until_ms is None or at_ms < e[1].until_ms]


def _bare(handle: str) -> str:
    return handle.strip().removeprefix("@").lower()
