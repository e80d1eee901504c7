"""Look-alike links: hosts, paths and user parts that imitate a brand's own domains.

No look-up on the network.  Each reason has a stable code and a weight in points (`WEIGHTS`); the
reasons that say *the brand's name is in it* count once, the weightiest, and what makes a link
suspicious besides is added to that.  One point is the balanced line (`findings.score_of`).
The kinds of imitation are those of Kintis et al., "Hiding in Plain Sight: combosquatting" (CCS
2017), and of the generator dnstwist; what two labels look like is said by UTS #39.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice, pairwise
from types import MappingProxyType

from models.impersonation.brand_names import names_of
from models.impersonation.confusables import fold
from models.impersonation.findings import NOTHING, Finding, Tally, score_of
from models.impersonation.host_labels import WHOLE, Effort
from models.impersonation.likeness import Name, NameIndex
from models.impersonation.link_host import HostReader, Tallies
from models.impersonation.urls import MAX_URL_CHARS, Url, parse_url
from models.impersonation.words import lists
from models.records import Brand

WEIGHTS = MappingProxyType({
    # the name is in it: the weightiest counts
    "official_in_subdomain": 2.0, "official_in_user": 2.0, "name_in_user": 1.5,
    "homoglyph": 1.6, "typo": 1.3, "same_name": 1.2, "combosquat": 1.2,
    "name_in_subdomain": 1.2, "official_in_path": 1.1, "split_name": 1.1, "name_in_domain": 1.0,
    "typo_in_domain": 1.0, "name_in_alias": 0.8, "name_in_path": 0.4,
    # what is suspicious besides: added
    "mixed_script": 0.5, "credential_words": 0.4, "address_host": 0.5, "path_trick": 0.3,
    "cheap_suffix": 0.4, "credential_path": 0.15, "encoded_host": 0.2, "odd_port": 0.2,
    "long_host": 0.2, "shortener": 0.1,
    "restricted_suffix": -0.8,
})  # fmt: skip
_ADDED = frozenset(
    ("mixed_script", "credential_words", "address_host", "path_trick", "cheap_suffix",
     "credential_path", "encoded_host", "odd_port", "long_host", "shortener", "restricted_suffix")
)  # fmt: skip
_NAMED = frozenset(WEIGHTS) - _ADDED
_MOST_ALONE = 0.9  # points of a link without a brand: suspicious, but nobody's imitation
_PARTS = re.compile(r"[\W_]+")
_TRICK = re.compile(r"//|@|%2e|%2f|\.(?:html?|pdf|jpe?g|png|docx?)\.[a-z]{2,4}\b|\\", re.I)
_NESTED = re.compile(r"https?:(?:/|%2f)+\S*", re.IGNORECASE)
_SIMPLE = re.compile(r"https?://([a-zA-Z0-9.-]+)((?:/[^@\\\s]*)?)\Z")
# the same of many lines, with what is read of their paths, ASCII alone; of others nothing
_LINES = re.compile(
    r"^(?:https?://([a-zA-Z0-9.-]{1,300})(?:/([!-?A-\[\]-~]{0,299}+)[!-?A-\[\]-~]{0,1400}+)?+$|.*+$)",
    re.MULTILINE,
)
_MARKS = dict.fromkeys(map(ord, string.punctuation))
_WORTH_A_BATCH = 4  # links from which on reading them together is quicker
_USUAL_PORTS = ("", "80", "443")
_LONG_HOST = 60
_PATH_CHARS = 300
_MIN_PATH_NAME = 4
_SURE_NAME = 5


class LinkChecker:
    """Judges links against all brands at once.

    Parameters
    ----------
    brands : sequence of Brand
        Names, handles and domains are read; official domains, of whichever brand, are never
        flagged, nor is what is below them.
    index : NameIndex, optional
        Of `names_of` these brands, where there is one.
    remembered : int
        Hosts whose verdict is kept: streams repeat them.

    Examples
    --------
    >>> checker = LinkChecker([Brand(id="acme", names=("Acme Bank",), domains=("acmebank.sa",))])
    >>> found = checker.check("https://acmebank.sa.login-id.top/")
    >>> found.brand, found.score, found.reasons[0].code
    ('acme', 0.8564, 'official_in_subdomain')
    >>> checker.check("https://www.acmebank.sa/login").score
    0.0
    """

    def __init__(
        self,
        brands: Sequence[Brand],
        index: NameIndex | None = None,
        *,
        remembered: int = 1 << 15,
    ) -> None:
        self._ids = [brand.id for brand in brands]
        self._official = {
            url.host: i
            for i, brand in enumerate(brands)
            for url in map(parse_url, brand.domains)
            if url is not None
        }
        self._depth = 1 + max((host.count(".") for host in self._official), default=0)
        self._index = NameIndex(names_of(brands)) if index is None else index
        # official domains that are not told by a name inside of a path: ``x.com``
        marked = (host.translate(_MARKS) for host in self._official)
        self._brief = tuple(own for own in marked if not self._index.has_inside(own))
        self._hosts = HostReader(self._index, self._official, WEIGHTS)
        self._most = remembered
        self._read: dict[tuple[str, Effort], Tallies] = {}
        self._quiet: dict[str, Finding] = {}  # hosts without a name, and what is said of them

    def check(self, text: str, effort: Effort = WHOLE) -> Finding:
        """Judge one URL or host; what is neither resembles nothing.

        Parameters
        ----------
        text : str
        effort : Effort
            What of its host is looked at.
        """
        quiet = self._of_quiet_host(text)
        if quiet is not None:
            return quiet
        url = parse_url(text)
        return NOTHING if url is None else self.judge(url, effort)

    def judge(self, url: Url, effort: Effort = WHOLE) -> Finding:
        """Judge a link that was read."""
        if self.brand_of(url.host) is not None:
            return NOTHING  # whatever stands before or after: it leads to the brand itself
        tallies = self._tallies(url, effort)
        reads_path = self._may_name(url.path)
        if url.user or reads_path:
            tallies = {brand: tally.copy() for brand, tally in tallies.items()}
            self._read_user(url.user[:_PATH_CHARS], tallies, effort.names)
            self._read_path(url, tallies, effort)
        found = self._verdict(url, tallies)
        is_simple = not (url.user or url.port or url.is_address or url.is_encoded or reads_path)
        if found.brand is None and is_simple and effort == WHOLE:
            if len(self._quiet) >= self._most:
                self._quiet.clear()
            self._quiet[url.host] = found  # who finds nothing then finds nothing with less
        return found

    def _of_quiet_host(self, text: str) -> Finding | None:
        """What is known of a link to a host that resembles nothing, whose path says nothing."""
        simple = _SIMPLE.match(text) if len(text) < MAX_URL_CHARS else None
        if simple is None or self._may_name(simple[2]):
            return None
        return self._quiet.get(simple[1].lower())

    def _may_name(self, path: str) -> bool:
        """Whether a brand's name may be in a path; most paths are ruled out at once."""
        if len(path) < _MIN_PATH_NAME:
            return False
        if not path.isascii():
            return True
        path = path[1:_PATH_CHARS].lower().translate(_MARKS)
        return self._index.has_inside(path) or any(own in path for own in self._brief)

    def check_many(self, texts: Sequence[str], effort: Effort = WHOLE) -> list[Finding]:
        """Judge links, each of them once; those to hosts that are known together."""
        once = dict.fromkeys(texts)
        found = self._of_quiet_hosts(list(once))
        if len(found) == len(once):
            return [found[text] for text in texts]
        urls = {text: parse_url(text) for text in once if text not in found}
        self._read_hosts([url for url in urls.values() if url is not None], effort)
        for text, url in urls.items():
            found[text] = NOTHING if url is None else self.judge(url, effort)
        return [found[text] for text in texts]

    def _read_hosts(self, urls: Iterable[Url], effort: Effort) -> None:
        """Read the hosts that are not known yet, all at once."""
        new = {url.host: url for url in urls if (url.host, effort) not in self._read}
        unread = [url for host, url in new.items() if self.brand_of(host) is None]
        if len(self._read) + len(unread) > self._most:
            self._read.clear()
        tallies = self._hosts.read(unread, effort) if unread else ()
        self._read.update(((url.host, effort), each) for url, each in zip(unread, tallies))

    def _of_quiet_hosts(self, texts: list[str]) -> dict[str, Finding]:
        """The same of many links."""
        joined = "\n".join(texts)
        if len(texts) < _WORTH_A_BATCH or joined.count("\n") >= len(texts):
            each = ((text, self._of_quiet_host(text)) for text in texts)
            return {text: quiet for text, quiet in each if quiet is not None}
        parts = _LINES.findall(joined)
        paths = "\n".join([path for _, path in parts]).lower().translate(_MARKS)
        named = self._index.prefilter.holding(paths)
        if self._brief:
            named.update(
                i for i, path in enumerate(paths.split("\n")) if any(b in path for b in self._brief)
            )
        found: dict[str, Finding] = {}
        for i, (host, _) in enumerate(parts):
            quiet = self._quiet.get(host.lower()) if i not in named else None
            if quiet is not None:
                found[texts[i]] = quiet
        return found

    def _tallies(self, url: Url, effort: Effort) -> Tallies:
        if (url.host, effort) not in self._read:
            self._read_hosts([url], effort)
        return self._read[url.host, effort]

    def brand_of(self, host: str) -> int | None:
        """Index of the brand to whose official domains a host belongs, if to any."""
        labels = host.rsplit(".", self._depth)
        for i in range(max(len(labels) - self._depth, 0), len(labels)):
            brand = self._official.get(".".join(labels[i:]))
            if brand is not None:
                return brand
        return None

    def _verdict(self, url: Url, tallies: Tallies) -> Finding:
        suspicious = Tally(WEIGHTS)
        note_suspicious(url, suspicious, named=bool(tallies))
        if not tallies:
            points = min(suspicious.points(), _MOST_ALONE)
            return Finding(None, score_of(points), suspicious.shown()) if points else NOTHING
        points, brand = max((tally.points(_NAMED), -brand) for brand, tally in tallies.items())
        best = tallies[-brand].copy()
        best.reasons |= suspicious.reasons
        return Finding(self._ids[-brand], score_of(best.points(_NAMED)), best.shown())

    def _read_user(self, user: str, tallies: Tallies, most: int) -> None:
        for word in re.split(r"[:/%]", user, maxsplit=most)[:most]:
            brand = self.brand_of(word)
            if brand is not None:
                tallies.setdefault(brand, Tally(WEIGHTS)).add("official_in_user", user)
        for name in islice(self._names_in(user), most):
            tallies.setdefault(name.brand, Tally(WEIGHTS)).add("name_in_user", user)

    def _read_path(self, url: Url, tallies: Tallies, effort: Effort) -> None:
        if url.host.removeprefix("www.") in lists().shared_hosts:
            return
        path = _NESTED.sub("", url.path[: effort.path]).partition("?")[0]
        # of a short link the path is all there is to be read, and whoever made it chose it
        code = "name_in_alias" if url.domain in lists().shorteners else "name_in_path"
        for name in islice(self._names_in(path), 2 * effort.names):
            if not name.is_plain and not (name.is_name_too and len(name.text) < _SURE_NAME):
                tallies.setdefault(name.brand, Tally(WEIGHTS)).add(code, name.text)
        for piece in path.lower().split("/"):
            brand = self._official.get(piece.removeprefix("www."))
            if brand is not None:
                tallies.setdefault(brand, Tally(WEIGHTS)).add("official_in_path", piece)

    def _names_in(self, text: str) -> Iterator[Name]:
        parts = [part for part in _PARTS.split(fold([text])[0]) if part]
        for word in dict.fromkeys((*parts, *map("".join, pairwise(parts)))):
            if len(word) >= _MIN_PATH_NAME:
                yield from self._index.same(word)


def note_suspicious(url: Url, tally: Tally, *, named: bool) -> None:
    """What makes a link suspicious whoever it imitates; its path only beside a name or address."""
    known = lists()
    path = url.path[:_PATH_CHARS] if named or url.is_address else ""
    said = known.credential.intersection(_PARTS.split(url.host.removesuffix(url.suffix)))
    asked = known.credential.intersection(_PARTS.split(path.lower())) if path else ()
    if said or asked:
        code = "credential_words" if said else "credential_path"
        tally.add(code, ", ".join(sorted(said or asked)))
    if url.suffix in known.cheap_suffixes:
        tally.add("cheap_suffix", url.suffix)
    if url.is_address:
        tally.add("address_host", url.host)
    if url.is_encoded:
        tally.add("encoded_host", url.host)
        labels = [label for label in (url.label, *url.below) if not label.isascii()]
        if _is_mixed("".join(labels)) and any(map(_is_mixed, labels)):
            tally.add("mixed_script", url.host)
    if url.port not in _USUAL_PORTS:
        tally.add("odd_port", url.port)
    if len(url.host) > _LONG_HOST:
        tally.add("long_host", url.host)
    if url.domain in known.shorteners:
        tally.add("shortener", url.domain)
    if len(path) > 1 and _TRICK.search(_NESTED.sub("", path[1:])):
        tally.add("path_trick", path)


def _is_mixed(text: str) -> bool:
    """Whether letters of more than one script make a label (UTS #39, section 5)."""
    first = ""
    for script in map(_script, filter(str.isalpha, set(text))):
        if script and first and script != first:
            return True
        first = first or script
    return False


@lru_cache(1 << 12)
def _script(char: str) -> str:
    """The first word of a letter's name; empty of what is written beside other scripts."""
    script = unicodedata.name(char, "?").partition(" ")[0]
    return "" if script in ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA") else script
