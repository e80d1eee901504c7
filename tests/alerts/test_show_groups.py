"""The page of groups: whole, harmless, in both languages, the same each time."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import msgspec
import numpy as np
import pytest

from alerts.groups import explain_group
from alerts.show import GroupPicture, render_groups
from alerts.show.groups import MOST_ACCOUNTS, MOST_GROUPS, layout
from models.records import AccountGroup, GroupPost, GroupTrace
from tests.alerts.build import PHRASES

AT = 1_772_000_000_000
HOSTILE = "<script>alert(1)</script>\"\u202e'><img src=https://evil.example/x>"


def group(accounts: int = 4, text: str = "عار على البنك", account: str = "a") -> AccountGroup:
    posts = tuple(
        GroupPost(id=f"p{i}", account=f"{account}{i}", published_ms=AT + i, text=f"{text} {word}")
        for i, word in enumerate(("أمس", "اليوم"))
    )
    trace = GroupTrace(
        kind="text", shown=text, accounts=accounts, mentions=accounts, first_ms=AT,
        last_ms=AT + 3_600_000, posts=posts, differs=(("أمس",), ("اليوم",)),
    )  # fmt: skip
    return AccountGroup(
        id="g-1", kind="coordination", score=0.9,
        accounts=tuple(f"{account}{i}" for i in range(accounts)),
        mentions=("p0", "p1"), first_ms=AT, last_ms=AT + 3_600_000, found_ms=AT, share=0.4,
        innocent="asked", parts={"copies": 2.0}, evidence=(trace,),
        facts={"accounts": accounts, "copiers": accounts, "texts": 1, "again": 0.5, "gap_s": 60},
    )  # fmt: skip


def picture(told: AccountGroup) -> GroupPicture:
    links = [(a, a + 1, 2) for a in range(len(told.accounts) - 1)]
    own = [AT + 60_000 * i for i in range(30)]
    every = [*own, AT, AT + 7_000_000]
    return GroupPicture(told, explain_group(told, PHRASES), told.accounts, links, own, every)


class Tags(HTMLParser):
    """Counts tags and collects what could load something."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [name for name, _ in attrs if name in ("src", "href", "xlink:href", "style")]


def test_network_timeline_and_evidence_are_drawn() -> None:
    page = render_groups([picture(group())], "x.jsonl")
    tags = Tags(page).tags
    assert tags.count("circle") == 4
    assert tags.count("line") == 3
    assert sum(float(h) for h in re.findall(r'class="own"[^>]* height="([\d.]+)"', page)) > 0
    assert sum(float(h) for h in re.findall(r'class="other"[^>]* height="([\d.]+)"', page)) > 0
    assert re.findall(r"<mark>(.*?)</mark>", page) == ["أمس", "اليوم"]
    said = explain_group(group(), PHRASES)
    assert f'dir="rtl">{said.ar}' in page
    assert said.en in page


@pytest.mark.parametrize("field", ["text", "account", "title"])
def test_text_of_strangers_is_only_text(field: str) -> None:
    told = group(**({field: HOSTILE} if field != "title" else {}))
    page = render_groups([picture(told)], HOSTILE if field == "title" else "x.jsonl")
    tags = Tags(page)
    assert not {"script", "img", "a"} & set(tags.tags)
    assert tags.loads == []
    assert "\u202e" not in page
    assert "alert(1)" in page
    assert "default-src 'none'" in page


def test_it_is_the_same_each_time_and_bounded() -> None:
    many = [picture(group(3 * MOST_ACCOUNTS))] * 2 + [picture(group(3))] * (MOST_GROUPS + 1)
    page = render_groups(many, "x.jsonl")
    assert page == render_groups(many, "x.jsonl")
    assert Tags(page).tags.count("circle") == 2 * MOST_ACCOUNTS + 3 * (MOST_GROUPS - 2)
    assert "Groups that are not shown: 3" in page
    assert f"not drawn: {2 * MOST_ACCOUNTS}" in page


def test_linked_accounts_lie_near_each_other() -> None:
    """Two rings that do not know each other."""
    links = [(i, (i + 1) % 10, 1.0) for i in range(10)]
    at = layout(20, links + [(10 + a, 10 + b, n) for a, b, n in links])
    inside = np.mean([np.hypot(*(at[a] - at[b])) for a, b, _ in links])
    across = np.mean([np.hypot(*(at[i] - at[10 + i])) for i in range(10)])
    assert inside < across / 2
    assert at.min() >= 0
    assert at.max() <= 1


def test_a_group_of_many_years_is_on_the_timeline() -> None:
    year = 365 * 86_400_000
    told = msgspec.structs.replace(group(), first_ms=AT - 25 * year, last_ms=AT)
    own = [told.first_ms, AT]
    page = render_groups([picture(told)._replace(own_ms=own, all_ms=[*own, AT - year])], "x")
    drawn = {
        name: [float(h) for h in re.findall(f'class="{name}"[^>]* height="([\\d.]+)"', page)]
        for name in ("own", "other")
    }
    assert sum(h > 0 for h in drawn["own"]) == 2
    assert sum(h > 0 for h in drawn["other"]) == 1
    assert re.search(r"Mentions over time \(\d+ days\)", page)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Amal_1", "Amal_1"),
        ("هند!", "\u202bهند!\u202c"),
        ("2023سعود2024", "\u202b2023سعود2024\u202c"),
        ("\u200b\u2060", "?"),
        ("ﷺ", "\u202bصلى الله عليه وسلم\u202c"),
        ("دعم العملاء الرسمي للبنك", "\u202bدعم العملاء الرسمي …\u202c"),
    ],
)
def test_names_read_in_their_own_order(name: str, label: str) -> None:
    page = render_groups([picture(group())._replace(names=[name, "b", "c", "d"])], "x")
    assert f">{label}</text>" in page


def test_labels_stay_within_the_network() -> None:
    told = picture(group(30))._replace(names=[f"{'W' * 19}{i % 10}" for i in range(30)])
    page = render_groups([told], "x")
    found = re.findall(r'class="name" x="([\d.]+)" y="[\d.]+" text-anchor="(\w+)">([^<]+)<', page)
    assert found
    for x, anchor, text in found:  # 12.9 is the width of a W of the font that comes along
        end = float(x) + (1 if anchor == "start" else -1) * 12.8 * len(text)
        assert -13 <= end <= 1013


def test_without_groups_it_says_so() -> None:
    page = render_groups([], "x.jsonl")
    assert "There are no groups" in page
    assert "لا مجموعات" in page
