"""Key tables against a Python set; generations, horizon and restoring of the deduplicator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.dedupe import Deduplicator, KeyTable
from streams.detect_state import settled

HOUR_MS = 3_600_000

# few distinct keys, extreme ones, and such as share a home slot
keys = st.one_of(
    st.integers(1, 12),
    st.integers(1, 2**64 - 1),
    st.sampled_from([2**64 - 1, 2**63, 1 << 40, 3 << 40]),
)
key_lists = st.lists(st.lists(keys, max_size=40), max_size=8)


def array(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.uint64)


def first_of(batch: list[int], seen: set[int]) -> list[bool]:
    new = []
    for key in batch:
        new.append(key not in seen)
        seen.add(key)
    return new


@settings(deadline=None)
@given(told=key_lists, capacity=st.sampled_from([4, 16, 4096]))
def test_a_table_is_a_set(told: list[list[int]], capacity: int) -> None:
    table, seen = KeyTable(capacity), set()
    for batch in told:
        assert table.add(array(batch)).tolist() == first_of(batch, seen)
        assert table.size == len(seen)
    assert set(table.keys().tolist()) == seen
    probes = [*seen, 5, 77, 2**64 - 3]
    assert table.contains(array(probes)).tolist() == [p in seen for p in probes]


def test_zero_is_a_key() -> None:
    table = KeyTable()
    assert table.add(array([0, 0])).tolist() == [True, False]
    assert table.contains(array([0])).tolist() == [True]


def test_a_table_grows_and_keeps_what_it_holds() -> None:
    table = KeyTable(4)
    many = np.arange(1, 50_001, dtype=np.uint64)
    for part in np.array_split(many, 7):
        assert table.add(part).all()
    assert not table.add(many).any()
    assert table.contains(many).all()
    assert not table.contains(many + np.uint64(50_000)).any()


@settings(deadline=None)
@given(
    told=st.lists(
        st.tuples(st.integers(0, 13), st.lists(st.integers(1, 9), max_size=5)), max_size=20
    )
)
def test_keys_are_remembered_for_the_horizon_and_not_for_long(
    told: list[tuple[int, list[int]]],
) -> None:
    seen, now = Deduplicator(horizon_ms=24 * HOUR_MS), 0
    sent: dict[int, int] = {}
    seen.turn(0)
    for hours, batch in told:
        for _ in range(hours):
            now += HOUR_MS
            seen.turn(now)
        for key in batch:
            (new,) = seen.first_seen(array([key])).tolist()
            age_h = (now - sent[key]) / HOUR_MS if key in sent else 1000
            if age_h < 24:
                assert not new
            if age_h >= 49:
                assert new
            sent[key] = now  # sending it again keeps it remembered
    assert seen.shortened == 0


@settings(deadline=None)
@given(
    told=st.lists(
        st.tuples(st.integers(0, 30), st.lists(st.integers(1, 30), max_size=6), st.booleans()),
        max_size=20,
    )
)
def test_a_restored_one_answers_alike(told: list[tuple[int, list[int], bool]]) -> None:
    one, other = Deduplicator(), Deduplicator()
    store: dict[str, bytes] = {}
    now = 0
    for hours, batch, resume in told:
        now += hours * HOUR_MS
        one.turn(now)
        other.turn(now)
        assert other.first_seen(array(batch)).tolist() == one.first_seen(array(batch)).tolist()
        if resume:
            for name, blob in settled(other.changes()):
                if blob is None:
                    store = {k: v for k, v in store.items() if not k.startswith(name)}
                else:
                    store[name] = blob
            other = Deduplicator()
            other.restore(store)
    # what is stored is no more than two generations hold
    generations = {name.split("/")[0] for name in store} - {"head"}
    assert len(generations) <= 2


def test_a_flood_turns_the_generations_early() -> None:
    seen = Deduplicator(max_keys=1000)
    seen.turn(0)
    for hour in range(6):
        seen.first_seen(np.arange(1, 1002, dtype=np.uint64) + np.uint64(hour * 10_000))
        seen.turn((hour + 1) * HOUR_MS)
    assert seen.shortened == 6


def test_nothing_stored_is_a_fresh_one() -> None:
    seen = Deduplicator()
    seen.restore({})
    assert seen.first_seen(array([1, 1])).tolist() == [True, False]


@pytest.mark.parametrize("count", [0, 1])
def test_small_batches(count: int) -> None:
    assert Deduplicator().first_seen(array([9] * count)).tolist() == [True] * count
