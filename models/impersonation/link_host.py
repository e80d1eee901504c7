"""What the names of brands do in a host: alone, misspelt, beside other words, below another's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from models.impersonation.confusables import fold, letters_only
from models.impersonation.findings import Tally
from models.impersonation.likeness import How, Name, NameIndex
from models.impersonation.link_parts import in_label, trimmed
from models.impersonation.urls import Url

_RESTRICTED = frozenset(("gov", "edu", "mil", "int"))
_MOST_LABELS = 12
_MIN_LABEL = 2
_ABROAD = 0.75  # of a misspelt word's weight under a suffix that the brand does not use
_AT_HOME = frozenset(("com",))

Tallies = dict[int, Tally]  # by index of the brand


class HostReader:
    """Finds the names in hosts.

    Parameters
    ----------
    index : NameIndex
        Names of all brands.
    official : mapping of str to int
        Official domains, in Unicode, and the brand of each.
    weights : mapping of str to float
        Points of each reason.
    """

    def __init__(
        self, index: NameIndex, official: Mapping[str, int], weights: Mapping[str, float]
    ) -> None:
        self._index = index
        self._weights = weights
        self._domains: dict[int, list[str]] = {}
        self._suffixes: dict[int, set[str]] = {}
        for domain, brand in official.items():
            self._domains.setdefault(brand, []).append(domain)
            self._suffixes.setdefault(brand, set()).add(domain.partition(".")[2])

    def read(self, url: Url) -> Tallies:
        """Reasons of each brand whose name is in the host."""
        found: Tallies = {}
        if not url.label:
            return found
        below = [label for label in url.below[-_MOST_LABELS:] if label != "www"]
        folded = fold([url.label, *below])
        for i, (written, plain) in enumerate(zip((url.label, *below), folded)):
            if len(plain) >= _MIN_LABEL:
                self._read_label(written, plain, url.suffix, found, below=i > 0)
        self._read_joined(folded, url.suffix, found)
        self._read_official(".".join(below), found)
        if not _RESTRICTED.isdisjoint(url.suffix.split(".")):
            for tally in found.values():
                tally.add("restricted_suffix", url.suffix)
        return found

    def _tally(self, found: Tallies, name: Name) -> Tally:
        return found.setdefault(name.brand, Tally(self._weights))

    def _read_label(
        self, written: str, folded: str, suffix: str, found: Tallies, *, below: bool
    ) -> None:
        word = letters_only(folded)
        is_odd = letters_only(written) != word
        for name, how in self._index.like(word, odd=is_odd and not word.isdigit()):
            factor = _factor(name, how, below=below)
            if how in ("typo", "typos") and name.is_name_too and not self._is_home(name, suffix):
                factor *= _ABROAD
            self._tally(found, name).add(_code(how, is_odd=is_odd, below=below), written, factor)
        for inside in self._index.inside(word):
            if inside.end - inside.start < len(word):
                seen = in_label(folded, inside, below=below)
                if seen is not None:
                    code = "homoglyph" if is_odd and seen[0] == "combosquat" else seen[0]
                    self._tally(found, inside.name).add(code, written, seen[1])
        for part in trimmed(folded):
            for name, how in self._index.like(part):
                if how != "same":
                    self._tally(found, name).add("typo_in_domain", part, _part_factor(name, how))

    def _is_home(self, name: Name, suffix: str) -> bool:
        return suffix in self._suffixes.get(name.brand, _AT_HOME)

    def _read_joined(self, folded: Sequence[str], suffix: str, found: Tallies) -> None:
        """A name that dots cut in pieces: ``ama.zon.com``, ``pay.com`` for Paycom."""
        pieces = [(folded[0], suffix)]
        if len(folded) > 1:
            pieces.append((folded[-1], folded[0]))
        for first, last in pieces:
            for name in self._index.same(letters_only(first + last)):
                self._tally(found, name).add("split_name", f"{first}.{last}")

    def _read_official(self, below: str, found: Tallies) -> None:
        """A whole official domain in front of another one: ``acme.com.x.top`` and the like."""
        if "." not in below or not found:
            return
        padded = f".{below}."
        for brand, tally in found.items():
            for domain in self._domains.get(brand, ()):
                if f".{domain}." in padded or f".{domain}-" in padded:
                    tally.add("official_in_subdomain", domain)


def _code(how: How, *, is_odd: bool, below: bool) -> str:
    if how == "same" and not is_odd:
        return "name_in_subdomain" if below else "same_name"
    return "homoglyph" if how in ("same", "shape") else "typo"


def _factor(name: Name, how: How, *, below: bool) -> float:
    """How much a whole label says: a plain word says little, least below another's domain."""
    size = len(name.text)
    if below and (name.is_plain or size < 3):
        return 0.4
    if how != "same" and below:
        return 0.8 if size > 4 else 0.5
    if name.is_plain:
        return 0.8
    return 0.85 if size < 3 else 1.0


def _part_factor(name: Name, how: How) -> float:
    size = len(name.text)
    if name.is_plain or size < 6 or (how == "typos" and size < 12):
        return 0.5
    return 1.0 if size > 6 else 0.8
