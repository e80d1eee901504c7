"""Which brands the author and the links of a mention resemble: what stage score tells of it.

Pure and without memory but for caches: what was seen before is the business of stage detect.
Most authors and hosts are nobody's look-alikes, and the checkers say so in a moment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import chain, islice

from models.impersonation.brand_names import names_of
from models.impersonation.findings import Finding, Reason, Suspect, points_of
from models.impersonation.host_labels import BRIEF, GLANCE, WHOLE, effort_for
from models.impersonation.impostor import ImpostorChecker
from models.impersonation.intent import intents
from models.impersonation.likeness import NameIndex
from models.impersonation.links import LinkChecker
from models.impersonation.listed import Lists
from models.impersonation.urls import Url, parse_url
from models.records import Author, Brand, Judgement, Mention

CARRIED = 0.1  # the score from which an account goes on: a copied picture may still decide
CARRIED_LINK = 0.3
BLOCKED = "blocked"
_ITS_OWN = ("same_name", "split_name")  # such a domain is the brand's, if none is configured
BLOCKED_POINTS = 3.0
_MOST_LINKS = 10  # of a mention
_URL_CHARS = 300
_BIOGRAPHY_CHARS = 600
_WHO_CHARS = 200
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'\u00ab\u00bb\u060c\u061b]+", re.IGNORECASE)
_TRAILING = ".,;:!?)]}…\u061f"
_ADDRESSED = re.compile(r"\s*[\u200e\u200f\u2066-\u2069]*@([\w.-]{1,100})")

_NOBODY = Author()
_WORTH_A_BATCH = 8  # mentions from which on ruling them out together is quicker

Found = tuple[int, Suspect]  # index of the brand


class SuspectFinder:
    """Checks authors and links of mentions against all brands.

    Parameters
    ----------
    brands : sequence of Brand

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> from models.records import Author
    >>> finder = SuspectFinder([Brand(id="acme", names=("Acmezon",), handles=("acmezon",))])
    >>> mention = Mention(id="1", platform="x", published_at=datetime(2026, 1, 1, tzinfo=UTC),
    ...     text="DM us your card number", author=Author(id="7", handle="acmezon_help"))
    >>> [(brand, s.kind, s.points, s.intents[0].code) for brand, s in finder.find(mention)]
    [(0, 'account', 1.3, 'asks_card')]
    """

    def __init__(self, brands: Sequence[Brand]) -> None:
        self._brand = {brand.id: i for i, brand in enumerate(brands)}
        index = NameIndex(names_of(brands))
        self._links = LinkChecker(brands, index)
        self._accounts = ImpostorChecker(brands, index, self._links)
        self._watched = brands
        self._lists = Lists(brands)
        self._has_domain = [bool(brand.domains) for brand in brands]
        intents(["."])  # its tables are built at first use

    def relist(self, added: Sequence[Judgement]) -> None:
        """Take other lists beside those of the configuration; from any thread."""
        self._lists = Lists(self._watched, added)

    def find(self, mention: Mention) -> list[Found]:
        """Suspects of one mention, at most one account and one domain a brand and host."""
        return self._find(mention, self._lists)

    def find_many(self, mentions: Sequence[Mention]) -> dict[int, list[Found]]:
        """Suspects of each mention that has any, by its index; most are ruled out together."""
        lists = self._lists  # the same for the whole batch
        likely: Iterable[int] = range(len(mentions))
        if len(mentions) >= _WORTH_A_BATCH:
            likely = sorted(
                {*self._likely_authors(mentions, lists), *self._likely_links(mentions, lists)}
            )
        every = ((i, self._find(mentions[i], lists)) for i in likely)
        return {i: found for i, found in every if found}

    def _likely_authors(self, mentions: Sequence[Mention], lists: Lists) -> list[int]:
        authors = [mention.author or _NOBODY for mention in mentions]
        likely = self._accounts.candidates(authors)
        if lists.blocks_accounts:
            likely += [
                i
                for i, mention in enumerate(mentions)
                if lists.may_block_account(authors[i], mention.platform)
            ]
        return likely

    def _likely_links(self, mentions: Sequence[Mention], lists: Lists) -> list[int]:
        shown = {
            i: _links_of(mention)
            for i, mention in enumerate(mentions)
            if mention.links or _has_url(mention.text)
        }
        likely: list[int] = []
        for effort in (WHOLE, BRIEF, GLANCE):
            these = {i: links for i, links in shown.items() if effort_for(len(links)) == effort}
            if not these:
                continue
            found = self._links.check_many(list(chain.from_iterable(these.values())), effort)
            rows = chain.from_iterable([i] * len(links) for i, links in these.items())
            likely += [i for i, each in zip(rows, found) if each.brand is not None]
        if lists.blocks_domains:
            likely += [i for i, ls in shown.items() if any(map(lists.may_block_link, ls))]
        return likely

    def _find(self, mention: Mention, lists: Lists) -> list[Found]:
        found: list[Found] = []
        if mention.author is not None:
            found += self._of_author(mention, lists)
        if mention.links or _has_url(mention.text):
            found += self._of_links(mention, lists)
        return _with_words(found, mention) if found else found

    def _of_author(self, mention: Mention, lists: Lists) -> list[Found]:
        author, platform = mention.author, mention.platform
        assert author is not None
        at = mention.published_at
        finding = self._accounts.check(author, platform=platform, at=at)
        if finding.score < CARRIED and not lists.blocks_accounts:
            return []
        at_ms = round(at.timestamp() * 1000)
        reasons = _by_brand(finding, self._brand, CARRIED)
        reasons = {
            brand: why
            for brand, why in reasons.items()
            if not lists.allows_account(brand, author, platform, at_ms)
        }
        for brand, listed in lists.blocked_account(author, platform, at_ms):
            reasons[brand] = _blocked(reasons.get(brand), f"{listed.owner}: {listed.reason}")
        who = f"{platform.casefold()}\0{author.id or _bare(author.handle or author.name or '')}"
        return [
            (
                brand,
                Suspect(
                    kind="account",
                    who=who[:_WHO_CHARS],
                    points=points,
                    reasons=why,
                    biography=author.bio and author.bio[:_BIOGRAPHY_CHARS],
                    avatar=author.avatar_phash,
                ),
            )
            for brand, (points, why) in reasons.items()
        ]

    def _of_links(self, mention: Mention, lists: Lists) -> list[Found]:
        at_ms = round(mention.published_at.timestamp() * 1000)
        best: dict[tuple[int, str], Suspect] = {}
        links = _links_of(mention)
        for text, finding in zip(links, self._links.check_many(links, effort_for(len(links)))):
            if finding.brand is None and not lists.blocks_domains:
                continue
            url = parse_url(text)
            if url is None:
                continue
            for brand, (points, why) in self._judged(finding, url, at_ms, lists).items():
                known = best.get((brand, url.domain))
                if known is None or known.points < points:
                    best[brand, url.domain] = Suspect(
                        kind="domain",
                        who=url.domain[:_WHO_CHARS],
                        points=points,
                        reasons=why,
                        url=text[:_URL_CHARS],
                    )
        return [(brand, suspect) for (brand, _), suspect in best.items()]

    def _judged(
        self, finding: Finding, url: Url, at_ms: int, lists: Lists
    ) -> dict[int, tuple[float, tuple[Reason, ...]]]:
        found = {
            brand: why
            for brand, why in _by_brand(finding, self._brand, CARRIED_LINK).items()
            if not lists.allows_domain(brand, url.host, at_ms)
            and (self._has_domain[brand] or why[1][0].code not in _ITS_OWN)
        }
        for brand, listed in lists.blocked_domain(url.host, at_ms):
            found[brand] = _blocked(found.get(brand), f"{listed.owner}: {listed.reason}")
        return found


def profile(mention: Mention) -> Suspect | None:
    """The profile of a brand's own account, as its post shows it, if it shows anything."""
    author = mention.author
    if author is None or not (author.bio or author.avatar_phash):
        return None
    who = f"{mention.platform.casefold()}\0{author.id or _bare(author.handle or '')}"
    biography = author.bio and author.bio[:_BIOGRAPHY_CHARS]
    return Suspect("official", who[:_WHO_CHARS], biography=biography, avatar=author.avatar_phash)


def mention_key(platform: str, id_: str) -> int:
    """Hash of platform and id, by which a mention counts once."""
    name = f"{platform}\0{id_}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(name, digest_size=8).digest(), "little")


def _with_words(found: list[Found], mention: Mention) -> list[Found]:
    """The same with what the text asks for, and whom it answers."""
    asked = intents([mention.text])[0].reasons
    addressed = _ADDRESSED.match(mention.text)
    handle = addressed[1].lower() if addressed else None
    told: list[Found] = []
    for brand, suspect in found:
        is_account = suspect.kind == "account"
        answered = mention.in_reply_to if is_account else None
        victim = f"@{handle}" if handle else answered
        told.append(
            (
                brand,
                Suspect(
                    suspect.kind,
                    suspect.who,
                    suspect.points,
                    suspect.reasons,
                    asked,
                    suspect.url,
                    mention_key(mention.platform, answered) if answered else None,
                    mention_key(mention.platform, victim) if answered and victim else None,
                    suspect.biography,
                    suspect.avatar,
                ),
            )
        )
    return told


def _has_url(text: str) -> bool:
    return "://" in text or "www." in text


def _links_of(mention: Mention) -> Sequence[str]:
    """The links that the platform tells of, where they lead, else those in the text."""
    if mention.links:
        return mention.links[:_MOST_LINKS]
    found = islice(_URL.finditer(mention.text), _MOST_LINKS)
    return [link[0].rstrip(_TRAILING) for link in found]


def _by_brand(
    finding: Finding, brands: dict[str, int], least: float
) -> dict[int, tuple[float, tuple[Reason, ...]]]:
    if finding.brand is None or finding.score < least:
        return {}
    return {brands[finding.brand]: (points_of(finding.score), finding.reasons)}


def _blocked(
    known: tuple[float, tuple[Reason, ...]] | None, why: str
) -> tuple[float, tuple[Reason, ...]]:
    points, reasons = known or (0.0, ())
    return max(points, BLOCKED_POINTS), (Reason(BLOCKED, BLOCKED_POINTS, why[:200]), *reasons)


def _bare(handle: str) -> str:
    return handle.strip().removeprefix("@").lower()
