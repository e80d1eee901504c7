"""The brand matcher against a table of cases and a slow reference written from its rules."""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.matcher import BrandMatcher, Reason
from models.records import Brand
from models.text import normalise, normalise_one

ACME = Brand(
    id="acme",
    names=("Acme", "أكمي"),
    keywords=("acme card", "بطاقة أكمي"),
    exclude=("Acme brick", "كارتون"),
    handles=("acme", "@acme_sa"),
    domains=("acme.com", "acme.sa"),
)
RAJHI = Brand(id="rajhi", names=("بنك الراجحي", "الراجحي"), domains=("الراجحي.السعودية",))
AIR = Brand(id="air", names=("Acme Air",), keywords=("Acme",))
STOCK = Brand(id="stock", names=("$AAPL", "Yahoo!", "AT&T", "Coca-Cola"), keywords=("stc",))
SHORT = Brand(id="short", names=("زي", "جو"), handles=("zy",))
JAPAN = Brand(id="japan", names=("三菱 銀行", "Ωmega"), exclude=("三菱 銀行 杯",))
BRANDS = (ACME, RAJHI, AIR, STOCK, SHORT, JAPAN)


def ids(text: str, links: tuple[str, ...] = (), brands: tuple[Brand, ...] = BRANDS) -> set[str]:
    found = BrandMatcher(brands).match(normalise([text]), [links])
    return {brands[i].id for i in found.brand}


def is_about(brand: Brand, text: str, links: tuple[str, ...] = ()) -> bool:
    return ids(text, links, (brand,)) == {brand.id}


FOUND = [
    (ACME, "I love Acme."),
    (ACME, "ACME's card"),
    (ACME, "«أكمي»"),
    (ACME, "أَكـــمي"),
    (ACME, "A\u200bc\u202eme is down"),
    (ACME, "اكمى"),
    (ACME, "ａｃｍｅ"),
    (ACME, "acme\nis down"),
    (ACME, "acme-login.xyz/verify"),
    (ACME, "https://acme-login.xyz"),
    (ACME, "http://evil.xyz/acme/login"),
    (ACME, "acme.com.evil.net"),
    (ACME, "acme_login.xyz"),
    (ACME, "#acme_down"),
    (ACME, "#AcmeCard"),
    (ACME, "#my_acmecard"),
    (ACME, "#acme_card"),
    (ACME, "#بطاقة_أكمي"),
    (ACME, "#بطاقةأكمي"),
    (ACME, "ب#بطاقة_أكمي"),
    (ACME, "@acme"),
    (ACME, "@ACME, hello"),
    (ACME, "thanks @acme."),
    (ACME, "(@Acme_SA)"),
    (ACME, ".@acme_sa: مرحبا"),
    (ACME, "info@acme.com"),
    (ACME, "shop.acme.sa"),
    (ACME, "وأكمي"),
    (ACME, "الأكمي"),
    (ACME, "وبالأكمي"),
    (ACME, "للأكمي"),
    (ACME, "فلأكمي"),
    (ACME, "ولبطاقة أكمي"),
    (ACME, "بـAcme"),
    (ACME, "والـAcme"),
    (ACME, "acme brick and my acme card"),
    (ACME, "acme brick, @acme"),
    (ACME, "acme brick at acme.com"),
    (RAJHI, "تطبيق الراجحي متوقف"),
    (RAJHI, "للراجحي"),
    (RAJHI, "وللراجحي"),
    (RAJHI, "بالراجحي"),
    (RAJHI, "وكالراجحي"),
    (RAJHI, "#بنك_الراجحي"),
    (RAJHI, "#بنكالراجحي"),
    (RAJHI, "لبنك الراجحي"),
    (RAJHI, "https://الراجحي.السعودية/login"),
    (RAJHI, "https://xn--mgbaper7iyb.xn--mgberp4a5d4ar/"),
    (AIR, "Acme Air is late"),
    (AIR, "Acme"),
    (STOCK, "buy $AAPL!"),
    (STOCK, "$$aapl"),
    (STOCK, "Yahoo! news"),
    (STOCK, "#att"),
    (STOCK, "#CocaCola"),
    (STOCK, "شركة الـSTC"),
    (SHORT, "زي النور"),
    (SHORT, "@zy"),
    (JAPAN, "三菱 銀行"),
    (JAPAN, "#三菱_銀行"),
    (JAPAN, "ωMEGA"),
]
NOT_FOUND = [
    (ACME, ""),
    (ACME, "acmee"),
    (ACME, "xacme"),
    (ACME, "acme2"),
    (ACME, "@acme_fans"),
    (ACME, "@my_acme"),
    (ACME, "@not_acme_sa"),
    (ACME, "info@acmes.com"),
    (ACME, "acmecard"),
    (ACME, "#acmecards"),
    (ACME, "#nacmecard"),
    (ACME, "أكميات"),
    (ACME, "سأكمي"),
    (ACME, "ووأكمي"),
    (ACME, "بلأكمي"),
    (ACME, "البأكمي"),
    (ACME, "اوأكمي"),
    (ACME, "Acme brick"),
    (ACME, "#acme_brick"),
    (ACME, "كارتون acme @acme acme.com"),
    (ACME, "acme بالكارتون"),
    (RAJHI, "راجحي"),
    (RAJHI, "الالراجحي"),
    (RAJHI, "بللراجحي"),
    (RAJHI, "بنكالراجحي"),
    (STOCK, "$AAPLX"),
    (STOCK, "US$AAPL"),
    (STOCK, "$TSLA$AAPL"),
    (STOCK, "aapl"),
    (STOCK, "yahoo!x"),
    (STOCK, "#yahoo"),
    (STOCK, "cocacola"),
    (SHORT, "وزي"),
    (SHORT, "الجو"),
    (SHORT, "me@zy"),
    (JAPAN, "三井 銀行"),
    (JAPAN, "三菱 銀行 杯"),
    (JAPAN, "我三菱 銀行"),
]


@pytest.mark.parametrize(("brand", "text"), FOUND)
def test_found(brand: Brand, text: str) -> None:
    assert is_about(brand, text)


@pytest.mark.parametrize(("brand", "text"), NOT_FOUND)
def test_not_found(brand: Brand, text: str) -> None:
    assert not is_about(brand, text)


SITE = Brand(id="site", names=("qqq",), domains=("acme.com",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acme.com", True),
        ("visit acme.com.", True),
        ("acme.com...", True),
        ("(acme.com)", True),
        ("acme.com/cards", True),
        ("acme.com:8080/x", True),
        ("ACME.COM?x=1", True),
        ("https://acme.com", True),
        ("http://www.my.acme.com/a?b#c", True),
        ("https://user:pw@acme.com/", True),
        ("info@acme.com", True),
        ("a@acme.com,b@other.org", True),
        ("التفاصيل:https://acme.com/x", True),
        ("الموقع/acme.com", True),
        ("acme.com,other.org", True),
        ("stop...https://acme.com", True),
        ("acme.com.evil.net", False),
        ("acme.com-login.net", False),
        ("acme.com--.evil.net", False),
        ("my-acme.com", False),
        ("foo_acme.com", False),
        ("myacme.com", False),
        ("acme.community", False),
        ("evil.net/acme.com", False),
        ("evil.net/?u=https://acme.com/", False),
        ("https://evil.net/?u=acme.com", False),
        ("https://evil.net#acme.com", False),
        ("https://evil.net\\@acme.com", False),
        ("https://evil.net/@acme.com", False),
        ("https://acme.com@evil.net/", False),
        ("https://acme.com:443@evil.net/", False),
        ("acme.com@evil.net", False),
        ("acme.com.@evil.net", False),
        ("acme.com:pw@evil.net", False),
        ("https://evil.net/_acme.com", False),
        ("acmeXcom", False),
    ],
)
def test_domains_are_hosts(text: str, expected: bool) -> None:
    assert is_about(SITE, text) is reference(SITE, text) is expected
    assert is_about(SITE, "t.co", ("https://t.co/1", text)) is expected


def test_links_count_for_their_own_mention() -> None:
    batch = normalise(["one", "two", "", "acme"])
    links = [(), ("https://acme.sa/x", "https://o.org"), ("https://o.org/الراجحي",), ()]
    found = BrandMatcher((RAJHI, ACME)).match(batch, links)
    assert found.row.tolist() == [1, 2, 3]
    assert found.brand.tolist() == [1, 0, 1]
    assert (found.row.dtype, found.brand.dtype) == (np.int32, np.int32)


def test_a_pattern_does_not_span_mentions_or_links() -> None:
    found = BrandMatcher((ACME, AIR)).match(normalise(["x$acme", "air"]), [("my acme",), ("air",)])
    assert found.row.tolist() == [0, 0]  # the name Acme of both; nowhere "Acme Air"
    only_air = Brand(id="air", names=("Acme Air",))
    assert not len(
        BrandMatcher([only_air]).match(normalise(["acme", "air"]), [("acme",), ("air",)])
    )


def test_shared_and_overlapping_patterns() -> None:
    assert ids("Acme Air") == {"acme", "air"}
    careful = Brand(id="acme", names=("Acme",), exclude=("Acme Air",))
    assert ids("Acme Air", brands=(careful, AIR)) == {"air"}
    assert ids("Acme Air or Acme", brands=(careful, AIR)) == {"acme", "air"}


def test_an_exclusion_is_for_its_own_brand_only() -> None:
    other = Brand(id="other", names=("Acme",))
    assert ids("acme brick", brands=(ACME, other)) == {"other"}
    assert ids("acme كارتون", brands=(ACME, other)) == {"other"}


def test_explain_names_the_pattern_as_configured() -> None:
    matcher = BrandMatcher(BRANDS)
    assert matcher.explain("acme brick. عندي #بطاقة_أكمي @acme_sa", ["https://my.acme.com"]) == [
        Reason("acme", "Acme", "name"),
        Reason("acme", "أكمي", "name"),
        Reason("acme", "بطاقة أكمي", "keyword"),
        Reason("acme", "@acme_sa", "handle"),
        Reason("acme", "acme.com", "domain"),
        Reason("air", "Acme", "keyword"),
    ]
    assert matcher.explain("nothing here") == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"names": ("A",)}, r"brand 'b': name 'A' is 'a'"),
        ({"names": ("ءا",)}, r"name 'ءا' is 'ا'"),
        ({"names": ("ok", "\u200b ")}, r"name .* is ''"),
        ({"names": ("ok",), "keywords": ("$$",)}, r"keyword '\$\$'"),
        ({"names": ("ok",), "exclude": ("x",)}, r"exclude 'x'"),
        ({"names": ("ok",), "handles": ("@",)}, r"handle '@'"),
        ({"names": ("ok",), "domains": ("acme",)}, r"domain 'acme' is no host name"),
        ({"names": ("ok",), "domains": ("https://acme.com",)}, r"is no host name"),
    ],
)
def test_useless_patterns_are_refused(fields: dict[str, tuple[str, ...]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BrandMatcher([Brand(id="b", **fields)])  # type: ignore[arg-type]


def test_links_must_be_given_for_every_text() -> None:
    with pytest.raises(ValueError, match="links has 1 entries for 2 texts"):
        BrandMatcher([ACME]).match(normalise(["a", "b"]), [()])


def test_nothing_to_match() -> None:
    assert not len(BrandMatcher([]).match(normalise(["acme"]), [()]))
    assert not len(BrandMatcher([ACME]).match(normalise([]), []))
    assert BrandMatcher([]).explain("acme") == []


HOSTILE = {
    "one letter": "a" * 20_000,
    "one Arabic letter": "و" * 20_000,
    "names": "acme " * 4_000,
    "names and exclusions": "acme brick acme " * 1_250,
    "at signs": "@" * 20_000,
    "handles": "@acme" * 4_000,
    "underscores": "@" + "acme_" * 4_000,
    "one long token of domains": "acme.com/" * 2_200,
    "one long host": "acme.com." * 2_200,
    "dots": "acme.com" + "." * 19_000,
    "hashes": "#acmecard" * 700,
    "schemes": "https://acme.com" * 1_200,
    "controls": "\x00\u202e\ud800\n\x1b[31m" * 2_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_matched_like_any_other(name: str) -> None:
    text = HOSTILE[name]
    assert ids(text, (text,)) == {b.id for b in BRANDS if reference(b, text, (text,))}


def test_more_characters_than_the_alphabet_has_bytes() -> None:
    ideographs = [chr(0x4E00 + i) + chr(0x5E00 + i) for i in range(400)]
    symbols = [chr(0x2500 + i) + "ab" for i in range(100)]
    written = [*ideographs, *symbols]
    brands = [Brand(id=text, names=(text,)) for text in written]
    found = BrandMatcher(brands).match(normalise(written), [()] * len(written))
    normal = [normalise_one(text) for text in written]
    assert list(zip(found.row.tolist(), found.brand.tolist())) == [
        (i, j) for i, text in enumerate(normal) for j, name in enumerate(normal) if text == name
    ]


# The rules again, one text and one pattern at a time, with nothing clever.

HANDLE_UNDERSCORE = "\x00"  # normalised text holds no controls
PREFIX = {
    "bare": "[وف]?[بلك]?",
    "article": "[وف]?(ال|بال|كال|لل|ب|ل|ك)?",
    "lam": "[وف]?",
}


def is_word(char: str) -> bool:
    return char.isalnum() or unicodedata.category(char) == "Mc" or char == HANDLE_UNDERSCORE


def settle(text: str) -> str:
    """Decide each underscore: part of a handle, or a space."""
    out = list(text)
    for run in re.finditer(r"(?:[^\W_]|_|[\u0900-\u0dff])+", text):
        at = run.start() - 1
        handle = at >= 0 and text[at] == "@" and (at == 0 or not is_word(text[at - 1]))
        for i in range(*run.span()):
            if text[i] == "_":
                out[i] = HANDLE_UNDERSCORE if handle else " "
    return "".join(out)


def spans(text: str, pattern: str, prefix: str | None, hashtag: bool) -> list[tuple[int, int]]:
    settled, found, start = settle(text), [], -1
    pattern = settle(pattern)
    while (start := settled.find(pattern, start + 1)) >= 0:
        end = start + len(pattern)
        if end < len(settled) and is_word(settled[end]):
            continue
        before = re.search(r"[^\s]*$", settled[max(0, start - 30) : start])
        attached = ""
        for char in reversed(before.group() if before else ""):
            if not is_word(char):
                break
            attached = char + attached
        if attached and not (prefix and re.fullmatch(PREFIX[prefix], attached)):
            continue
        if hashtag and not re.search(r"#(?:[^\W_]|_)*$", text[:start]):
            continue
        found.append((start, end))
    return found


def phrase_spans(text: str, wrote: str) -> list[tuple[int, int]]:
    pattern = normalise_one(wrote)
    words = re.findall(r"[^\W_]+", pattern)
    spellings = [(pattern, False)]
    if len(words) > 1 and pattern[0].isalnum() and pattern[-1].isalnum():
        spellings.append(("".join(words), True))
    out = []
    for spelling, hashtag in spellings:
        if len("".join(words)) < 3 or not spelling[0].isalnum():
            out += spans(text, spelling, None, hashtag)
        elif spelling.startswith("ال"):
            out += spans(text, spelling, "bare", hashtag)
            out += spans(text, "لل" + spelling[2:], "lam", hashtag)
        else:
            out += spans(text, spelling, "article", hashtag)
    return out


def hosts(text: str) -> list[str]:
    out = []
    for token in text.split(" "):
        scheme = token.find("://")
        dot = max(token.find("."), 0)
        path = next((i for i in range(dot, len(token)) if token[i] in "/\\?#"), len(token))
        url = ""
        if 0 <= scheme <= path:
            head, url = token[:scheme], token[scheme + 3 :]
        else:
            head = token[:path]
        for run in re.finditer(r"[\w.-]+", head):
            rest = head[run.end() :]
            if not (rest[:1] in ("@", ":") and "@" in rest):
                out.append(run.group().rstrip("._-"))
        authority = re.split(r"[/\\?#]", url)[0].split("@")[-1]
        out += [run.rstrip("._-") for run in re.findall(r"[\w.-]+", authority)]
    return out


def reference(brand: Brand, text: str, links: tuple[str, ...] = ()) -> bool:
    documents = [normalise([part]).text(0) for part in (text, *links)]
    own = [normalise_one(wrote) for wrote in (*brand.names, *brand.keywords)]
    survivors = False
    for document in documents:
        cancelled: set[int] = set()
        for wrote in brand.exclude:
            found = phrase_spans(document, wrote)
            if not any(name in normalise_one(wrote) for name in own):
                if found:
                    return False
            else:
                cancelled.update(i for start, end in found for i in range(start, end))
        for wrote in (*brand.names, *brand.keywords):
            for start, end in phrase_spans(document, wrote):
                survivors |= cancelled.isdisjoint(range(start, end))
        for wrote in brand.handles:
            handle = "@" + normalise_one(wrote).lstrip("@")
            survivors |= bool(spans(document, handle, None, False))
        for wrote in brand.domains:
            ends = [normalise_one(wrote), wrote.encode("idna").decode()]
            survivors |= any(
                host == end or host.endswith("." + end) for host in hosts(document) for end in ends
            )
    return survivors


PIECES = [
    "acme", "Acme", "أكمي", "card", "brick", "air", "بطاقة", "بنك", "الراجحي", "للراجحي", "راجحي",
    "كارتون", "$AAPL", "stc", "at&t", "coca-cola", "cocacola", "yahoo!", "زي", "三菱", "銀行", "杯",
    "acme.com", "acme.sa", "acmecard", "بنكالراجحي", "ω", "mega", "sa", "com", "fans", "evil.net",
    "و", "ف", "ب", "ل", "ك", "ال", "لل", "س", "x", "1", " ", "  ", "_", "@", "#", ".", "-", ":",
    "/", "://", "https://", "?", "\\", "!", "$", "\n", "\u064b", "\u200b", "\u202e", "ـ",
    "😀", "\x00",
]  # fmt: skip
MATCHER = BrandMatcher(BRANDS)
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@given(TEXTS, st.lists(TEXTS, max_size=2).map(tuple))
@example("acme_card #acme_card @acme_card", ())
@example("acme.com@acme.sa", ("https://a@acme.com:80@x/",))
def test_agrees_with_the_reference(text: str, links: tuple[str, ...]) -> None:
    expected = {brand.id for brand in BRANDS if reference(brand, text, links)}
    found = MATCHER.match(normalise([text]), [links])
    assert {BRANDS[i].id for i in found.brand} == expected
    assert {reason.brand for reason in MATCHER.explain(text, links)} == expected


@given(st.lists(st.tuples(TEXTS, st.lists(TEXTS, max_size=2)), max_size=6))
def test_a_batch_is_its_mentions(mentions: list[tuple[str, list[str]]]) -> None:
    found = MATCHER.match(normalise([text for text, _ in mentions]), [link for _, link in mentions])
    pairs = list(zip(found.row.tolist(), found.brand.tolist()))
    assert pairs == sorted(set(pairs))
    assert pairs == [
        (row, brand)
        for row, (text, links) in enumerate(mentions)
        for brand in MATCHER.match(normalise([text]), [links]).brand.tolist()
    ]


@given(st.permutations(range(len(BRANDS))), st.lists(TEXTS, max_size=4))
def test_the_order_of_brands_only_renames_them(order: list[int], texts: list[str]) -> None:
    batch, links = normalise(texts), [()] * len(texts)
    one = MATCHER.match(batch, links)
    other = BrandMatcher([BRANDS[i] for i in order]).match(batch, links)
    assert set(zip(one.row.tolist(), one.brand.tolist())) == {
        (row, order[brand]) for row, brand in zip(other.row.tolist(), other.brand.tolist())
    }
