"""Look-alike links: what is flagged and why, what is not, and that nothing raises."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.impersonation.brand_names import names_of
from models.impersonation.confusables import fold, shape
from models.impersonation.findings import BALANCED, NOTHING
from models.impersonation.likeness import NameIndex
from models.impersonation.links import WEIGHTS, LinkChecker
from models.impersonation.urls import parse_url
from models.records import Brand

BRANDS = (
    Brand(id="nakheel", names=("Nakheel Bank", "بنك النخيل"), handles=("nakheelbank",),
          domains=("nakheelbank.com", "nakheelbank.com.sa", "بنك-النخيل.السعودية")),
    Brand(id="rakuten", names=("Rakuten",), domains=("rakuten.co.jp",)),
    Brand(id="smbc", names=("三井住友カード",), domains=("smbc-card.com",)),
    Brand(id="line", names=("LINE",), domains=("line.me",)),
    Brand(id="apple", names=("Apple Inc.",), domains=("apple.com",)),
    Brand(id="dhl", names=("DHL",), domains=("dhl.com",)),
)  # fmt: skip
CHECKER = LinkChecker(BRANDS)
INDEX = NameIndex(names_of(BRANDS))

FLAGGED = [
    ("rakutten.co.jp", "rakuten", "typo"),
    ("rakuetn.com", "rakuten", "typo"),
    ("rakute.com", "rakuten", "typo"),
    ("nakheelbnak.com", "nakheel", "typo"),
    ("rаkuten.com", "rakuten", "homoglyph"),  # a Cyrillic letter
    ("xn--rauten-4pf.com", "rakuten", "homoglyph"),
    ("ŕakuteṅ.com", "rakuten", "homoglyph"),
    ("nakhee1bank.com", "nakheel", "homoglyph"),
    ("apρle.com", "apple", "homoglyph"),
    ("rakuten.shop", "rakuten", "same_name"),
    ("rakuten-login.com", "rakuten", "combosquat"),
    ("myrakutencard.top", "rakuten", "combosquat"),
    ("nakheelbank-ksa.com", "nakheel", "combosquat"),
    ("apple-id-verify.com", "apple", "combosquat"),
    ("line-support.com", "line", "combosquat"),
    ("dhl-express.info", "dhl", "combosquat"),
    ("rakuten.evil.example", "rakuten", "name_in_subdomain"),
    ("rakuten.co.jp.x9f2.cn", "rakuten", "official_in_subdomain"),
    ("www.smbc.co-card.cn", "smbc", "name_in_subdomain"),
    ("raku.ten.com", "rakuten", "split_name"),
    ("rakutenzqxv.com", "rakuten", "name_in_domain"),
    ("rakutten-login.com", "rakuten", "typo_in_domain"),
    ("https://rakuten.co.jp@evil.example/", "rakuten", "official_in_user"),
    ("https://rakuten:x@evil.example/", "rakuten", "name_in_user"),
    ("https://hacked.example/rakuten.co.jp/signin", "rakuten", "official_in_path"),
    ("http://203.0.113.7/rakuten/login", "rakuten", "name_in_path"),
    ("بنك-النخبل.السعودية", "nakheel", "typo"),
    ("بنک-النخیل.السعودیة", "nakheel", "homoglyph"),  # Persian letters
    ("بنكالنخيل.com", "nakheel", "same_name"),
    ("بنك-النخيل-تحديث.com", "nakheel", "combosquat"),
    ("rakuten.duckdns.org", "rakuten", "same_name"),
    ("https://bit.ly/rakuten-login", "rakuten", "name_in_alias"),
    ("https://tinyurl.com/Nakheel-Bank-2024", "nakheel", "name_in_alias"),
]


@pytest.mark.parametrize(("link", "brand", "code"), FLAGGED)
def test_a_look_alike_is_flagged_with_its_reason(link: str, brand: str, code: str) -> None:
    found = CHECKER.check(link)
    assert found.brand == brand
    assert found.score >= BALANCED
    assert code in [reason.code for reason in found.reasons]


@pytest.mark.parametrize(
    "link",
    [
        "https://www.rakuten.co.jp/login", "https://card.rakuten.co.jp/", "RAKUTEN.CO.JP.",
        "https://user@rakuten.co.jp:8443/", "https://login.nakheelbank.com.sa/secure?next=1",
        "https://بنك-النخيل.السعودية/دخول", "xn----zmcb0a6hibke5b.xn--mgberp4a5d4ar",
    ],
)  # fmt: skip
def test_official_domains_and_what_is_below_them_are_not(link: str) -> None:
    assert CHECKER.check(link).score == 0


@pytest.mark.parametrize(
    "link",
    [
        "https://online.example.com/", "https://www.airline.com/login", "https://www.outline.org",
        "https://www.pineapple.net", "https://www.applegate.com", "https://lineage.gov.uk",
        "https://news.example.com/2024/rakuten-results", "https://twitter.com/rakuten",
        "https://www.pineline-furniture.de", "https://appl.cz", "https://example.com/apple/pie",
        "https://ar.wikipedia.org/wiki/بنك_النخيل", "https://النخيل-للزراعة.com",
        "https://web.archive.org/web/2020/https://rakuten.co.jp/", "https://bit.ly/3xYz",
        "https://bit.ly/line-login", "https://bit.ly/rakuten", "https://example.com/rakuten-login",
        "https://مدرسة-النخيل.السعودية",
    ],
)  # fmt: skip
def test_what_only_shares_letters_is_not(link: str) -> None:
    assert CHECKER.check(link).score < BALANCED


def test_a_suspicious_link_without_a_brand_stays_below_the_line() -> None:
    found = CHECKER.check("http://203.0.113.7:8080/login//secure.pdf.exe")
    assert found.brand is None
    assert 0 < found.score < BALANCED
    assert {r.code for r in found.reasons} >= {"address_host", "credential_path", "odd_port"}


def test_more_reasons_score_higher() -> None:
    links = ["rakuten.se", "rakuten.top", "rakuten.top/login"]
    scores = [CHECKER.check(link).score for link in links]
    assert scores == sorted(set(scores))


def test_a_brand_is_known_by_its_name_alone() -> None:
    checker = LinkChecker([Brand(id="b", names=("Marks & Morgan Ltd.",))])
    for link in ("marksmorgan.net", "marksandmorgan-outlet.com", "markandmorgan.com"):
        assert checker.check(link).score >= BALANCED, link


def test_what_is_no_link_resembles_nothing() -> None:
    for text in ("", " ", "not a link", "rakuten", "http://", "::", "a" * 5000):
        assert parse_url(text) is None or CHECKER.check(text).brand is None
        assert CHECKER.check(text).score < BALANCED
    assert CHECKER.check("not a link") == NOTHING


def test_many_are_judged_as_one_by_one() -> None:
    links = [row[0] for row in FLAGGED] * 2
    assert CHECKER.check_many(links) == [LinkChecker(BRANDS).check(link) for link in links]


HOSTS = ("t.co", "T.co", "rakuten.top", "1.2.3.4", "xn--80ak6aa92e.com", "a..b", "é.com")
PIECES = ("/", "rakuten", "raku-ten", "?", "@", "\\", " ", "\n", "é", "x" * 290, "x" * 1500)
LINKS = st.builds(
    lambda scheme, host, tail: f"{scheme}{host}{tail}",
    st.sampled_from(("http://", "https://", "HTTP://", "")),
    st.sampled_from(HOSTS),
    st.text(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=5).map("".join),
)


@given(st.lists(LINKS, max_size=20))
def test_any_links_are_judged_as_one_by_one(links: list[str]) -> None:
    alone = [LinkChecker(BRANDS, INDEX).check(link) for link in links]
    checker = LinkChecker(BRANDS, INDEX)
    assert checker.check_many(links) == alone
    assert checker.check_many(links) == alone  # what is remembered is the same


def test_an_official_domain_of_two_letters_is_seen_in_the_path_of_a_known_host() -> None:
    checker = LinkChecker([Brand(id="hp", names=("Hewlett",), domains=("hp.com",))])
    honest, false = "https://evil.example/a", "https://evil.example/hp.com/a"
    assert checker.check(honest).brand is None  # from now on the host is known
    assert [found.brand for found in (checker.check(false), *checker.check_many([false] * 9))] == [
        "hp"
    ] * 10
    many = [f"https://evil.example/{i}" for i in range(9)]
    assert [found.brand for found in checker.check_many([*many, false])] == [None] * 9 + ["hp"]


@given(st.text(max_size=400))
def test_no_text_raises(text: str) -> None:
    for link in (text, f"https://{text}/", f"http://rakuten.co.jp@{text}", f"a.com/{text}"):
        found = CHECKER.check(link)
        assert 0 <= found.score < 1
        assert all(reason.code in WEIGHTS for reason in found.reasons)


@given(st.text(max_size=60))
def test_folding_twice_changes_nothing(text: str) -> None:
    once = fold([text])[0]
    assert fold([once])[0] == once
    assert isinstance(shape(once), str)


@pytest.mark.parametrize("char", ["a", "-", ".", "rakuten", "а", "/", "%61", "@", "اa"])
def test_long_links_cost_no_more_than_a_millisecond_or_so(char: str) -> None:
    CHECKER.check("warm.example")
    texts = [f"https://x{i}{char * 20_000}" for i in range(20)]
    began = time.perf_counter()
    for text in texts:
        CHECKER.check(text)
    assert (time.perf_counter() - began) / len(texts) < 5e-3  # a busy machine; measured below 1 ms
