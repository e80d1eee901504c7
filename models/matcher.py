"""Which brands a text is about: thousands of names, keywords, handles and domains in one pass.

A batch becomes one byte string, one byte a character, in an alphabet made from the patterns
themselves; an Aho-Corasick automaton (A. Aho and M. Corasick, "Efficient string matching: an aid
to bibliographic search", CACM 18(6), 1975) reads it once, and NumPy judges the hits.  The cost
grows with the text and the number of hits, hardly with the number of brands.

What counts as a hit is said at `BrandMatcher`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from ahocorasick_rs import BytesAhoCorasick, Implementation

from models.records import Bool, Brand, Int32, Int64, UInt32
from models.text import TABLE_SIZE, CodeBatch, normalise

UInt8 = npt.NDArray[np.uint8]
Via = Literal["name", "keyword", "handle", "domain"]

# The byte alphabet: symbols below _WORD, word characters from it on.  Characters without a byte
# of their own share _OTHER or _WORD.
_OTHER = 0
_SYMBOLS = "\n _@#/\\?:.-"  # bytes 1 to 11
_NEWLINE, _SPACE, _UNDERSCORE, _AT, _HASH = 1, 2, 3, 4, 5
_WORD = 64
_HANDLE_UNDERSCORE = 65
_ATTACHED = "وفبلكا"  # bytes 66 to 71: the letters that attached prefixes are made of
_LONGEST_PREFIX = 4  # وبال
_PADDING = np.full(_LONGEST_PREFIX + 2, 10, dtype=np.uint32)  # so that looking back stays inside

_BARE, _WITH_ARTICLE, _LAM = 1, 2, 4  # which prefixes a pattern takes, see _prefixes
_MIN_PREFIXED_LETTERS = 3

# A DFA is a third faster than an NFA until it outgrows the processor's cache.
_DFA_MAX_BYTES = 300_000

_WORD_CHECK, _HASHTAG_CHECK, _HOST_CHECK = 0, 1, 2  # what a hit must stand in
_ROLES = ("name", "keyword", "handle", "domain", "exclude")
_NAME, _KEYWORD, _HANDLE, _DOMAIN, _EXCLUDE, _EXCLUDE_OVERLAP = range(6)

_SEPARATORS = re.compile(r"[\W_]+")
_HOST_NAME = re.compile(r"[\w-]+(\.[\w-]+)+")
_PATH_START = re.compile(rb"[\x06\x07\x08\x05]")  # / \ ? #
_HOST_MARKS = re.compile(rb"[\x03\x0a\x0b]*")  # [_.-]*


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
        hay = _settle_underscores(plain)
        raw = self._patterns.automaton.find_matches_as_indexes(hay.tobytes(), overlapping=True)
        flat = np.fromiter(chain.from_iterable(raw), dtype=np.int64, count=3 * len(raw))
        pattern, start, end = flat.reshape(-1, 3).T
        check = self._patterns.check[pattern]
        good = (hay[end] < _WORD) & (check != _HOST_CHECK)
        attached = np.flatnonzero(good & (hay[start - 1] >= _WORD))
        allowed = _prefix_classes(hay, start[attached]) & self._patterns.prefixes[pattern[attached]]
        good[attached] = allowed != 0
        tagged = np.flatnonzero(good & (check == _HASHTAG_CHECK))
        good[tagged] = plain[_openers(plain, start[tagged])] == _HASH
        segment = np.searchsorted(starts, start, side="right") - 1
        hosts = np.flatnonzero(check == _HOST_CHECK)
        if len(hosts):
            hosts = hosts[np.argsort(start[hosts], kind="stable")]
            lows, highs = starts[segment[hosts]], starts[segment[hosts] + 1] - 1
            spans = zip(*(a.tolist() for a in (start[hosts], end[hosts], lows, highs)))
            good[hosts] = np.fromiter(_are_hosts(plain.tobytes(), spans), np.bool_, len(hosts))
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
            forms.append(_Form(spelling, check, _BARE))
            forms.append(_Form("ل" + spelling[1:], check, _LAM))
        else:
            forms.append(_Form(spelling, check, _WITH_ARTICLE))
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
        self.alphabet = _alphabet(form.text for form in forms)
        self._batch = normalise([form.text for form in forms])
        codes = np.concatenate((_PADDING, self._batch.codes))
        hay = _settle_underscores(self.alphabet[codes])[len(_PADDING) :].tobytes()
        encoded = hay.split(b"\x01")[:-1]
        small = sum(map(len, encoded)) <= _DFA_MAX_BYTES
        implementation = Implementation.DFA if small else Implementation.ContiguousNFA
        self.automaton = BytesAhoCorasick(encoded, implementation=implementation)
        self.check = np.array([form.check for form in forms], dtype=np.uint8)
        self.prefixes = np.array([form.prefixes for form in forms], dtype=np.uint8)
        shared = bytes([_OTHER, _WORD])
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


def _alphabet(patterns: Iterable[str]) -> UInt8:
    """Byte of every code point; the characters that patterns use most get one of their own."""
    table = _word_table().copy()
    own = {char: 1 + i for i, char in enumerate(_SYMBOLS)}
    own |= {char: _HANDLE_UNDERSCORE + 1 + i for i, char in enumerate(_ATTACHED)}
    free_symbols = iter(range(1 + len(_SYMBOLS), _WORD))
    free_words = iter(range(_HANDLE_UNDERSCORE + 1 + len(_ATTACHED), 256))
    counts = Counter(chain.from_iterable(patterns))
    for char in sorted(counts, key=lambda char: (-counts[char], char)):
        if char not in own:
            byte = next(free_words if table[ord(char)] == _WORD else free_symbols, None)
            if byte is not None:
                own[char] = byte
    for char, byte in own.items():
        table[ord(char)] = byte
    return table


@cache
def _word_table() -> UInt8:
    table = np.zeros(TABLE_SIZE, dtype=np.uint8)
    for code in (*range(0x34000), *range(0xE0000, 0xE0200)):
        char = chr(code)
        if char.isalnum() or unicodedata.category(char) == "Mc":
            table[code] = _WORD
    return table


def _with_links(batch: CodeBatch, links: Sequence[Sequence[str]]) -> tuple[UInt32, Int64, Int64]:
    """Texts, then links, as segments of one array: codes, segment starts, row of each segment."""
    rows = np.arange(len(batch))
    extra = list(chain.from_iterable(links))
    if not extra:
        return np.concatenate((_PADDING, batch.codes)), batch.starts + len(_PADDING), rows
    more = normalise(extra)
    codes = np.concatenate((_PADDING, batch.codes, more.codes))
    starts = np.concatenate((batch.starts[:-1], batch.starts[-1] + more.starts)) + len(_PADDING)
    counts = np.fromiter(map(len, links), dtype=np.int64, count=len(links))
    return codes, starts, np.concatenate((rows, np.repeat(rows, counts)))


def _openers(plain: UInt8, at: Int64) -> Int64:
    """Where the symbol stands that opens the run of word characters and underscores at ``at``."""
    symbols = np.flatnonzero((plain < _WORD) & (plain != _UNDERSCORE))
    return symbols[np.searchsorted(symbols, at) - 1]


def _settle_underscores(plain: UInt8) -> UInt8:
    """Make an underscore a word character inside a handle, a space everywhere else."""
    underscores = np.flatnonzero(plain == _UNDERSCORE)
    if not len(underscores):
        return plain
    opener = _openers(plain, underscores)
    in_handle = (plain[opener] == _AT) & (plain[opener - 1] < _WORD)
    settled = plain.copy()
    settled[underscores] = np.where(in_handle, np.uint8(_HANDLE_UNDERSCORE), np.uint8(_SPACE))
    return settled


@cache
def _prefixes() -> tuple[Int64, UInt8]:
    """Keys of the attached prefixes, sorted, and the kinds of pattern that take each."""
    kinds: dict[str, int] = {}
    for conjunction in ("", "و", "ف"):
        kinds[conjunction] = _BARE | _WITH_ARTICLE | _LAM
        for preposition in ("ب", "ل", "ك"):
            kinds[conjunction + preposition] = _BARE | _WITH_ARTICLE
        for article in ("ال", "بال", "لل", "كال"):
            kinds[conjunction + article] = _WITH_ARTICLE
    byte = {char: _HANDLE_UNDERSCORE + 1 + i for i, char in enumerate(_ATTACHED)}
    key_of = {
        sum(byte[c] << (8 * i) for i, c in enumerate(reversed(prefix))): kind
        for prefix, kind in kinds.items()
    }
    keys = sorted(key_of)
    return np.array(keys, dtype=np.int64), np.array([key_of[k] for k in keys], dtype=np.uint8)


def _prefix_classes(hay: UInt8, at: Int64) -> UInt8:
    """Which kinds of pattern may follow what stands between the token's start and ``at``."""
    keys, kinds = _prefixes()
    key = np.zeros(len(at), dtype=np.int64)
    inside = np.ones(len(at), dtype=np.bool_)
    for back in range(_LONGEST_PREFIX):
        byte = hay[at - 1 - back]
        inside &= byte >= _WORD
        key |= np.where(inside, byte, 0).astype(np.int64) << (8 * back)
    inside &= hay[at - 1 - _LONGEST_PREFIX] >= _WORD  # longer than any prefix
    slot = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
    return np.where((keys[slot] == key) & ~inside, kinds[slot], np.uint8(0))


def _are_hosts(plain: bytes, spans: Iterable[tuple[int, int, int, int]]) -> Iterator[bool]:
    """Whether each span (start, end, start and end of its segment; sorted) is where a host is."""
    token: _Token | None = None
    for start, end, low, high in spans:
        if token is None or start >= token.end:
            token = _Token(plain, start, low, high)
        yield token.has_host(start, end)


class _Token:
    """The parts of a run without spaces: plain text up to a path, then the host of a URL."""

    def __init__(self, plain: bytes, at: int, low: int, high: int) -> None:
        begin = max(plain.rfind(b"\x02", low, at) + 1, low)
        space = plain.find(b"\x02", at, high)
        self._plain = plain
        self.end = high if space < 0 else space
        self._plain_end = self._next_path(max(plain.find(b"\x0a", begin, self.end), begin))
        self._host, self._host_end = self.end, self.end
        scheme = plain.find(b"\x09\x06\x06", begin, min(self._plain_end + 2, self.end))
        if scheme >= 0:
            self._plain_end = scheme
            self._host_end = self._next_path(scheme + 3)
            user = plain.rfind(b"\x04", scheme + 3, self._host_end)
            self._host = user + 1 if user >= 0 else scheme + 3
        self._last_at = plain.rfind(b"\x04", begin, self._plain_end)

    def _next_path(self, at: int) -> int:
        found = _PATH_START.search(self._plain, at, self.end)
        return found.start() if found else self.end

    def has_host(self, start: int, end: int) -> bool:
        """Whether a whole host, or the end of one after a dot, stands at ``start:end``."""
        before = self._plain[start - 1]
        marks = _HOST_MARKS.match(self._plain, end)
        after = self._plain[marks.end() if marks else end]
        if before >= _WORD or before in b"\x03\x0b" or after >= _WORD:
            return False
        if start < self._plain_end:  # "acme.com:x@evil.net" names a user, not a host
            return not (after in b"\x09\x04" and self._last_at >= end)
        return self._host <= start < self._host_end


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
