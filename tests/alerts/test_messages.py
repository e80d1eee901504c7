from __future__ import annotations

from pathlib import Path
from typing import get_args

import msgspec
import pytest
import yaml

import alerts.texts
from alerts.facts import FIELDS, changes, fact_sheet
from alerts.messages import (
    MessageError,
    OutgoingMessage,
    approve,
    doubts,
    edit,
    prepare,
    refresh,
    send,
    withdraw,
)
from alerts.playbook.records import TYPES, RenderedPlaybook, Severity
from alerts.records import Alert
from alerts.texts import load_phrases
from tests.alerts.build import only_alert, signal, stage

RESPONSE = Path(alerts.texts.__file__).with_name("response.yaml")
PHRASES = load_phrases(RESPONSE)


def alert(severity: Severity = "warning") -> Alert:
    return msgspec.structs.replace(only_alert(stage().handle([signal()])), severity=severity)


def holding(crisis: Alert) -> OutgoingMessage:
    return next(m for m in prepare(crisis) if m.id.endswith(":holding:web:en"))


def approved(crisis: Alert, *people: str) -> OutgoingMessage:
    message = holding(crisis)
    for who in people:
        message = approve(message, who, 1, message.digest, PHRASES)
    return message


def refused(code: str, step: object, *args: object) -> None:
    with pytest.raises(MessageError) as told:
        step(*args, PHRASES)  # type: ignore[operator]
    assert told.value.code == code
    assert told.value.sentence.ar
    assert told.value.sentence.en


def test_every_prepared_message_becomes_a_draft_in_both_languages_from_one_set_of_facts() -> None:
    crisis = alert()
    drafts = prepare(crisis)
    assert len({m.id for m in drafts}) == len(drafts)
    assert sum(len(m.posts) for m in drafts) == len(crisis.playbook.messages)
    assert {m.facts.digest for m in drafts} == {fact_sheet(crisis).digest}
    pairs = {(m.kind, m.channel) for m in drafts}
    assert {(m.kind, m.channel, m.language) for m in drafts} == {
        (*pair, language) for pair in pairs for language in ("ar", "en")
    }


def test_one_person_approves_a_warning_and_then_it_can_be_sent() -> None:
    crisis = alert()
    refused("not_approved", send, holding(crisis), "x.example/1", "badr", 2)
    message = approved(crisis, "amal")
    assert (message.state, [a.by for a in message.approvals]) == ("approved", ["amal"])
    once = send(message, "https://x.example/1", "badr", 2, PHRASES)
    twice = send(once, "https://acme.example/status", "badr", 3, PHRASES)
    assert twice.state == "sent"
    assert [(s.where, s.by, s.at_ms) for s in twice.sent] == [
        ("https://x.example/1", "badr", 2),
        ("https://acme.example/status", "badr", 3),
    ]


def test_two_different_people_approve_what_is_critical() -> None:
    crisis = alert("critical")
    message = approved(crisis, "amal")
    assert message.state == "draft"
    refused("not_approved", send, message, "x", "badr", 2)
    refused("approved_twice", approve, message, " AMAL ", 2, message.digest)
    message = approve(message, "badr", 2, message.digest, PHRASES)
    assert message.state == "approved"
    refused("not_a_draft", approve, message, "dina", 3, message.digest)


def test_nobody_approves_what_he_has_not_seen() -> None:
    crisis = alert()
    shown = holding(crisis)
    now = edit(shown, ("Something else.",), "badr", crisis, PHRASES)
    refused("stale", approve, now, "amal", 1, shown.digest)
    refused("actor", approve, now, "  ", 1, now.digest)


def test_it_locks_when_the_facts_change_after_approval_and_says_what_changed() -> None:
    crisis = alert()
    message = approved(crisis, "amal")
    assert refresh(message, crisis, PHRASES) == message
    later = msgspec.structs.replace(crisis, severity="critical", negative=crisis.negative + 60,
                                    evidence=crisis.evidence[1:])  # fmt: skip
    locked = refresh(message, later, PHRASES)
    assert locked.locked
    assert [c.field for c in locked.changed] == ["severity", "negative", "evidence"]
    assert [c.sentence.en for c in locked.changed] == [
        "severity: was warning, is now critical.",
        f"negative mentions: was {crisis.negative}, is now {crisis.negative + 60}.",
        f"evidence: 0 added, 1 gone, {len(later.evidence)} now.",
    ]
    assert locked.changed[0].sentence.ar == "الخطورة: كان تحذير وصار حرج."
    refused("locked", send, locked, "x", "badr", 3)
    refused("locked", approve, locked, "badr", 3, locked.digest)
    # written anew from the facts of now it starts over, with two people
    fresh = edit(locked, locked.posts, "badr", later, PHRASES)
    assert (fresh.state, fresh.approvals, fresh.changed, fresh.needs) == ("draft", (), (), 2)


def test_the_first_of_two_approvals_locks_it_too() -> None:
    crisis = alert("critical")
    message = approved(crisis, "amal")
    later = msgspec.structs.replace(crisis, total=crisis.total + 100)
    assert refresh(message, later, PHRASES).locked


def test_facts_that_come_back_unlock_it() -> None:
    crisis = alert()
    message = approved(crisis, "amal")
    later = refresh(message, msgspec.structs.replace(crisis, total=9_999), PHRASES)
    assert refresh(later, crisis, PHRASES) == message


def test_what_was_sent_says_what_is_no_longer_so_and_is_not_sent_again() -> None:
    crisis = alert()
    sent = send(approved(crisis, "amal"), "x", "badr", 2, PHRASES)
    outdated = refresh(sent, msgspec.structs.replace(crisis, total=9_999), PHRASES)
    assert [c.field for c in outdated.changed] == ["total"]
    refused("locked", send, outdated, "web", "badr", 3)


def test_an_approval_is_taken_back_before_it_is_sent() -> None:
    crisis = alert()
    refused("nothing_approved", withdraw, holding(crisis), "badr")
    message = approved(crisis, "amal")
    assert withdraw(message, "badr", PHRASES) == holding(crisis)
    refused("was_sent", withdraw, send(message, "x", "badr", 2, PHRASES), "badr")


def test_an_edited_draft_of_older_facts_is_not_approved() -> None:
    crisis = alert()
    mine = edit(holding(crisis), ("We look into it.",), "badr", crisis, PHRASES)
    later = refresh(mine, msgspec.structs.replace(crisis, total=9_999), PHRASES)
    refused("outdated", approve, later, "amal", 1, later.digest)


def test_a_withdrawn_draft_of_another_playbook_says_what_changed() -> None:
    crisis = alert()
    other = msgspec.structs.replace(crisis, type="rumour", playbook=none_of(crisis))
    kept = refresh(holding(crisis), other, PHRASES)
    assert [c.field for c in kept.changed] == ["type"]


def none_of(crisis: Alert) -> RenderedPlaybook:
    return msgspec.structs.replace(crisis.playbook, messages=())


def test_an_untouched_draft_follows_the_facts_and_an_edited_one_is_kept() -> None:
    crisis = alert()
    later = msgspec.structs.replace(crisis, total=9_999)
    assert refresh(holding(crisis), later, PHRASES) == holding(later)
    mine = edit(holding(crisis), ("We look into it.",), "badr", crisis, PHRASES)
    kept = refresh(mine, later, PHRASES)
    assert kept.posts == ("We look into it.",)
    assert [c.field for c in kept.changed] == ["total"]
    assert not kept.locked


def test_a_text_that_its_channel_does_not_take_is_refused() -> None:
    crisis = alert()
    x = next(m for m in prepare(crisis) if (m.kind, m.channel) == ("reply", "x"))
    refused("too_long", edit, x, ("a" * 281,), "b", crisis)
    refused("too_long", edit, x, ("a", "b"), "b", crisis)
    refused("blank", edit, x, (" ",), "b", crisis)
    assert edit(x, ("a" * 280,), "b", crisis, PHRASES).posts == ("a" * 280,)


def test_numbers_that_are_no_facts_are_doubted() -> None:
    crisis = alert()
    prepared = prepare(crisis)
    for message in prepared:
        assert doubts(message, prepared, PHRASES) == ()
    text = f"{crisis.total:,} mentions, {crisis.negative} of them negative, ٧٧٧ solved."
    mine = edit(holding(crisis), (text,), "badr", crisis, PHRASES)
    assert [d.en for d in doubts(mine, prepared, PHRASES)] == [
        "the number 777 is none of the alert's facts."
    ]


def test_a_message_survives_being_stored() -> None:
    crisis = alert()
    later = msgspec.structs.replace(crisis, terms=("new",))
    message = refresh(approved(crisis, "amal"), later, PHRASES)
    stored = msgspec.json.decode(msgspec.json.encode(message), type=OutgoingMessage)
    assert stored.digest == message.digest
    assert [c.sentence for c in stored.changed] == [c.sentence for c in message.changed]
    assert refresh(stored, crisis, PHRASES).changed == ()


def test_every_field_type_and_severity_has_its_words() -> None:
    texts = yaml.safe_load(RESPONSE.read_text("utf-8"))["facts"]
    assert tuple(texts["fields"]) == FIELDS
    assert tuple(texts["type"]) == TYPES
    assert tuple(texts["severity"]) == get_args(Severity)
    one = fact_sheet(alert())
    blank = msgspec.structs.replace(one, values={})
    assert [c.field for c in changes(blank, one, PHRASES)] == list(FIELDS)


def test_both_languages_say_the_same_with_the_same_facts() -> None:
    import re

    def pairs(node: object, path: str = "") -> list[tuple[str, str, str]]:
        assert isinstance(node, dict)
        if set(node) == {"ar", "en"}:
            return [(path, node["ar"], node["en"])]
        return [p for key, child in node.items() for p in pairs(child, f"{path}.{key}")]

    for path, ar, en in pairs(yaml.safe_load(RESPONSE.read_text("utf-8"))):
        assert set(re.findall(r"\{(\w+)", ar)) == set(re.findall(r"\{(\w+)", en)), path
        assert bool(ar) == bool(en), path
        assert not ar or re.search("[\u0621-\u064a]", ar), path
