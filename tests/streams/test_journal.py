"""A checkpoint that is torn anywhere leaves the state before it or the state after it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.detect_state import Change
from streams.kafka import KafkaEngineError
from streams.kafka import journal as journal_module
from streams.kafka.journal import Journal, Write, applied

names = st.sampled_from(["a/1", "a/2", "b", "r/7/0", "r/7/1", "r/8/0"])
changes = st.lists(
    st.one_of(
        st.tuples(names, st.binary(max_size=40)),
        st.tuples(st.sampled_from(["a/", "r/7/"]), st.none()),
    ),
    min_size=1,
    max_size=6,
)


def write(held: dict[bytes, bytes], writes: list[Write]) -> None:
    for key, value in writes:
        if value is None:
            held.pop(key, None)
        else:
            held[key] = value


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "CHUNK_BYTES", 9)


@settings(max_examples=150, deadline=None)
@given(checkpoints=st.lists(changes, min_size=1, max_size=8), seed=st.integers(0, 10**6))
def test_a_torn_checkpoint_is_all_or_nothing(checkpoints: list[list[Change]], seed: int) -> None:
    draw = random.Random(seed)
    held: dict[bytes, bytes] = {b"5|a/1#0": b"\0of another partition"}
    wanted: dict[str, bytes] = {}
    journal = Journal(3, held)
    for some in checkpoints:
        writes = journal.writes(some)
        after = applied(wanted, some)
        if draw.random() < 0.5:
            write(held, writes)
            wanted = after
            continue
        cut = draw.randrange(len(writes) + 1)
        write(held, writes[:cut])  # and the writer is killed
        journal = Journal(3, held)
        assert journal.pieces in (wanted, after)
        if cut == len(writes):
            assert journal.pieces == after
        wanted = journal.pieces
    assert Journal(3, held).pieces == wanted
    assert held[b"5|a/1#0"] == b"\0of another partition"


def test_what_is_gone_leaves_no_key() -> None:
    held: dict[bytes, bytes] = {}
    journal = Journal(0, held)
    write(held, journal.writes([("a/1", b"x" * 50), ("b", b"")]))
    write(held, journal.writes([("a/", None), ("b", b"y")]))
    assert {key for key in held if b"journal" not in key} == {b"0|b#0"}


def test_a_journal_that_is_rubbish_is_told() -> None:
    mark = (7).to_bytes(8, "big")
    held = {b"0|journal#0": b"\0" + mark + b"\xc1", b"0|journal-head#0": b"\0" + mark + b"\0\0\0\1"}
    with pytest.raises(KafkaEngineError, match="journal"):
        Journal(0, held)
