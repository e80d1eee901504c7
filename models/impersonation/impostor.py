"""Accounts that pose as a brand: handle, display name, avatar and biography against its own.

Each reason has a stable code and a weight in points (`WEIGHTS`).  What is said of the handle
counts once, the weightiest, what is said of the name as well; the weaker of the two counts a
quarter, since one look-alike is enough.  Circumstances are added, and what speaks against a
disguise (a parody that says so, a journalist's biography, a verified account) is taken off.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from models.impersonation.account_bio import MAX_BIO_CHARS, is_hiding, of_biography
from models.impersonation.account_names import MAX_CHARS, AccountNames, Seen
from models.impersonation.confusables import fold
from models.impersonation.copied import is_copied, same_picture
from models.impersonation.findings import BALANCED, NOTHING, Finding, Tally, score_of
from models.impersonation.likeness import NameIndex
from models.impersonation.links import LinkChecker
from models.records import Author, Brand

WEIGHTS: Mapping[str, float] = MappingProxyType({
    # the handle: the weightiest counts
    "handle_homoglyph": 1.5, "handle_support": 1.3, "handle_credential": 1.2, "handle_typo": 1.2,
    "handle_same": 1.1, "handle_padded": 1.1, "handle_sound": 0.9, "handle_company": 0.7,
    "handle_commerce": 0.5, "handle_place": 0.4, "handle_topic": 0.2, "handle_part": 0.2,
    # the name: the weightiest counts
    "name_homoglyph": 1.3, "name_support": 1.2, "name_same": 1.1, "name_typo": 1.1,
    "name_credential": 1.0, "name_sound": 0.9, "name_company": 0.7, "name_commerce": 0.5,
    "name_place": 0.4, "name_padded": 0.6, "name_topic": 0.2, "name_part": 0.2,
    # circumstances: added
    "avatar_copied": 0.8, "biography_copied": 0.6, "biography_names": 0.6,
    "links_to_look_alike": 0.8, "claims_to_be_official": 0.4, "name_of_a_desk": 0.4,
    "renamed": 0.4, "hidden_characters": 0.3, "new_account": 0.2, "few_followers": 0.1,
    "not_verified": 0.05,
    # what speaks against it
    "says_it_is_not": -2.0, "speaks_for_itself": -0.6, "verified": -0.4, "many_followers": -0.3,
})  # fmt: skip
_UNKNOWN = 0.6  # where no official handle is known, this may well be the brand's own account
_REMEMBERED = 1 << 17
_WORTH_A_BATCH = 8  # new accounts from which on ruling them out together is quicker
_MIN_TELLING, _TELLING = 8, 1.7  # letters of a name that says who is meant whatever is added
_NEARLY = 0.8
_BOTH = 0.25  # of the weaker of handle and name
_NEW_DAYS = 60
_FEW_FOLLOWERS, _MANY_FOLLOWERS = 100, 20_000
_HOW = {"same": "same", "shape": "homoglyph", "typo": "typo", "typos": "typo",
        "sound": "sound", "faint": "sound"}  # fmt: skip
_FAINT = 0.7


class ImpostorChecker:
    """Judges accounts against all brands at once.

    Parameters
    ----------
    brands : sequence of Brand
        Handles and accounts tell which are official; those are never flagged.
    index : NameIndex, optional
        Of `names_of` these brands, where there is one.
    links : LinkChecker, optional
        Judges the link of a profile, too, where the account is like a brand's or names nobody.

    Examples
    --------
    >>> brand = Brand(id="acme", names=("Acmezon",), handles=("acmezon",))
    >>> checker = ImpostorChecker([brand])
    >>> found = checker.check(Author(id="1", handle="acmezon_help", name="Acmezon Support"))
    >>> found.brand, [reason.code for reason in found.reasons]
    ('acme', ['handle_support', 'name_support'])
    >>> checker.check(Author(id="2", handle="acmezon", name="Acmezon")).score
    0.0
    """

    def __init__(
        self,
        brands: Sequence[Brand],
        index: NameIndex | None = None,
        links: LinkChecker | None = None,
    ) -> None:
        self._brands = tuple(brands)
        self._links = links
        self._at = {brand.id: i for i, brand in enumerate(brands)}
        self._names = AccountNames(brands, index)
        self._handles = {
            handle.removeprefix("@").lower()
            for brand in brands
            for handle in (*brand.handles, *(a.handle for a in brand.accounts if a.handle))
        }
        self._has_handle = [
            bool(brand.handles) or any(a.handle for a in brand.accounts) for brand in brands
        ]
        self._ids = {(a.platform, a.id) for brand in brands for a in brand.accounts}
        self._profiles: dict[int, Author] = {}
        # handles and names like those of no brand
        self._quiet_handles: set[str | None] = set()
        self._quiet_names: set[str | None] = set()

    def is_official(self, author: Author, platform: str | None = None) -> bool:
        """Whether a brand runs the account: by its id on the platform, else by its handle."""
        if platform is not None and (platform, author.id) in self._ids:
            return True
        return author.handle is not None and _bare(author.handle) in self._handles

    def learn(self, author: Author) -> None:
        """Keep the profile of an official account: avatars and biographies are compared with it."""
        for i, brand in enumerate(self._brands):
            own = (*brand.handles, *(a.handle for a in brand.accounts if a.handle))
            if author.handle and _bare(author.handle) in map(_bare, own):
                self._profiles[i] = author

    def check(
        self,
        author: Author,
        *,
        platform: str | None = None,
        at: datetime | None = None,
        earlier_handle: str | None = None,
    ) -> Finding:
        """Judge one account.

        Parameters
        ----------
        author : Author
            What the platform gave; all of it may be missing.
        platform : str, optional
            Where the account is, to know official ones by their id.
        at : datetime, optional
            When it was seen, to tell its age.
        earlier_handle : str, optional
            The handle under which the same id was known before.
        """
        is_nobody = author.handle in self._quiet_handles and author.name in self._quiet_names
        if is_nobody and not self._profiles:
            return NOTHING
        if self.is_official(author, platform):
            return NOTHING
        tallies = self._read(author)
        is_desk = self._names.is_desk(author.name or "")
        if not tallies and not self._profiles:
            _remember(self._quiet_handles, _short(author.handle))
            _remember(self._quiet_names, () if is_desk else _short(author.name))
        self._note_profiles(author, tallies)
        if is_desk:
            self._note_named(author, tallies)
        if tallies or is_desk:
            self._note_link(author, tallies)
        if not tallies:
            return NOTHING
        about = Tally(WEIGHTS)  # once, however many brands it may be
        for code, shown in _circumstances(author, at):
            about.add(code, shown)
        if is_desk:
            about.add("name_of_a_desk", author.name or "")
        if earlier_handle and _bare(earlier_handle) != _bare(author.handle or ""):
            about.add("renamed", earlier_handle)
        points, brand = max((_points(tally, about), -brand) for brand, tally in tallies.items())
        best = tallies[-brand]
        best.reasons |= about.reasons
        return Finding(self._brands[-brand].id, score_of(points), best.shown())

    def _note_link(self, author: Author, tallies: dict[int, Tally]) -> None:
        """Whose domain the link of a profile imitates."""
        if self._links is None or not author.url:
            return
        found = self._links.check(author.url)
        if found.brand is not None and found.score >= BALANCED:
            tally = tallies.setdefault(self._at[found.brand], Tally(WEIGHTS))
            tally.add("links_to_look_alike", author.url)

    def _read(self, author: Author) -> dict[int, Tally]:
        """Names in handle and display name, by the index of their brand."""
        tallies: dict[int, Tally] = {}
        texts: dict[str, str] = {}
        if author.handle not in self._quiet_handles:
            texts["handle"] = _bare(author.handle or "")
        if author.name not in self._quiet_names:
            texts["name"] = author.name or ""
        for field, text in texts.items():
            for seen in self._names.read(text, is_handle=field == "handle"):
                self._note(seen, field, text, tallies)
        return tallies

    def check_many(self, authors: Sequence[Author]) -> list[Finding]:
        """Judge accounts, in order."""
        found = [NOTHING] * len(authors)
        for i in self.candidates(authors):
            found[i] = self.check(authors[i])
        return found

    def candidates(self, authors: Sequence[Author]) -> list[int]:
        """Indexes of accounts that may resemble a brand; `check` finds nothing of the others."""
        if self._profiles:
            return list(range(len(authors)))
        handles = list({author.handle for author in authors}.difference(self._quiet_handles))
        names = list({author.name for author in authors}.difference(self._quiet_names))
        if len(handles) + len(names) >= _WORTH_A_BATCH:
            texts = [text or "" for text in (*handles, *names)]
            near, first = self._names.near(texts), len(handles)
            _remember(self._quiet_handles, [h for i, h in enumerate(handles) if i not in near])
            _remember(self._quiet_names, [n for i, n in enumerate(names, first) if i not in near])
        quiet_handles, quiet_names = self._quiet_handles, self._quiet_names
        return [
            i
            for i, author in enumerate(authors)
            if author.handle not in quiet_handles or author.name not in quiet_names
        ]

    def _note(self, seen: Seen, field: str, text: str, tallies: dict[int, Tally]) -> None:
        tally = tallies.setdefault(seen.name.brand, Tally(WEIGHTS))
        code, factor = _code_of(seen, field)
        beside = seen.how == "same" and seen.role in ("company", "commerce", "place")
        if beside and not text.isascii() and _is_other_script(text):
            code, factor = f"{field}_homoglyph", 0.85 * factor
        elif code == "name_same" and not self._names.is_as_written(text) and _is_disguised(text):
            code = "name_homoglyph"
        elif code == "handle_same" and not text.isascii() and not self._names.is_as_written(text):
            code = "handle_homoglyph"
        if not self._has_handle[seen.name.brand] and (
            code == "handle_same" or (code == "name_same" and "handle_same" in tally.reasons)
        ):
            factor *= _UNKNOWN
        tally.add(code, text, factor)

    def _note_named(self, author: Author, tallies: dict[int, Tally]) -> None:
        """Whose name stands in a biography, where the display name names nobody."""
        biography = (author.bio or "")[:MAX_BIO_CHARS]
        for brand, name in self._names.named_in(biography).items():
            tallies.setdefault(brand, Tally(WEIGHTS)).add("biography_names", name.text)

    def _note_profiles(self, author: Author, tallies: dict[int, Tally]) -> None:
        for brand, official in self._profiles.items():
            if same_picture(author.avatar_phash, official.avatar_phash):
                tallies.setdefault(brand, Tally(WEIGHTS)).add("avatar_copied")
            if is_copied(author.bio, official.bio):
                tallies.setdefault(brand, Tally(WEIGHTS)).add("biography_copied")


def _remember(known: set[str | None], more: Collection[str | None]) -> None:
    if len(known) + len(more) > _REMEMBERED:
        known.clear()
    known.update(more)


def _short(text: str | None) -> tuple[str | None, ...]:
    """A text to be remembered, unless it takes more room than judging its begin again is worth."""
    return (text,) if text is None or len(text) <= MAX_CHARS else ()


def _bare(handle: str) -> str:
    return handle.strip().removeprefix("@").lower()


def _code_of(seen: Seen, field: str) -> tuple[str, float]:
    """The reason that a name is, and how much of its weight counts."""
    name, how = seen.name, _HOW[seen.how]
    size = len(name.text)
    weak = 0.5 if name.is_plain or size < 4 else 0.7 if name.is_name_too and size < 6 else 1.0
    if seen.how == "faint":
        weak *= _FAINT
    if seen.role in ("support", "credential"):
        heard = 0.85 * _FAINT if seen.how == "faint" else 0.85
        return f"{field}_{seen.role}", heard if how == "sound" else 1.0
    if seen.role in ("company", "commerce", "place", "topic"):
        strong = how in ("homoglyph", "typo") and seen.role != "topic"
        return (f"{field}_{how}", 0.85 * weak) if strong else (f"{field}_{seen.role}", weak)
    if seen.role == "names":
        return f"{field}_same", 1.0
    if seen.role in ("digits", "letter"):
        telling = field == "name" and weak == 1.0 and size >= _MIN_TELLING
        return f"{field}_padded", _TELLING if telling else weak
    if seen.role in ("unknown", "other"):
        return f"{field}_part", weak
    if how == "homoglyph":
        return f"{field}_homoglyph", 0.7 if size < 4 else 1.0
    return f"{field}_{how}", weak


def _points(tally: Tally, about: Tally) -> float:
    """Handle and name: the weightier whole, the other a quarter; the rest is added.

    So is what is said of the account, whatever brand it is like.
    """
    handle = name = rest = 0.0
    for code, reason in tally.reasons.items():
        if code.startswith("handle_"):
            handle = max(handle, reason.weight)
        elif code.startswith("name_"):
            name = max(name, reason.weight)
        else:
            rest += reason.weight
    claim = about.reasons.get("claims_to_be_official")
    if claim and not rest and max(handle, name) < _NEARLY:
        rest -= claim.weight  # another company with a word of the name may well be official
    for reason in about.reasons.values():
        rest += reason.weight
    return max(handle, name) + _BOTH * min(handle, name) + rest


def _circumstances(author: Author, at: datetime | None) -> Iterator[tuple[str, str]]:
    """Reasons that speak of the account and of no brand, each with what shows it."""
    if author.verified:
        yield "verified", ""
    elif author.verified is not None:
        yield "not_verified", ""
    if author.followers is not None:
        if author.followers < _FEW_FOLLOWERS:
            yield "few_followers", str(author.followers)
        elif author.followers >= _MANY_FOLLOWERS:
            yield "many_followers", str(author.followers)
    if at and author.created_at and (at - author.created_at).days < _NEW_DAYS:
        yield "new_account", f"{(at - author.created_at).days} days"
    shown = f"{author.name or ''} {author.handle or ''}"[: 2 * MAX_CHARS]
    if is_hiding(shown):
        yield "hidden_characters", ""
    yield from of_biography(author.bio or "", shown)


def _is_disguised(text: str) -> bool:
    """Whether letters are of another script, another form or stretched, not merely accented."""
    return not text.isascii() and (
        is_hiding(text) or "\u0640" in text or unicodedata.normalize("NFKC", text) != text
        or any("\u0620" <= c <= "\u06ff" for c in text)
        or letters_differ(text)
    )  # fmt: skip


def _is_other_script(text: str) -> bool:
    """Whether Latin is imitated with letters of other scripts."""
    return letters_differ(text) and any(map(str.isascii, filter(str.isalpha, text)))


def letters_differ(text: str) -> bool:
    """Whether folding changes letters beyond case and accents.

    Examples
    --------
    >>> letters_differ("Nestlé"), letters_differ("Nеstle")
    (False, True)
    """
    plain = unicodedata.normalize("NFKD", text.lower())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return not plain.isascii() and fold([text])[0].isascii()
