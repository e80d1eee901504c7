"""Which brands a text is about: thousands of names, keywords, handles and domains in one pass.

A batch becomes one byte string, one byte a character, in an alphabet made from the patterns
themselves; an Aho-Corasick automaton (A. Aho and M. Corasick, "Efficient string matching: an aid
to bibliographic search", CACM 18(6), 1975) reads it once, and NumPy judges the hits.  The cost
grows with the text and the number of hits, hardly with the number of brands.

What counts as a hit is said at `BrandMatcher`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal, NamedTuple

import numpy as np
from ahocorasick_rs import BytesAhoCorasick, Implementation

from models.alphabet import (
    BARE,
    HASH,
    LAM,
    OTHER,
    PADDING,
    WITH_ARTICLE,
    WORD,
    UInt8,
    alphabet_of,
    openers,
    prefix_classes,
    settle_underscores,
)
from models.hosts import are_hosts
from models.records import Bool, Brand, Int32, Int64, UInt32
from models.text import CodeBatch, normalise

Via = Literal["name", "keyword", "handle", "domain"]

_MIN_PREFIXED_LETTERS = 3

# A DFA is up to twice as fast as an NFA until it outgrows the processor's cache.
_DFA_MAX_BYTES = 64_000

_WORD_CHECK, _HASHTAG_CHECK, _HOST_CHECK = 0, 1, 2  # what a hit must stand in
_ROLES = ("name", "keyword", "handle", "domain", "exclude")
_NAME, _KEYWORD, _HANDLE, _DOMAIN, _EXCLUDE, _EXCLUDE_OVERLAP = range(6)

_SEPARATORS = re.compile(r"[\W_]+")
_HOST_NAME = re.compile(r"[\w-]+(\.[\w-]+)+")


class Reason(NamedTuple):
    """Why a text is about a brand: the pattern as it was configured, and what kind it is."""

    brand: str
    pattern: str
    via: Via


@dataclass(frozen=True, slots=True)
class Matches:
    """Which mention is about which brand: unique pairs, sorted by row, then brand.

    Attributes
    ----------
    row : int32[k]
        Index of the mention in the batch.
    brand : int32[k]
        Index into the brands the matcher was built with.
    """

    row: Int32
    brand: Int32

    def __len__(self) -> int:
        return len(self.row)


class _Hits(NamedTuple):
    row: Int64
    pattern: Int64
    start: Int64
    end: Int64


class BrandMatcher:
    """Find the brands that texts are about.

    Text and patterns are compared after `models.text.normalise`.

    - **Names and keywords** stand between non-word characters, in any script; a symbol at a
      pattern's edge is no exception (``$AAPL`` is found neither in ``$AAPLX`` nor in
      ``US$AAPL``).  This holds inside links too: ``acme-login.xyz`` is about Acme.
    - **Arabic prefixes** may be attached to a pattern of three letters or more: at most one
      conjunction (و ف), one preposition (ب ل ك) and the article (ال; ل + ال is written لل).
      A pattern that begins with ال takes no second article, and ل + الراجحي is للراجحي.  The
      prefix may stand before a Latin name (``الـSTC``).  Nothing else is taken off: no suffix
      (possessive, plural, nisba: «أكميات»، «أكميون»), no future س, no interrogative أ.
    - **Hashtags**: an underscore is a space (``#بنك_الراجحي``), and a pattern of several words
      may be written together (``#AcmeCard``, ``#CocaCola``).
    - **Handles** are found as ``@handle``, not inside a longer handle and not in e-mail
      addresses.  In a handle an underscore is a letter, so ``@acme_fans`` is not about Acme.
    - **Domains** are found as the host, or a parent domain of the host, of a link, an e-mail
      address or plain text; not in paths, queries or user names, nor as ``acme.com.evil.net``.
    - **Exclusions**: a phrase that contains a name or keyword of its brand cancels the
      occurrences of names and keywords it overlaps; any other phrase removes the mention from
      the brand.

    The extra links of a mention are read like links in its text.  Percent-encoding is not undone.

    Parameters
    ----------
    brands : sequence of Brand
        What to look for.  Brands may share patterns.

    Raises
    ------
    ValueError
        A pattern is empty or one character long after normalisation, or holds no letter or digit;
        a domain is no host name.

    Examples
    --------
    >>> from models.records import Brand
    >>> from models.text import normalise
    >>> matcher = BrandMatcher([Brand(id="acme", names=("Acme", "أكمي"), domains=("acme.com",))])
    >>> found = matcher.match(normalise(["تعطّل تطبيق أكمي", "nice weather"]), [(), ()])
    >>> found.row.tolist(), found.brand.tolist()
    ([0], [0])
    >>> matcher.explain("وبأكمي أيضا")
    [Reason(brand='acme', pattern='أكمي', via='name')]
    """

    def __init__(self, brands: Sequence[Brand]) -> None:
        self._ids = [brand.id for brand in brands]
        self._patterns = _Patterns()
        for index, brand in enumerate(brands):
            for role, wrote, normal in _written(brand):
                for form in _forms(brand, role, wrote, normal):
                    self._patterns.add(form, index, role, wrote)
        self._patterns.freeze()

    def match(self, batch: CodeBatch, links: Sequence[Sequence[str]]) -> Matches:
        """Match a batch of mentions.

        Parameters
        ----------
        batch : CodeBatch
            The normalised texts.
        links : sequence of n sequences of str
            The extra (expanded) links of each mention, raw.

        Returns
        -------
        Matches
            Unique pairs of mention and brand.

        Raises
        ------
        ValueError
            ``links`` has not one entry a text.
        """
        pair, _ = self._attribute(self._find(batch, links))
        row, brand = np.divmod(np.unique(pair), max(len(self._ids), 1))
        return Matches(row.astype(np.int32), brand.astype(np.int32))

    def explain(self, text: str, links: Sequence[str] = ()) -> list[Reason]:
        """Say by which patterns a raw text is about which brands, in the order configured."""
        _, entry = self._attribute(self._find(normalise([text]), [links]))
        reasons = (self._patterns.reason(int(e), self._ids) for e in np.unique(entry))
        return list(dict.fromkeys(reasons))

    def _find(self, batch: CodeBatch, links: Sequence[Sequence[str]]) -> _Hits:
        if len(links) != len(batch):
            raise ValueError(f"links has {len(links)} entries for {len(batch)} texts")
        codes, starts, rows = _with_links(batch, links)
        plain = self._patterns.alphabet.take(codes, mode="clip")
        hay = settle_underscores(plain)
        raw = self._patterns.automaton.find_matches_as_indexes(hay.tobytes(), overlapping=True)
        flat = np.fromiter(chain.from_iterable(raw), dtype=np.int64, count=3 * len(raw))
        pattern, start, end = flat.reshape(-1, 3).T
        check = self._patterns.check[pattern]
        good = (hay[end] < WORD) & (check != _HOST_CHECK)
        attached = np.flatnonzero(good & (hay[start - 1] >= WORD))
        allowed = prefix_classes(hay, start[attached]) & self._patterns.prefixes[pattern[attached]]
        good[attached] = allowed != 0
        tagged = np.flatnonzero(good & (check == _HASHTAG_CHECK))
        good[tagged] = plain[openers(plain, start[tagged])] == HASH
        segment = np.searchsorted(starts, start, side="right") - 1
        hosts = np.flatnonzero(check == _HOST_CHECK)
        if len(hosts):
            hosts = hosts[np.argsort(start[hosts], kind="stable")]
            lows, highs = starts[segment[hosts]], starts[segment[hosts] + 1] - 1
            spans = zip(*(a.tolist() for a in (start[hosts], end[hosts], lows, highs)))
            good[hosts] = np.fromiter(are_hosts(plain.tobytes(), spans), np.bool_, len(hosts))
        for i in np.flatnonzero(good & self._patterns.ambiguous[pattern]).tolist():
            good[i] = self._patterns.spelled(int(pattern[i]), codes[start[i] : end[i]])
        return _Hits(rows[segment[good]], pattern[good], start[good], end[good])

    def _attribute(self, hits: _Hits) -> tuple[Int64, Int64]:
        """Pairs (row * brands + brand) and the pattern entries that speak for them."""
        hit, entry = self._patterns.entries(hits.pattern)
        role = self._patterns.role[entry]
        pair = hits.row[hit] * len(self._ids) + self._patterns.brand[entry]
        keep = role < _EXCLUDE
        whole = role == _EXCLUDE
        if whole.any():
            keep &= ~np.isin(pair, pair[whole])
        cancelling = role == _EXCLUDE_OVERLAP
        if cancelling.any():
            keep &= ~cancelling
            at_risk = np.flatnonzero(keep & (role <= _KEYWORD) & np.isin(pair, pair[cancelling]))
            lost = _overlapped(
                (pair[at_risk], hits.start[hit[at_risk]], hits.end[hit[at_risk]]),
                (pair[cancelling], hits.start[hit[cancelling]], hits.end[hit[cancelling]]),
            )
            keep[at_risk[lost]] = False
        return pair[keep], entry[keep]


@dataclass(frozen=True, slots=True)
class _Form:
    """One way in which a pattern may be written, normalised."""

    text: str
    check: int = _WORD_CHECK
    prefixes: int = 0


def _written(brand: Brand) -> Iterator[tuple[int, str, str]]:
    """Role, spelling in the configuration, and normalised spelling of every pattern."""
    roles = (_NAME, _KEYWORD, _HANDLE, _DOMAIN, _EXCLUDE)
    groups = (brand.names, brand.keywords, brand.handles, brand.domains, brand.exclude)
    wrote = [(role, text) for role, group in zip(roles, groups) for text in group]
    batch = normalise([text for _, text in wrote])
    own: list[str] = []
    for i, (role, text) in enumerate(wrote):
        normal = batch.text(i).strip(" _" if role != _HANDLE else " @")
        if role == _HANDLE:
            normal = "@" + normal
        elif role <= _KEYWORD:
            own.append(normal)
        elif role == _EXCLUDE and any(name in normal for name in own):
            role = _EXCLUDE_OVERLAP
        yield role, text, normal


def _forms(brand: Brand, role: int, wrote: str, normal: str) -> list[_Form]:
    if len(normal) < 2 or not any(c.isalnum() for c in normal):
        what = _ROLES[min(role, _EXCLUDE)]
        raise ValueError(
            f"brand {brand.id!r}: {what} {wrote!r} is {normal!r} after normalisation; "
            "a pattern needs two characters or more, one of them a letter or digit"
        )
    if role == _HANDLE:
        return [_Form(normal)]
    if role == _DOMAIN:
        return _domain_forms(brand, wrote, normal.rstrip("."))
    return _phrase_forms(normal)


def _domain_forms(brand: Brand, wrote: str, text: str) -> list[_Form]:
    if not _HOST_NAME.fullmatch(text):
        raise ValueError(f"brand {brand.id!r}: domain {wrote!r} is no host name such as 'acme.com'")
    forms = [_Form(text, _HOST_CHECK)]
    try:
        ascii_form = wrote.strip().rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError:  # too long or not allowed in DNS: it can only be found as written
        return forms
    return forms if ascii_form == text else [*forms, _Form(ascii_form, _HOST_CHECK)]


def _phrase_forms(text: str) -> list[_Form]:
    words = [word for word in _SEPARATORS.split(text) if word]
    spellings = [(text, _WORD_CHECK)]
    if len(words) > 1 and text[0].isalnum() and text[-1].isalnum():
        spellings.append(("".join(words), _HASHTAG_CHECK))
    prefixed = text[0].isalnum() and sum(map(len, words)) >= _MIN_PREFIXED_LETTERS
    forms = []
    for spelling, check in spellings:
        if not prefixed:
            forms.append(_Form(spelling, check))
        elif spelling.startswith("ال"):
            forms.append(_Form(spelling, check, BARE))
            forms.append(_Form("ل" + spelling[1:], check, LAM))
        else:
            forms.append(_Form(spelling, check, WITH_ARTICLE))
    return forms


class _Patterns:
    """The compiled patterns, and for each the entries (brand, role, as written) it stands for."""

    alphabet: UInt8
    automaton: BytesAhoCorasick
    check: UInt8
    prefixes: UInt8
    ambiguous: Bool
    brand: Int64
    role: Int64

    def __init__(self) -> None:
        self._forms: dict[_Form, int] = {}
        self._entries: list[tuple[int, int, int, str]] = []

    def add(self, form: _Form, brand: int, role: int, wrote: str) -> None:
        pattern = self._forms.setdefault(form, len(self._forms))
        self._entries.append((pattern, brand, role, wrote))

    def freeze(self) -> None:
        forms = list(self._forms)
        self.alphabet = alphabet_of(form.text for form in forms)
        self._batch = normalise([form.text for form in forms])
        codes = np.concatenate((PADDING, self._batch.codes))
        hay = settle_underscores(self.alphabet[codes])[len(PADDING) :].tobytes()
        encoded = hay.split(b"\x01")[:-1]
        small = sum(map(len, encoded)) <= _DFA_MAX_BYTES
        implementation = Implementation.DFA if small else Implementation.ContiguousNFA
        self.automaton = BytesAhoCorasick(encoded, implementation=implementation)
        self.check = np.array([form.check for form in forms], dtype=np.uint8)
        self.prefixes = np.array([form.prefixes for form in forms], dtype=np.uint8)
        shared = bytes([OTHER, WORD])
        self.ambiguous = np.array([any(b in shared for b in p) for p in encoded], dtype=np.bool_)
        pattern = np.array([entry[0] for entry in self._entries], dtype=np.int64)
        self.brand = np.array([entry[1] for entry in self._entries], dtype=np.int64)
        self.role = np.array([entry[2] for entry in self._entries], dtype=np.int64)
        self._sorted = np.argsort(pattern, kind="stable")
        self._first = np.searchsorted(pattern[self._sorted], np.arange(len(forms) + 1))

    def entries(self, patterns: Int64) -> tuple[Int64, Int64]:
        """For every entry of every given pattern: the pattern's position, and the entry."""
        first = self._first[patterns]
        count = self._first[patterns + 1] - first
        position = np.repeat(np.arange(len(patterns)), count)
        step = np.arange(len(position)) - np.repeat(np.cumsum(count) - count, count)
        return position, self._sorted[first[position] + step]

    def reason(self, entry: int, ids: Sequence[str]) -> Reason:
        _, brand, role, wrote = self._entries[entry]
        via: tuple[Via, ...] = ("name", "keyword", "handle", "domain")
        return Reason(ids[brand], wrote, via[role])

    def spelled(self, pattern: int, codes: UInt32) -> bool:
        """Whether the text has the very characters of a pattern, not others of the same byte."""
        text = codes.tobytes().decode("utf-32-le", "surrogatepass")
        return text.replace("_", " ") == self._batch.text(pattern).replace("_", " ")


def _with_links(batch: CodeBatch, links: Sequence[Sequence[str]]) -> tuple[UInt32, Int64, Int64]:
    """Texts, then links, as segments of one array: codes, segment starts, row of each segment."""
    rows = np.arange(len(batch))
    extra = list(chain.from_iterable(links))
    if not extra:
        return np.concatenate((PADDING, batch.codes)), batch.starts + len(PADDING), rows
    more = normalise(extra)
    codes = np.concatenate((PADDING, batch.codes, more.codes))
    starts = np.concatenate((batch.starts[:-1], batch.starts[-1] + more.starts)) + len(PADDING)
    counts = np.fromiter(map(len, links), dtype=np.int64, count=len(links))
    return codes, starts, np.concatenate((rows, np.repeat(rows, counts)))


def _overlapped(spans: tuple[Int64, Int64, Int64], cancelling: tuple[Int64, Int64, Int64]) -> Bool:
    """Which spans (key, start, end) share a character with a cancelling span of the same key."""
    keys = np.unique(cancelling[0])
    stride = max(int(cancelling[2].max()), int(spans[2].max(initial=0))) + 1
    offset = np.searchsorted(keys, cancelling[0]) * stride
    order = np.argsort(cancelling[1] + offset, kind="stable")
    starts = (cancelling[1] + offset)[order]
    reach = np.maximum.accumulate((cancelling[2] + offset)[order])
    offset = np.searchsorted(keys, spans[0]) * stride
    last = np.searchsorted(starts, spans[2] + offset) - 1  # the last that starts before the end
    return (last >= 0) & (reach[np.maximum(last, 0)] > spans[1] + offset)
