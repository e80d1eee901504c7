"""Recent posts: bounded, the same in any order and after a restart; what groups are of a window."""

from __future__ import annotations

import numpy as np

from models.coordination.posts import KEPT_HOURS, SAMPLE, PostStore, Split
from models.kept import packed
from models.records import Author, Observations
from streams.detect_state import settled
from tests.models.test_coordination import WORDS
from tests.observing import HOUR_MS, MINUTE_MS, START_MS, Stream, merged, stream, usual

BRANDS = 2
END_MS = START_MS + 3 * HOUR_MS


def campaign(accounts: int = 30) -> Stream:
    """Each of some accounts posts two texts, half an hour before the end."""
    texts = [f"shame on acme {' '.join(WORDS[i * 9 : i * 9 + 9])}" for i in range(2)]
    times = END_MS - 30 * MINUTE_MS + np.arange(2 * accounts) * 20_000
    events = stream([0] * len(times), times, 0, texts=texts, seed=7)
    mentions = [
        type(m)(
            id=f"k-{i}", platform="x", published_at=m.published_at, text=m.text,
            author=Author(id=f"k{i // 2}"),
        )
        for i, m in enumerate(events.mention)
    ]  # fmt: skip
    return Stream(*events._arrays()[:4], events.platform, mentions, events.own)


def talk(rate: float = 60.0) -> Stream:
    """Three hours in which everybody says something else."""
    rng = np.random.default_rng(5)
    events = merged(usual(0, rate, 3, 1), usual(1, 5.0, 3, 2))
    mentions = [
        type(m)(
            id=m.id + str(i), platform="x", published_at=m.published_at,
            text=f"acme {' '.join(rng.choice(WORDS, 6))}", author=Author(id=f"p{i}"),
        )
        for i, m in enumerate(events.mention)
    ]  # fmt: skip
    return Stream(*events._arrays()[:4], events.platform, mentions, events.own)


def keep(events: Stream, size: int = 100) -> PostStore:
    store = PostStore(BRANDS)
    for batch in events.cut(size):
        store.add(batch, np.arange(len(batch)))
    return store


def last_hour(store: PostStore) -> Split:
    return store.split(0, END_MS - HOUR_MS, END_MS, None)


def test_what_a_group_is_of_a_window() -> None:
    events = merged(talk(), campaign())
    found = last_hour(keep(events))
    assert found.groups[0].kind == "coordination"
    assert set(found.groups[0].accounts) == {f"k{i}" for i in range(30)}
    inside = (events.published_ms >= END_MS - HOUR_MS) & (events.brand == 0)
    theirs = sum(events.mention[i].id.startswith("k-") for i in np.flatnonzero(inside).tolist())
    assert found.share == theirs / inside.sum()
    bad = inside & (events.label == 0)
    assert found.negative_share == 60 / bad.sum()


def test_without_a_group_nothing_is_split_off() -> None:
    found = last_hour(keep(talk()))
    assert found.groups == ()
    assert found.share == 0.0


def test_nothing_kept_is_not_nought() -> None:
    assert last_hour(PostStore(BRANDS)) == Split()


def test_a_longer_window_has_groups_and_no_share() -> None:
    found = keep(merged(talk(), campaign())).split(0, END_MS - 24 * HOUR_MS, END_MS, None)
    assert len(found.groups) == 1
    assert found.share is None


def test_order_batches_and_packing_change_nothing() -> None:
    events = merged(talk(), campaign())
    expected = last_hour(keep(events))
    rng = np.random.default_rng(1)
    assert last_hour(keep(events.take(rng.permutation(len(events))), 7)) == expected
    store = PostStore(BRANDS)
    obs = events.observations()
    fields = {name: getattr(obs, name) for name in Observations.__struct_fields__}
    fields["mention"] = [packed(m) for m in events.mention]
    store.add(Observations(**fields), np.arange(len(obs)))
    assert last_hour(store) == expected


def test_a_restart_changes_nothing() -> None:
    events = merged(talk(), campaign()).sorted()
    live, stored = PostStore(BRANDS), dict[str, bytes]()
    for number, batch in enumerate(events.cut(50)):
        live.add(batch, np.arange(len(batch)))
        if number % 3 == 0:
            for name, piece in settled(live.changes()):
                if piece is None:
                    stored = {k: v for k, v in stored.items() if not k.startswith(name)}
                else:
                    stored[name] = piece
            live = PostStore(BRANDS)
            live.restore(stored)
    assert last_hour(live) == last_hour(keep(events))


def test_a_flood_is_sampled_and_what_is_old_goes() -> None:
    store = keep(talk(rate=6000.0))
    rows = [len(bucket.of_brand(0)) for bucket in store.buckets.values()]
    assert max(rows) == SAMPLE
    store.thin(END_MS + KEPT_HOURS * HOUR_MS)
    assert not store.buckets


def test_while_an_episode_goes_on_only_what_is_final_is_looked_at() -> None:
    events = merged(talk(), campaign())
    store = keep(events)
    early = store.split(0, END_MS - HOUR_MS, END_MS, END_MS - 31 * MINUTE_MS)
    assert early.groups == ()
    assert store.split(0, END_MS - HOUR_MS, END_MS, END_MS + 1).groups


def test_posts_of_many_brands_are_those_of_each() -> None:
    store = keep(merged(talk(), campaign()))
    last = END_MS // (10 * MINUTE_MS) - 2  # what came later is left out
    ends = (last + 1) * 10 * MINUTE_MS
    for asked in ([0, 1], [1], []):
        found = dict(store.samples(asked, last))
        assert list(found) == asked
        for brand, posts in found.items():
            wanted = store.sample(brand, ends - KEPT_HOURS * HOUR_MS, ends)
            assert posts.mentions == wanted.mentions
            assert posts.rows.tolist() == wanted.rows.tolist()
            assert posts.rows["published_ms"].max() < ends
