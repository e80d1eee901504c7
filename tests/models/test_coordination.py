"""Groups found in streams whose truth is known, and bounds that no attacker exceeds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from models.coordination.accounts import Account
from models.coordination.detector import MOST_GROUPS, Coordination
from models.coordination.group import _beyond_chance, _people
from models.coordination.groups import _eager, _tagged
from models.coordination.held import Held
from models.coordination.record import published_of, record
from models.coordination.table import Table
from models.coordination.trace import Trace
from models.coordination.traces import words_of
from models.coordination.window import TraceWindow
from models.records import AccountGroup, Author, Mention

DAY_MIN = 24 * 60
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD = datetime(2015, 1, 1, tzinfo=UTC)
_PARTS = ("ra", "li", "mo", "pe", "stu", "ka", "ne", "vo", "di", "ghu", "sha", "we")
WORDS = [f"{a}{b}{c}" for a in _PARTS for b in _PARTS for c in _PARTS]


def post(who: str, minute: float, text: str, **more: object) -> Mention:
    at = BEGIN + timedelta(minutes=minute)
    author = more.pop("author", None) or Author(id=who)
    return Mention(
        id=f"{who}-{minute}", platform="x", published_at=at, text=text, author=author, **more
    )


def ms(mention: Mention) -> int:
    return int(mention.published_at.timestamp() * 1000)


def calm(count: int, minutes: float, seed: int = 1) -> list[Mention]:
    """People who say different things of the same kind."""
    rng = np.random.default_rng(seed)
    at = np.sort(rng.uniform(0, minutes, count))
    usual = "acme app not working today"
    return [
        post(f"p{rng.integers(0, count)}", t, f"{usual} {' '.join(rng.choice(WORDS, 5))} {i % 7}")
        for i, t in enumerate(at.tolist())
    ]


def campaign(accounts: int, texts: int, minutes: float, seed: int = 2) -> list[Mention]:
    """Every account posts two of a few texts."""
    rng = np.random.default_rng(seed)
    said = [f"shame on acme {' '.join(rng.choice(WORDS, 8))}" for _ in range(texts)]
    return [
        post(f"k{i}", float(rng.uniform(60, 60 + minutes)), said[j])
        for i in range(accounts)
        for j in rng.choice(texts, 2, replace=False)
    ]


def found(mentions: list[Mention], size: int = 100, **limits: int) -> list[AccountGroup]:
    mentions = sorted(mentions, key=lambda m: m.published_at)
    looks = Coordination(TraceWindow(**limits)) if limits else Coordination()
    for first in range(0, len(mentions), size):
        looks.observe(mentions[first : first + size])
    looks.look()
    published = published_of(np.array(list(map(ms, mentions)), dtype=np.int64))
    return [record(g, published) for g in looks.groups]


def test_calm_talk_has_no_groups() -> None:
    assert found(calm(3000, 24 * 60)) == []


@pytest.mark.parametrize("ratio", [1, 5, 20])
def test_a_campaign_is_found_in_other_talk(ratio: int) -> None:
    (group,) = found(campaign(40, 4, 90) + calm(80 * ratio, 240))
    assert group.kind == "coordination"
    assert group.score > 0.8
    own = {a for a in group.accounts if a.startswith("k")}
    assert len(own) >= 38
    assert len(own) >= 0.9 * len(group.accounts)
    assert group.found_ms <= (BEGIN + timedelta(minutes=105)).timestamp() * 1000


def test_batches_change_nothing() -> None:
    mentions = campaign(30, 3, 60) + calm(300, 240)
    assert found(mentions, 1) == found(mentions, 37) == found(mentions, 10_000)
    one, more = found(mentions, 1, capacity=100), found(mentions, 37, capacity=100)
    assert one == more != []


def test_angry_people_are_no_campaign() -> None:
    """Everybody complains of the same thing at the same moment, in words of their own."""
    rng = np.random.default_rng(4)
    angry = [
        post(f"a{i}", 60 + i / 20, f"acme app down {' '.join(rng.choice(WORDS, 4))} #acmedown")
        for i in range(600)
    ]
    assert [g for g in found(angry + calm(200, 240)) if g.kind == "coordination"] == []


def test_one_post_that_many_repost_is_amplification() -> None:
    reposts = [
        post(f"r{i}", 60 + i / 3, "RT @x: look what acme did to " + " ".join(WORDS[:8]),
             kind="repost", repost_of="77")
        for i in range(60)
    ]  # fmt: skip
    (group,) = found(reposts + calm(240, 240))
    assert group.kind == "amplification"
    assert group.score < 0.5
    assert group.evidence[0].kind == "repost"
    assert len(group.accounts) == 60
    assert 0.3 < group.share < 0.9


def test_one_post_is_one_thing_whatever_is_in_it() -> None:
    text = "RT @x: look " + " ".join(f"#{word} https://a.example/{word}" for word in WORDS[:5])
    reposts = [
        post(f"r{i}", 60 + i, text, kind="repost", repost_of="77", media=("phash:7",))
        for i in range(8)
    ]  # fmt: skip
    assert found(reposts + calm(240, 240)) == []


TAGS = ("#AcmeDerby", "#GreenFalcons", "#MatchNight", "#Riyadh")


def test_who_cheers_with_the_same_hashtags_copies_nobody() -> None:
    rng = np.random.default_rng(4)
    cheers = [
        post(f"f{i}", 60 + i / 3, " ".join([*rng.choice(WORDS, 2), *TAGS]))
        for i in range(60)
    ]  # fmt: skip
    assert [g for g in found(cheers + calm(240, 240)) if g.kind == "coordination"] == []


def test_reposting_the_same_many_things_together_is_coordination() -> None:
    rng = np.random.default_rng(7)
    ring = [
        post(f"k{i}", 60 + 20 * wave + float(rng.uniform(0, 2)), "RT", kind="repost",
             repost_of=f"o{wave}")
        for wave in range(8)
        for i in range(12)
    ]  # fmt: skip
    groups = [g for g in found(ring + calm(400, 300)) if g.kind == "coordination"]
    assert [len(g.accounts) for g in groups] == [12]


def waves(
    accounts: int, times: int, *, chance: float = 1.0, spread: float = 0.75, **more: object
) -> list[Mention]:
    """Accounts that repost one post after another, each within so many minutes."""
    rng = np.random.default_rng(accounts)
    return [
        post(f"k{i}", 60 + 20 * wave + float(rng.uniform(0, spread)), f"RT {wave} {i}",
             **({"kind": "repost", "repost_of": f"o{wave}"} | more))
        for wave in range(times)
        for i in range(accounts)
        if rng.random() < chance
    ]  # fmt: skip


@pytest.mark.parametrize(("accounts", "times"), [(15, 3), (40, 3), (310, 12)])
def test_reposting_a_few_things_as_if_at_a_signal_is_coordination(
    accounts: int, times: int
) -> None:
    """However many they are of all: that they are the same each time tells it."""
    groups = [g for g in found(waves(accounts, times) + calm(240, 300)) if g.kind == "coordination"]
    assert [len(g.accounts) for g in groups] == [accounts]


@pytest.mark.parametrize(
    "crowd",
    [
        waves(40, 2),  # twice may be chance
        waves(400, 6, chance=0.4),  # an audience: mostly others each time
        waves(40, 3, spread=4.5),  # not at once
        waves(40, 1, kind="post", repost_of=None, media=("phash:1", "phash:2", "phash:3")),
    ],
    ids=["twice", "audience", "slowly", "one moment"],
)
def test_who_comes_together_otherwise_is_none(crowd: list[Mention]) -> None:
    groups = [g for g in found(crowd + calm(1500, 300)) if g.kind == "coordination"]
    assert groups == []


def test_a_headline_shared_with_its_link_is_news() -> None:
    headline = "Acme bank opens forty branches in the north next year, says its chairman"
    news = [post(f"n{i}", 60 + i, headline, links=("https://news.example/a1",)) for i in range(40)]
    groups = found(news + calm(200, 240))
    assert {g.kind for g in groups} == {"amplification"}
    assert {g.innocent for g in groups} == {"news"}


NEWS = "Acme bank opens forty branches in the north next year, says its chairman in the capital"


@pytest.mark.parametrize(
    ("posts", "innocent"),
    [
        ([post(f"n{i}", 60 + i / 9, f"{NEWS} https://paper{i}.example/1") for i in range(40)],
         "news"),
        ([post(f"n{i % 8}", 60 + i / 9, f"{NEWS} https://jobs.example/{i}") for i in range(48)],
         "automated"),
        ([post(f"n{i}", 60 + i / 9, NEWS) for i in range(40)], "asked"),
        ([post(f"n{i}", 60 + i, f"look {i}", media=("phash:1",)) for i in range(20)], "popular"),
    ],
)  # fmt: skip
def test_what_else_may_explain_it(posts: list[Mention], innocent: str) -> None:
    """Many papers with the page of each; accounts that post one after another; a picture."""
    groups = found(posts + calm(200, 240))
    assert groups
    assert {g.innocent for g in groups} == {innocent}


def test_young_accounts_made_together_weigh_more() -> None:
    text = "shame on acme " + " ".join(WORDS[3:11])

    def score(first: datetime, days: int) -> float:
        born = [first + timedelta(days=days * i) for i in range(20)]
        posts = [
            post(f"k{i}", 60 + 3 * i, text, author=Author(id=f"k{i}", created_at=born[i]))
            for i in range(20)
        ]
        return max((g.score for g in found(posts + calm(200, 240))), default=0.0)

    assert score(BEGIN - timedelta(days=20), 0) > 0.8
    assert score(OLD, 100) < 0.5


def test_a_group_keeps_its_name_as_it_grows() -> None:
    mentions = sorted(campaign(40, 4, 90) + calm(200, 240), key=lambda m: m.published_at)
    looks, names = Coordination(), set()
    for mention in mentions:
        names |= {g.id for g in looks.observe([mention])}
    assert len({g.id for g in looks.groups}) == 1
    assert {g.id for g in looks.groups} <= names


def test_pairs_stand_side_by_side_with_their_differences() -> None:
    text = "shame on acme " + " ".join(WORDS[3:13])
    posts = [post(f"k{i}", 60 + i, f"{text} number{i}") for i in range(30)]
    (group,) = found(posts)
    evidence = group.evidence[0]
    assert [p.account for p in evidence.posts] == ["k0", "k1"]
    assert evidence.differs == (("number0",), ("number1",))


def test_memory_is_bounded() -> None:
    """A flood of accounts, hashtags, links and texts that are all different."""
    window = TraceWindow(capacity=500)
    looks = Coordination(window)
    rng = np.random.default_rng(9)
    flood = [
        post(f"f{i}", i / 1000, f"#tag{i} {' '.join(rng.choice(WORDS, 8))}",
             links=(f"https://e.example/{i}",))
        for i in range(5000)
    ]  # fmt: skip
    looks.observe(flood)
    assert len(window) == 500
    assert len(window.accounts) <= 500
    assert window.keys_held() <= 500 * (8 + 16)
    assert looks.groups == []


def test_what_was_let_go_is_not_kept_for_copies_that_come_late() -> None:
    window, rng = TraceWindow(capacity=4), np.random.default_rng(3)
    for turn in range(20):
        at, text = 10.0 * turn, " ".join(rng.choice(WORDS, 12))
        said = [post("a", at + 1, text), post("a", at, text)]  # the second came late
        said += [post(f"b{i}", at + 2, " ".join(rng.choice(WORDS, 12))) for i in range(2)]
        said.append(post("a", at + 3, text))  # now the first goes, and what the two shared with it
        for _ in window.add(said, words_of([m.text for m in said])):
            pass
    assert len(window._changed) <= len(window)


def test_mentions_that_claim_to_be_one_are_let_go_all_the_same() -> None:
    window, rng = TraceWindow(), np.random.default_rng(4)
    long = " ".join(rng.choice(WORDS, 60))  # longer than what is shown of it
    texts = [" ".join(rng.choice(WORDS, 12)), *(f"{long} {end}" for end in ("", long[::-1]))]
    said = [post("a", 0, text) for text in texts]
    said += [post(f"b{i}", 1 + i, text) for i, text in enumerate(texts)]
    for _ in window.add(said, words_of([m.text for m in said])):
        pass
    assert len(window.sharing().copied) == 2
    late = [post("c", 3 * 1440, "hello")]
    for _ in window.add(late, words_of([m.text for m in late])):
        pass
    assert not window.sharing().copied
    assert not window._ages.before(1 << 60)


def test_a_text_that_claims_to_be_another_outlives_it() -> None:
    window, rng = TraceWindow(span_ms=3_600_000), np.random.default_rng(8)
    shown = "a" * 290  # as much as is kept of both
    one, other = (f"{shown} {' '.join(rng.choice(WORDS, 12))}" for _ in range(2))
    said = [post("a", 0, one), post("b", 1, one), post("a", 0, other)]
    said += [post(f"c{i}", 30 + i, other) for i in range(5)]
    said.append(post("d", 61.5, "hello"))  # the two copies of the first go
    for _ in window.add(said, words_of([m.text for m in said])):
        pass
    (copied,) = window.sharing().copied
    assert len(copied.joined) == 5


def test_a_text_keeps_nothing_of_the_others_that_came_with_it() -> None:
    window, rng = TraceWindow(), np.random.default_rng(5)
    said = [post(f"a{i}", i, " ".join(rng.choice(WORDS, 12))) for i in range(200)]
    for _ in window.add(said, words_of([m.text for m in said])):
        pass
    texts = [held.said for held in window._held if isinstance(held, Held) and held.said]
    assert len(texts) > 100
    # a view would keep all of what it is a part of
    assert {type(part) for text in texts for part in (text.words, text.bits)} == {bytes}


def test_a_turn_that_an_error_cut_off_does_no_harm() -> None:
    window, text = TraceWindow(), " ".join(WORDS[:12])
    said = [post(f"a{i}", i, f"{text} {WORDS[20 + i]}") for i in range(20)]
    cut_off = window.add(said, words_of([m.text for m in said]))
    next(cut_off)
    cut_off.close()
    more = [post(f"b{i}", 30 + i, text) for i in range(3)]
    for _ in window.add(more, words_of([m.text for m in more])):
        pass
    (copied,) = window.sharing().copied
    assert len(copied.joined) == 3  # the first gave its places to those that were never held


def test_who_left_before_the_time_is_known_by_name_again() -> None:
    """The last mention of it to go came late, so that it went in its time."""
    window, rng = TraceWindow(capacity=5), np.random.default_rng(6)
    day = 24 * 60
    said = [post("a", 2 * day, "#shared"), post("a", day + 10, "late")]
    said += [post(f"b{i}", 2 * day + i, "#shared") for i in range(1, 5)]
    said += [post(f"c{i}", 2 * day + 20 + i, "#shared") for i in range(3)]
    said += [post("a", 2 * day + 40, " ".join(rng.choice(WORDS, 3)))]
    for _ in window.add(said, words_of([m.text for m in said])):
        pass
    assert "a" in {account.shown for account in window.accounts.sharing.values()}


def test_groups_are_bounded() -> None:
    """Hundreds of small campaigns at once: the latest are kept, and how many were not is told."""
    looks = Coordination()
    rng = np.random.default_rng(9)
    texts = [" ".join(rng.choice(WORDS, 10)) for _ in range(300)]
    copies = [post(f"k{i}-{j}", i + j / 60, t) for i, t in enumerate(texts) for j in range(25)]
    looks.observe(sorted(copies, key=lambda m: m.published_at))
    looks.look()
    assert len(looks.groups) == MOST_GROUPS
    assert looks.dropped > 0


def daily(days: int, accounts: int = 30) -> list[Mention]:
    """The same accounts post three texts a day, an hour apart, within a minute, beside others."""
    said = calm(60 * days, days * DAY_MIN, seed=4)
    rng = np.random.default_rng(5)
    for day in range(days):
        for hour in range(3):
            text = " ".join(rng.choice(WORDS, 12))
            at = DAY_MIN * day + 600 + 60 * hour
            said += [post(f"w{i}", at + i / 20, text) for i in range(accounts)]
    return said


def test_a_group_that_goes_on_is_told_whole() -> None:
    """What the window has let go of counts with what is there."""
    said = daily(days=4)
    (group,) = [g for g in found(said) if g.kind == "coordination"]
    own = {mention.id for mention in said if mention.author and mention.author.id[0] == "w"}
    assert set(group.mentions) == own
    inside = [m for m in said if group.first_ms <= ms(m) <= group.last_ms]
    assert group.share == round(len(own) / len(inside), 4)
    assert group.facts["texts"] == 12
    assert {trace.accounts for trace in group.evidence} == {30}


@pytest.mark.parametrize("capacity", [8192, 600])
def test_what_a_group_did_is_no_habit_of_its_public(capacity: int) -> None:
    """Nor when more has been said since than is remembered."""
    said = daily(days=6)
    (group,) = [g for g in found(said, capacity=capacity) if g.kind == "coordination"]
    assert group.score > 0.9
    assert group.last_ms >= max(ms(m) for m in said if m.author and m.author.id[0] == "w") - 60_000


def test_a_thing_that_drips_on_keeps_its_share() -> None:
    said = [post(f"r{i}", 2 * i, "RT", kind="repost", repost_of="s1") for i in range(12)]
    said += [post(f"d{i}", 600 + 600 * i, "RT", kind="repost", repost_of="s1") for i in range(20)]
    said += calm(2000, 5 * DAY_MIN)
    (told,) = [g for g in found(said) if g.kind == "amplification"]
    inside = [m for m in said if told.first_ms <= ms(m) <= told.last_ms]
    own = [m for m in inside if m.repost_of]
    assert set(told.mentions) == {m.id for m in own}
    assert told.share == round(len(own) / len(inside), 4)


def test_of_a_group_whose_members_change_all_who_copied_are_told() -> None:
    rng = np.random.default_rng(6)
    said = calm(240, 4 * DAY_MIN, seed=4)
    for day in range(4):
        for hour in range(3):
            text = " ".join(rng.choice(WORDS, 12))
            said += [
                post(f"w{15 * day + i}", DAY_MIN * day + 600 + 60 * hour + i / 20, text)
                for i in range(30)
            ]
    (group,) = [g for g in found(said) if g.kind == "coordination"]
    assert (len(group.accounts), group.facts["copiers"], group.facts["texts"]) == (75, 75, 12)


def test_of_a_group_that_goes_on_so_much_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said of a time of which nothing is known any more."""
    monkeypatch.setattr("models.coordination.group._MOST_EARLIER", 100)
    said = daily(days=4)
    (group,) = [g for g in found(said) if g.kind == "coordination"]
    kept = sorted(ms(m) for m in said if m.id in set(group.mentions))
    assert len(kept) < 4 * 90
    assert (group.first_ms, group.last_ms) == (kept[0], kept[-1])
    assert group.first_ms > ms(min(said, key=lambda m: m.published_at)) + 86_400_000


def test_more_posts_of_one_thing_than_accounts_are_known_count() -> None:
    said = [post(f"r{i}", i / 200, "RT", kind="repost", repost_of="s1") for i in range(3000)]
    (group,) = found(said)
    assert (group.facts["accounts"], group.share) == (3000, 1.0)
    many = [
        post(f"c{i}", 60 * j + i / 100, text)
        for i in range(1500)
        for j, text in enumerate((" ".join(WORDS[:12]), " ".join(WORDS[20:32])))
    ]
    (group,) = [g for g in found(many) if g.kind == "coordination"]
    assert len(group.mentions) == 3000


def test_an_id_is_one_mention_on_its_platform_alone() -> None:
    said = daily(days=1)
    twin = [msgspec.structs.replace(m, platform="y") for m in said]
    (group,) = [g for g in found(said + twin) if g.kind == "coordination"]
    assert len(group.mentions) == 2 * 90


def test_what_is_old_is_forgotten() -> None:
    window = TraceWindow()
    looks = Coordination(window)
    looks.observe([post(f"k{i}", i, "shame on acme " + " ".join(WORDS[3:11])) for i in range(30)])
    assert window.traces_held() == 1
    looks.observe([post("late", 3 * 1440, "hello")])
    assert len(window) == 1
    assert not window.sharing().copied
    assert window.traces_held() == 0
    assert window.keys_held() == 0


def test_mentions_without_an_author_or_text_do_no_harm() -> None:
    odd = [post("a", 1, ""), post("b", 2, "\u200b" * 100), post("c", 3, "\ud800 #\u202e")]
    nobody = Mention(id="n", platform="x", published_at=BEGIN, text="no author here at all")
    assert found([*odd, nobody]) == []


def test_set_phrases_at_the_pace_of_all_talk_are_no_group() -> None:
    """Many people put the same questions in the same words, all day long."""
    rng = np.random.default_rng(5)
    asked = [
        f"how do I close my account at acme {' '.join(rng.choice(WORDS, 6))}" for _ in range(9)
    ]
    phrases = [
        post(f"q{i}", float(rng.uniform(0, 1440)), asked[int(rng.integers(9))]) for i in range(200)
    ]
    assert [g for g in found(phrases + calm(1000, 1440)) if g.kind == "coordination"] == []
    rush = [post(f"k{i}", 700 + i / 3, asked[0]) for i in range(40)]
    (group,) = (g for g in found(phrases + calm(1000, 1440) + rush) if g.kind == "coordination")
    assert {f"k{i}" for i in range(40)} <= set(group.accounts)


def test_what_is_first_amplified_and_then_coordinated_is_told_once() -> None:
    groups = found(campaign(40, 4, 90) + calm(80, 240))
    assert [g.kind for g in groups] == ["coordination"]
    assert len({g.id for g in groups}) == len(groups)


def shared_by(count: int, kind: str = "tag", times: int = 1) -> Trace:
    trace = Trace(kind, 1, "#x", 0, 0)
    for i in range(count):
        trace.note(i, 0, times=times)
    return trace


def test_a_hashtag_joins_copiers_unless_it_is_everybodys() -> None:
    copied = [set(range(6))]
    assert _tagged(copied, [shared_by(6)]) == [set(range(6))]
    assert _tagged(copied, [shared_by(100)]) == []


def test_who_uses_the_groups_own_hashtag_again_and_again_joins_it() -> None:
    tag = shared_by(10)
    tag.note(10, 0, times=3)
    tag.note(11, 0, times=2)
    more = _eager(set(range(10)), [tag])
    assert 10 in more
    assert 11 not in more


def test_handles_of_digits_tell_something_where_they_are_not_usual() -> None:
    window = TraceWindow()
    group = [Account("a", "ab12345", None, numbered=True) for _ in range(10)]
    window.accounts._names = {("x", f"{i}"): Account("a", None, None) for i in range(200)}
    window.accounts.numbered = 10
    assert "handles" in _people(group, 0, window)
    window.accounts.numbered = 190
    assert "handles" not in _people(group, 0, window)


def test_what_the_public_often_says_in_the_same_words_counts_less() -> None:
    window = TraceWindow()
    text = shared_by(10, "text")
    own = Table.of_entries([(text, range(len(text.joined)))])
    rare = _beyond_chance(own, own, (0, 0), window)
    assert rare > 0.9
    assert _beyond_chance(own, own, (1_000_000, 100_000), window) < 0.3


def test_a_short_text_tells_enough_together_with_a_link() -> None:
    short = " ".join(WORDS[3:6])

    def copied(**more: object) -> int:
        looks = Coordination()
        looks.observe([post(f"k{i}", i, short, **more) for i in range(2)])
        return len(looks.window.sharing().copied)

    assert copied() == 0
    assert copied(links=("https://e.example/1",)) == 1
