"""What is looked at of one account or link is bounded, and padding hides no impostor."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from models.impersonation.findings import BALANCED
from models.impersonation.host_labels import BRIEF, GLANCE, WHOLE, Effort, effort_for
from models.impersonation.impostor import ImpostorChecker
from models.impersonation.likeness import Likeness, NameIndex
from models.impersonation.link_parts import in_label
from models.impersonation.links import LinkChecker
from models.impersonation.suspects import SuspectFinder
from models.impersonation.urls import parse_url
from models.records import Author, Brand, Mention

NAMES = (
    "acmezon",
    "nakheelbank",
    "rakuten",
    "mapquest",
    "microsoft",
    "zonmap",
    "enmicro",
    "kutenm",
)
BRANDS = [Brand(id=name, names=(name,), domains=(f"{name}.com",)) for name in NAMES]
ALL = "".join(NAMES)  # with others where they meet
NEAR = ("acmezom", "rakutem", "mapqeust", "micosoft", "nakheelbamk", "rakuren", "mapquesr")
DECOYS = [f"https://{near}-{ALL[:40]}.{other}.{i}.com" for i, (near, other) in
          enumerate(zip((*NEAR, *NEAR), (*NEAR[1:], *NEAR)))]  # fmt: skip
TRICKS = (
    "acmezon.com.evil.example", "acmezom.com", "acmezon-login.top", "login-acmezom.top",
    "acmezon.com.a.b.c.d.e.f.g.evil.example", "a.b.c.d.e.f.g.acmezon.com.evil.example",
    "my.acmezon.top", "аcmezon.net", "acme.zon.com",
)  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many words and names inside of labels were looked at, each time."""
    counts: list[int] = []
    like_many = NameIndex.like_many

    def counted_words(
        self: NameIndex, words: list[str], odd: tuple[int, ...] = ()
    ) -> list[list[Likeness]]:
        counts.append(len(words))
        return like_many(self, words, odd)

    def counted_name(*args: Any, **kwargs: Any) -> Any:
        counts.append(1)
        return in_label(*args, **kwargs)

    monkeypatch.setattr(NameIndex, "like_many", counted_words)
    monkeypatch.setattr("models.impersonation.link_host.in_label", counted_name)
    return counts


def mention(links: tuple[str, ...]) -> Mention:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Mention(id="1", platform="x", published_at=at, text="see", author=Author(), links=links)


@pytest.mark.parametrize("effort", [WHOLE, BRIEF, GLANCE])
def test_of_any_host_only_so_much_is_looked_at(effort: Effort, asked: list[int]) -> None:
    checker = LinkChecker(BRANDS)
    labels = [f"{near}-{ALL[i : i + 50]}" for i, near in enumerate(NEAR)][:4]
    for host in (".".join(labels), ".".join((*NEAR, *NEAR)), "-".join(NEAR)[:60], ALL[:63]):
        asked.clear()
        assert checker.check(f"https://{host}.com/{ALL}", effort).brand is not None
        assert 0 < sum(asked) <= effort.words + effort.names


def test_the_more_links_the_less_is_looked_at_of_each(asked: list[int]) -> None:
    finder = SuspectFinder(BRANDS)
    for count in range(1, 11):
        asked.clear()
        finder.find(mention(tuple(DECOYS[:count])))
        effort = effort_for(count)
        assert sum(asked) <= count * (effort.words + effort.names) <= 40


@pytest.mark.parametrize("trick", TRICKS)
def test_links_in_front_hide_no_look_alike(trick: str) -> None:
    finder = SuspectFinder(BRANDS)
    for before in range(10):
        found = finder.find(mention((*DECOYS[:before], f"https://{trick}/x")))
        urls = [s.url for i, s in found if BRANDS[i].id == "acmezon" and s.points >= 1]
        assert f"https://{trick}/x" in urls, before


def test_labels_in_front_hide_no_official_domain() -> None:
    checker = LinkChecker(BRANDS)
    for effort in (WHOLE, BRIEF, GLANCE):
        for before in range(9):
            found = checker.check(f"https://{'x.' * before}acmezon.com.evil.example", effort)
            assert found.reasons[0].code == "official_in_subdomain", (effort, before)


def test_a_batch_finds_what_each_mention_alone_would() -> None:
    mentions = [mention((*DECOYS[:i], f"https://{trick}/")) for i in range(10) for trick in TRICKS]
    finder = SuspectFinder(BRANDS)
    many = finder.find_many(mentions)
    assert [many.get(i, []) for i in range(len(mentions))] == [
        SuspectFinder(BRANDS).find(each) for each in mentions
    ]
    assert finder.find_many(mentions) == many  # what is remembered changes nothing


@pytest.mark.parametrize("padding", ["", "x1-", "qzj-vkw-", "a-b-c-d-e-f-g-h-", "9876543210-"])
def test_words_in_front_hide_no_name_in_a_label(padding: str) -> None:
    checker = LinkChecker(BRANDS)
    for effort in (WHOLE, BRIEF, GLANCE):
        for host in (f"{padding}acmezon.net", f"acmezon.{padding}x.com", f"{padding}acmezon.x.com"):
            found = checker.check(f"https://{host}", effort)
            assert (found.brand, found.score >= BALANCED) == ("acmezon", True), (host, effort)


def test_a_name_among_many_others_is_found_at_the_ends_of_a_handle() -> None:
    checker = ImpostorChecker(
        [*BRANDS, *(Brand(id=f"b{i}", names=(ALL[i : i + 5],)) for i in range(60))]
    )
    for handle in (f"acmezon_{ALL[8:60]}_help", f"{ALL[8:60]}_acmezon"):
        seen = checker._names.read(handle, is_handle=True)
        assert "acmezon" in {each.name.text for each in seen}
        assert len(seen) < 30


def test_what_no_host_name_may_be_is_none() -> None:
    assert parse_url(f"https://{'a' * 63}.com") is not None
    assert parse_url(f"https://{'a' * 64}.com") is None
    assert parse_url(f"https://{'a.' * 124}com") is not None
    assert parse_url(f"https://{'a.' * 126}com") is None


def test_a_long_path_is_read_in_a_batch_as_it_is_alone() -> None:
    links = [f"https://x{i}.example/{'a%2f' * (300 * i)}acmezon.com" for i in range(1, 7)]
    assert LinkChecker(BRANDS).check_many(links) == [
        LinkChecker(BRANDS).check(link) for link in links
    ]


def test_labels_in_punycode_are_read_from_the_suffix_on() -> None:
    far = ".".join(["xn--80ak6aa92e"] * 9)
    url = parse_url(f"https://xn--caf-dma.{far}.com")
    assert url is not None
    assert url.label == "аррӏе"
    assert url.below[0] == "xn--caf-dma"
