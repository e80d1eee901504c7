"""What the names of brands do in a host: alone, misspelt, beside other words, below another's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import itemgetter

from models.impersonation.confusables import letters_only
from models.impersonation.findings import Tally
from models.impersonation.host_labels import (
    WHOLE,
    Effort,
    HostLabel,
    Piece,
    labels_below,
    labels_of,
    pieces_of,
)
from models.impersonation.likeness import How, Inside, Name, NameIndex, telling
from models.impersonation.link_parts import Label, in_label, label_of
from models.impersonation.urls import Url

_RESTRICTED = frozenset(("gov", "edu", "mil", "int"))
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

    def read(self, urls: Sequence[Url], effort: Effort = WHOLE) -> list[Tallies]:
        """Reasons of each brand whose name is in the host, of each link."""
        labels = [labels_of(url, effort, self._index.same) for url in urls]
        found = self._read_words(urls, labels, effort)
        for url, each, tallies in zip(urls, labels, found):
            if not each:
                continue
            self._read_inside(each, tallies, effort.names)
            self._read_joined(each, url.suffix, tallies)
            self._read_official(".".join(labels_below(url)), tallies)
            if not _RESTRICTED.isdisjoint(url.suffix.split(".")):
                for tally in tallies.values():
                    tally.add("restricted_suffix", url.suffix)
        return found

    def _tally(self, found: Tallies, name: Name) -> Tally:
        return found.setdefault(name.brand, Tally(self._weights))

    def _read_words(
        self, urls: Sequence[Url], labels: Sequence[Sequence[HostLabel]], effort: Effort
    ) -> list[Tallies]:
        """What labels are like, and what their pieces misspell: of all hosts at once."""
        found: list[Tallies] = [{} for _ in urls]
        asked: list[Piece] = []
        owners: list[int] = []
        for i, each in enumerate(labels):
            asked += pieces_of(each, effort, self._index.may_be_near)
            owners += [i] * (len(asked) - len(owners))
        odd = {k for k, piece in enumerate(asked) if piece.is_odd}
        names = self._index.like_many([piece.word for piece in asked], odd)
        for i, piece, like in zip(owners, asked, names):
            for name, how in like:
                code, factor = self._code_of(piece, name, how, urls[i].suffix)
                if code:
                    self._tally(found[i], name).add(code, piece.shown, factor)
        return found

    def _code_of(self, piece: Piece, name: Name, how: How, suffix: str) -> tuple[str, float]:
        """The reason that a likeness is, and how much of its weight counts."""
        if piece.is_part:
            return ("typo_in_domain" if how != "same" else "", _part_factor(name, how))
        below = piece.label.below
        factor = _factor(name, how, below=below)
        if how in ("typo", "typos") and name.is_name_too and not self._is_home(name, suffix):
            factor *= _ABROAD
        return _code(how, is_odd=piece.label.is_odd, below=below), factor

    def _read_inside(self, labels: Sequence[HostLabel], found: Tallies, most: int) -> None:
        """Names inside of labels, with what stands beside them."""
        seen: list[tuple[int, Label, HostLabel, Inside]] = []
        for label in labels:
            hits = self._index.hits(label.word)
            if hits and (len(hits) > 1 or hits[0][2] - hits[0][1] < len(label.word)):
                cut = label_of(label.folded)
                for rank, hit in enumerate(telling(hits, cut.cuts, most)):
                    seen += [(rank, cut, label, name) for name in self._index.named(hit)]
        if len(seen) > most:  # the first of each label, then the second
            seen = sorted(seen, key=itemgetter(0))[:most]
        for _, cut, label, inside in seen:
            if inside.end - inside.start < len(label.word):
                why = in_label(cut, inside, below=label.below)
                if why is not None:
                    code = "homoglyph" if label.is_odd and why[0] == "combosquat" else why[0]
                    self._tally(found, inside.name).add(code, label.written, why[1])

    def _is_home(self, name: Name, suffix: str) -> bool:
        return suffix in self._suffixes.get(name.brand, _AT_HOME)

    def _read_joined(self, labels: Sequence[HostLabel], suffix: str, found: Tallies) -> None:
        """A name that dots cut in pieces: ``ama.zon.com``, ``pay.com`` for Paycom."""
        registered, outermost = labels[0].folded, labels[-1].folded
        pieces = [(registered, suffix)]
        if len(labels) > 1:
            pieces.append((outermost, registered))
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
