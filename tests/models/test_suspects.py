"""What stage score tells of authors and links: suspects, lists, and no text that raises."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.impersonation.listed import Lists
from models.impersonation.suspects import CARRIED, SuspectFinder, mention_key
from models.impersonation.urls import parse_url
from models.records import Author, Brand, Judgement, Listed, Mention, OfficialAccount

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
AT_MS = 1_772_366_400_000
BRAND = Brand(
    id="acme",
    names=("Acmezon", "أكميزون"),
    handles=("acmezon",),
    accounts=(OfficialAccount(platform="x", id="1", handle="acmezon"),),
    domains=("acmezon.com",),
)


def listed(**what: Any) -> Listed:
    return Listed(owner="Sara", reason="known to us", **what)


def brand(**lists: tuple[Listed, ...]) -> Brand:
    return Brand(
        id="acme",
        names=BRAND.names,
        handles=BRAND.handles,
        accounts=BRAND.accounts,
        domains=BRAND.domains,
        **lists,
    )


def mention(text: str = "hello", **more: Any) -> Mention:
    author = Author(id=more.pop("author_id", "9"), handle=more.pop("handle", "jane"))
    given = {"id": "m1", "platform": "x", "published_at": AT, "author": author} | more
    return Mention(text=text, **given)


@dataclass
class Case:
    mention: Mention
    kind: str | None
    who: str = ""


CASES = {
    "a stranger": Case(mention(), None),
    "the brand itself": Case(mention(handle="acmezon", author_id="1"), None),
    "a fake support account": Case(mention(handle="acmezon_help"), "account", "x\x009"),
    "a link in the text": Case(
        mention("see https://acmezon-login.top/verify."), "domain", "acmezon-login.top"
    ),
    "a link without a scheme": Case(
        mention("see www.acmezon-login.top now"), "domain", "acmezon-login.top"
    ),
    "an expanded link": Case(
        mention("see", links=("https://acmezon.com.evil.top/x",)), "domain", "evil.top"
    ),
    "the official site": Case(mention("see https://www.acmezon.com/login"), None),
    "somebody's site": Case(mention("see https://news.example/acme"), None),
}


@pytest.mark.parametrize("name", CASES)
def test_who_is_told_of(name: str) -> None:
    case = CASES[name]
    found = SuspectFinder([BRAND]).find(case.mention)
    assert [(index, s.kind) for index, s in found] == ([(0, case.kind)] if case.kind else [])
    if case.kind:
        suspect = found[0][1]
        assert suspect.who == case.who
        assert suspect.points > CARRIED
        assert suspect.reasons


def test_words_and_the_one_who_is_answered_go_with_it() -> None:
    reply = mention(
        "@Amal_K sorry, DM us your card number", handle="acmezon_help", in_reply_to="c7"
    )
    ((_, suspect),) = SuspectFinder([BRAND]).find(reply)
    assert {r.code for r in suspect.intents} == {"asks_card", "asks_direct_message"}
    assert suspect.answered == mention_key("x", "c7")
    assert suspect.victim == mention_key("x", "@amal_k")


def test_the_allow_list_is_never_flagged() -> None:
    fake = mention("https://acmezon-fans.com/a", handle="acmezon_help")
    assert len(SuspectFinder([BRAND]).find(fake)) == 2
    for account in ({"handle": "@Acmezon_Help"}, {"platform": "x", "account": "9"}):
        allow = (listed(**account), listed(domain="acmezon-fans.com"))
        assert SuspectFinder([brand(allow=allow)]).find(fake) == []
    elsewhere = (listed(handle="acmezon_help", platform="instagram"),)
    kinds = [s.kind for _, s in SuspectFinder([brand(allow=elsewhere)]).find(fake)]
    assert kinds == ["account", "domain"]


def test_the_block_list_always_is_and_says_whose_it_is() -> None:
    block = (listed(handle="jane"), listed(domain="evil.example"))
    found = SuspectFinder([brand(block=block)]).find(mention("https://a.evil.example/x"))
    assert [s.kind for _, s in found] == ["account", "domain"]
    for _, suspect in found:
        assert suspect.points >= 3.0
        assert suspect.reasons[0].code == "blocked"
        assert suspect.reasons[0].what == "Sara: known to us"


@pytest.mark.parametrize(("until_ms", "holds"), [(AT_MS + 1, True), (AT_MS, False)])
def test_an_entry_ends_with_its_date(until_ms: int, holds: bool) -> None:
    fake = mention(handle="acmezon_help")
    allow = (listed(handle="acmezon_help", until_ms=until_ms),)
    assert (SuspectFinder([brand(allow=allow)]).find(fake) == []) is holds
    block = (listed(handle="jane", until_ms=until_ms),)
    assert bool(SuspectFinder([brand(block=block)]).find(mention())) is holds


def test_lists_are_changed_while_it_runs_beside_those_of_the_configuration() -> None:
    finder = SuspectFinder([brand(block=(listed(domain="evil.example"),))])
    jane, fake = mention("https://evil.example/x"), mention(handle="acmezon_help")
    finder.relist(
        [
            Judgement(brand="acme", list="block", listed=listed(handle="jane")),
            Judgement(brand="acme", list="allow", listed=listed(handle="acmezon_help")),
            Judgement(brand="gone", list="block", listed=listed(handle="jane")),
        ]
    )
    assert [s.kind for _, s in finder.find(jane)] == ["account", "domain"]
    assert finder.find(fake) == []
    finder.relist([])
    assert [s.kind for _, s in finder.find(jane)] == ["domain"]
    assert len(finder.find(fake)) == 1


def test_links_of_one_mention_are_bounded() -> None:
    many = tuple(f"https://acmezon-{i}.top/login" for i in range(100))
    assert len(SuspectFinder([BRAND]).find(mention(" ".join(many), links=many))) == 10


def test_of_one_domain_the_worst_link_is_told() -> None:
    links = ("https://evil.top/acmezon", "https://acmezon.com.evil.top/", "https://evil.top/x")
    ((_, suspect),) = SuspectFinder([BRAND]).find(mention(links=links))
    assert suspect.url == links[1]


FINDER = SuspectFinder([brand(block=(listed(domain="evil.example"), listed(handle="jane")))])
QUIET = SuspectFinder([BRAND])
ANY = st.text(st.characters(), max_size=80)
URLS = st.builds(
    lambda scheme, host, tail: f"{scheme}{host}{tail}",
    st.sampled_from(["https://", "http:\\\\", "www.", "", "https://a@"]),
    ANY | st.sampled_from(["acmezon.com", "аcmezon.com", "xn--cmezon-xxx", "[::1", "1.2", "a..b"]),
    ANY,
)


@settings(max_examples=300)
@given(ANY, ANY, ANY, ANY, URLS, URLS)
def test_no_text_raises(text: str, handle: str, name: str, bio: str, one: str, two: str) -> None:
    author = Author(id=name or None, handle=handle, name=name, bio=bio, avatar_phash=handle)
    made = mention(f"{text} {one}", author=author, links=(two, one), in_reply_to=bio or None)
    for index, suspect in FINDER.find(made):
        assert index == 0
        assert len(suspect.who) <= 200
        assert len(suspect.url or "") <= 300


@given(st.lists(st.tuples(ANY, ANY, URLS), min_size=9, max_size=20))
def test_of_many_those_are_found_that_are_found_alone(shown: list[tuple[str, str, str]]) -> None:
    made = [mention(url, author=Author(handle=h, name=n)) for h, n, url in shown]
    made += [mention(links=(url,)) for _, _, url in shown]
    made += [case.mention for case in CASES.values()]
    alone = {i: found for i, each in enumerate(made) if (found := QUIET.find(each))}
    assert SuspectFinder([BRAND]).find_many(made) == alone
    assert len(alone) >= 4


def test_of_many_the_blocked_are_found() -> None:
    made = [mention(f"https://news.example/{i}", handle=f"reader_{i}") for i in range(20)]
    made += [mention("https://evil.example/x", handle="mary"), mention(handle="jane")]
    assert list(FINDER.find_many(made)) == [20, 21]
    assert FINDER.find_many([]) == {}


@given(st.lists(st.tuples(URLS, st.sampled_from(["jane", "@Jane", "mary"])), min_size=9))
def test_of_many_those_are_found_that_are_blocked_alone(shown: list[tuple[str, str]]) -> None:
    made = [mention(links=(url,), handle=handle) for url, handle in shown]
    alone = {i: found for i, each in enumerate(made) if (found := FINDER.find(each))}
    assert FINDER.find_many(made) == alone


WRITTEN = (
    "http://", "HTTPS://", "evil", "EVIL", ".", "..", "example", ":80", "@", "/", "\\", "?", "\t",
    " ", "x.", "%65vil", "ｅvil", "#",
)  # fmt: skip


@given(URLS | st.lists(st.sampled_from(WRITTEN), max_size=9).map("".join))
def test_no_way_to_write_a_blocked_host_escapes(link: str) -> None:
    lists = Lists([brand(block=(listed(domain="evil.example"),))])
    url = parse_url(link)
    is_blocked = url is not None and bool(lists.blocked_domain(url.host, AT_MS))
    assert lists.may_block_link(link) or not is_blocked


def test_a_plain_link_elsewhere_is_not_looked_at() -> None:
    lists = Lists([brand(block=(listed(domain="evil.example"),))])
    assert not lists.may_block_link("https://news.example/evil.example")
    assert lists.may_block_link("https://a.evil.example:8080/x")
