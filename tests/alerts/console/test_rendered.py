"""A playbook's page shows every message that an alert would bring, whole and in both languages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from alerts.console.rendered import example_facts, prepared
from alerts.playbook import render
from alerts.playbook.records import LANGUAGES, PARTS
from tests.alerts.build import PLAYBOOKS, RIMAL

AT = datetime(2026, 11, 21, 10, 40, tzinfo=UTC)


@pytest.mark.parametrize("type_", sorted(PLAYBOOKS))
def test_nothing_of_it_is_missing(type_: str) -> None:
    playbook = PLAYBOOKS[type_]
    facts = example_facts(RIMAL, type_, AT)
    shown = prepared(playbook, facts)
    wanted = {
        (m.kind, m.language, m.channel): m for m in render(playbook, facts).messages if m.post == 1
    }
    found = {
        (one.kind, wording.language, counter.channel): counter
        for one in shown
        for wording in one.wordings
        for counter in wording.counters
    }
    assert found.keys() == wanted.keys()
    assert all(counter.fits for counter in found.values())
    for one in shown:
        assert [w.language for w in one.wordings] == list(LANGUAGES)
        for wording in one.wordings:
            names = tuple(name for name, _ in wording.parts)
            assert names == (PARTS if one.kind == "holding" else ())
            assert all("{{" not in text for text in wording.posts)
