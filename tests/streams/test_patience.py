"""What a cluster does not know yet is asked for again."""

from __future__ import annotations

import pytest
from kafka.errors import CoordinatorNotAvailableError, TopicAuthorizationFailedError

from streams.kafka.connection import patiently


def test_a_broker_that_hears_of_a_topic_later_is_asked_again() -> None:
    answers = iter([set[str](), {"mentions"}, {"mentions", "signals"}])
    assert patiently(lambda: next(answers), lambda found: len(found) == 2) == {
        "mentions",
        "signals",
    }


def test_the_last_answer_stands_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.kafka.connection._PATIENCE_S", 0.0)
    assert patiently(set[str], lambda found: len(found) == 2) == set()


def test_an_error_that_passes_is_waited_for() -> None:
    answers = iter([CoordinatorNotAvailableError(), None])

    def ask() -> str:
        if error := next(answers):
            raise error
        return "there"

    assert patiently(ask) == "there"


def test_an_error_that_stays_is_told() -> None:
    def ask() -> None:
        raise TopicAuthorizationFailedError

    with pytest.raises(TopicAuthorizationFailedError):
        patiently(ask)
