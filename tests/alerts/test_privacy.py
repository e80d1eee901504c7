from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.erased_parts import erased_narrative
from alerts.naming import Naming
from alerts.persons import people
from alerts.privacy import Author, digest, erase, known, stripped, without_handles
from alerts.pseudonyms import Pseudonyms, pseudonymous
from alerts.records import Alert
from alerts.retention import Retention
from models.records import (
    AccountGroup,
    Carrier,
    Evidence,
    GroupPost,
    GroupTrace,
    NarrativeRecord,
    NarrativeText,
    Signal,
)
from tests.alerts.build import only_alert, signal, stage

AMAL = Author(platform="x", id="77", handles=frozenset({"amal_k"}))
OURS = """
    id brand type severity score state since opened_at updated_at resolved_at title explanation
    kind window_min observed expected threshold ratio total negative negative_share
    usual_negative_share authors reach platforms languages topics signals timeline playbook
    last_signal_ms schema negative_share_estimate negative_reach_share negative_intensity
    usual_negative_intensity coordinated_share
    phase window_start_ms window_end_ms at_ms lower upper surprise line history_h return_h
    negative_estimate intensity usual_intensity reach_share
    bars told_share told_negative subject
"""
KEY = b"a-secret-of-32-bytes-or-so------"


def said(mention: str, author: str, handle: str, text: str, platform: str = "x") -> Evidence:
    return Evidence(
        id=mention, platform=platform, published_ms=5, text=text, lang="en", label="negative",
        negative=0.9, reach=4_000, author_id=author, handle=handle, name=handle.title(),
        followers=4_000, url=f"https://{platform}.example/{mention}",
    )  # fmt: skip


def post(mention: str, account: str, text: str) -> GroupPost:
    return GroupPost(id=mention, account=account, published_ms=5, text=text)


GROUP = AccountGroup(
    id="g-1", kind="coordination", score=0.8, accounts=("77", "78", "79"), mentions=("m1", "m2"),
    first_ms=1, last_ms=9, found_ms=9, share=0.4, innocent="popular", parts={}, facts={},
    evidence=(
        GroupTrace(
            kind="text", shown="the bank is closed", accounts=3, mentions=3, first_ms=1, last_ms=9,
            posts=(
                post("m1", "77", "the bank is closed"),
                post("m2", "78", "bank is closed @amal_k"),
            ),
            differs=(("the",), ("@amal_k",)),
        ),
    ),
)  # fmt: skip


def alert() -> Alert:
    crisis = only_alert(stage().handle([signal()]))
    evidence = (
        said("m1", "77", "Amal_K", "the bank is closed"),
        said("m2", "78", "badr", "same here, @amal_k. Mail me at x@amal_k.example"),
        said("m3", "79", "dina", "RT @amal_k: the bank is closed"),
        said("m4", "77", "other", "another platform", platform="reddit"),
    )
    return msgspec.structs.replace(
        crisis, evidence=evidence, groups=(GROUP,), terms=("amal_k", "closed")
    )


def test_nothing_that_leads_to_the_author_is_left() -> None:
    before = alert()
    after = erase(before, AMAL)
    packed = msgspec.json.encode(after.evidence[:3]) + msgspec.json.encode(after.groups)
    for trace in (b'"77"', b"Amal", b"the bank is closed", b'"m1"', b"/m1"):
        assert trace in msgspec.json.encode(before)
        assert trace not in packed
    assert b"@amal_k" not in packed.replace(b"x@amal_k.example", b"")
    assert after.terms == ("closed",)
    assert after.evidence[0].id == f"erased:{digest(before.evidence[0])}"


def test_what_others_wrote_and_what_is_counted_stays() -> None:
    before = alert()
    after = erase(before, AMAL)
    assert after.evidence[1].text == "same here, @erased. Mail me at x@amal_k.example"
    assert after.evidence[2].handle == "dina"  # passed it on
    assert after.evidence[2].text == ""
    assert after.evidence[3] == before.evidence[3]  # the same id on another platform
    assert [(e.label, e.reach, e.published_ms) for e in after.evidence] == [
        (e.label, e.reach, e.published_ms) for e in before.evidence
    ]
    assert after.groups[0].accounts == ("erased", "78", "79")
    assert after.groups[0].evidence[0].posts[1].text == "bank is closed @erased"
    same = {"evidence": (), "groups": (), "terms": ()}
    assert msgspec.structs.replace(after, **same, playbook=before.playbook) == (
        msgspec.structs.replace(before, **same)
    )


def test_erasing_twice_or_somebody_else_changes_nothing() -> None:
    once = erase(alert(), AMAL)
    assert erase(once, AMAL) is once
    stranger = Author(platform="x", id="1", handles=frozenset({"nobody"}))
    before = alert()
    assert erase(before, stranger) is before


def test_a_signal_is_erased_alike() -> None:
    held = msgspec.structs.replace(signal(), evidence=alert().evidence, groups=(GROUP,))
    after = erase(held, AMAL)
    assert after.evidence == erase(alert(), AMAL).evidence
    assert after.observed == held.observed


def test_handles_and_posts_are_known_from_the_evidence() -> None:
    bare, stranger = Author(platform="X", id="77"), Author(platform="x", id="5")
    assert known(bare, [alert()]) == msgspec.structs.replace(
        bare, handles=frozenset({"amal_k"}), posts=frozenset({"m1"})
    )
    assert known(stranger, [alert()]) == stranger


@given(st.text(max_size=60), st.sampled_from(["amal", "a.b", "x_", "عمل"]))
def test_no_handle_is_left_in_a_text(text: str, handle: str) -> None:
    author = Author(platform="x", id="1", handles=frozenset({handle}))
    words = f"{text} @{handle.upper()} {text}"
    once = without_handles(words, author)
    assert f"@{handle.upper()} " not in once.replace(text, "")
    assert without_handles(once, author) == once


def narrative() -> NarrativeRecord:
    def said_first(account: str, handle: str, mention: str, text: str) -> Carrier:
        return Carrier(account=account, platform="x", handle=handle, followers=9, mention=mention,
                       published_ms=5, text=text)  # fmt: skip

    return NarrativeRecord(
        id="n-1", kind="rumour", score=0.7, first_ms=1, last_ms=9, found_ms=None, mentions=40,
        accounts=30, speed_now=1.0, speed_before=0.0, speed_peak=2.0, languages={}, platforms={},
        negative_share=None, claims=1, questions=1, denials=1, complaints=1, sources=0,
        terms=("closed", "amal_k"), parts={},
        texts=(NarrativeText(id="n7", text="the bank is closed", times=9),
               NarrativeText(id="n8", text="is it true @amal_k?", times=3)),
        carriers=(said_first("77", "Amal_K", "n7", "the bank is closed"),
                  said_first("78", "badr", "n8", "is it true @amal_k?")),
    )  # fmt: skip


def test_who_said_it_first_is_erased_and_the_narrative_stays() -> None:
    bare = Author(platform="x", id="77", handles=frozenset({"amal_k"}))
    after = erased_narrative(narrative(), bare)
    packed = msgspec.json.encode(after)
    assert b"mal_" not in packed
    assert b"the bank is closed" not in packed
    assert b'"77"' not in packed
    assert b"n7" not in packed
    assert [(t.text, t.times) for t in after.texts] == [("", 9), ("is it true @erased?", 3)]
    assert after.carriers[1].handle == "badr"
    assert erased_narrative(after, bare) == after
    told = Pseudonyms(KEY).part(narrative(), Naming({}))
    assert b"mal_" not in msgspec.json.encode(msgspec.structs.replace(told, terms=()))


def test_a_new_field_is_looked_at_before_it_is_kept() -> None:
    """Of each field somebody has decided whether it can hold what people wrote, or who they are.

    A field that can belongs to `alerts.privacy.PARTS`, or is handled by name in `erase`,
    `stripped` and `alerts.pseudonyms`.
    """
    people_in = {"evidence", "groups", "terms", "narratives", "defence", "impostor"}
    assert set(Alert.__struct_fields__) | set(Signal.__struct_fields__) == people_in | set(
        OURS.split()
    )
    held = msgspec.structs.replace(signal(), groups=(GROUP,))
    assert {name for name, _ in people(held)} == {"evidence", "groups"}


# exports --------------------------------------------------------------------------------------


def test_an_export_names_nobody_and_still_tells_who_is_the_same() -> None:
    out = pseudonymous(alert(), KEY)
    packed = msgspec.json.encode((out.evidence, out.groups)).replace(b"x@amal_k.example", b"")
    for trace in (b"Amal", b"amal_k:", b"@amal_k.", b'"77"', b'"m1"', b"https://"):
        assert trace not in packed
    ids = [e.author_id for e in out.evidence]
    assert ids[0] == ids[3] == Pseudonyms(KEY).account("77") == out.groups[0].accounts[0]
    assert len(set(ids)) == 3
    assert pseudonymous(alert(), KEY) == out
    assert pseudonymous(alert(), b"another") != out
    assert out.groups[0].accounts[0] == out.groups[0].evidence[0].posts[0].account
    assert out.evidence[0].text == "the bank is closed"


def test_a_pseudonym_needs_a_key() -> None:
    with pytest.raises(ValueError, match="key is empty"):
        pseudonymous(alert(), b"")


# retention ------------------------------------------------------------------------------------


@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 800))
def test_evidence_goes_first_and_nothing_too_early(evidence: int, kept: int, age: int) -> None:
    plan = Retention(evidence_days=evidence, alert_days=kept)
    what = plan.due(0, age * 86_400_000)
    assert (what == "drop") == (age > kept)
    if what == "keep":
        assert age <= evidence


def test_stripped_holds_nobodys_words() -> None:
    bare = stripped(alert())
    assert (bare.evidence, bare.groups, bare.terms) == ((), (), ())
    assert bare.observed == alert().observed
