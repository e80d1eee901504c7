"""Who is named in an alert beside its evidence: impostors, advocates, and who said it first."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alerts.naming import Naming
from alerts.playbook.text import hostile
from alerts.privacy import Author, erase, stripped
from alerts.pseudonyms import Pseudonyms, pseudonymous
from alerts.records import Alert
from models.impersonation.findings import Reason
from models.records import Advocate, Defence, Signal
from tests.alerts.build import RIMAL, only_alert, signal, stage
from tests.alerts.impostor_signals import domain, impostor, sighted
from tests.alerts.test_privacy import KEY, narrative, said

THIEF = Author(platform="x", id="77501", handles=frozenset({"rima1bank.help"}))
TRACES = ("rima1bank", "77501", "Rimal Helpdesk", "was_rimai", "Rimal-Refunds", "your IBAN")


def posing() -> Signal:
    """The signal of an account with another handle before, and a post of its own."""
    who = impostor(
        "rima1bank.help",
        id="i-5f",
        account="77501",
        name="Rimal Helpdesk",
        urls=("https://pay.example/Rimal-Refunds",),
        earlier_handles=("was_rimai",),
        reasons=(
            Reason("handle_homoglyph", 1.5, "rima1bank"),
            Reason("renamed", 0.4, "was_rimai"),
            Reason("avatar_copied", 0.5),
        ),
        intents=(Reason("asks_card", 0.8, "your IBAN"),),
    )
    theirs = said("p1", "77501", "rima1bank.help", "send your IBAN", platform="x")
    victim = said("p2", "12", "badr", "thanks @Rima1bank.help, done", platform="x")
    return msgspec.structs.replace(sighted(who), evidence=(theirs, victim))


def posing_alert() -> Alert:
    (case,) = stage().handle([posing()]).cases.values()
    return case.alert


def packed(held: Alert | Signal) -> str:
    return msgspec.json.encode(held).decode()


def left(held: Alert | Signal) -> list[str]:
    told = packed(held).casefold()
    return [trace for trace in TRACES if trace.casefold() in told]


@pytest.mark.parametrize("known_by", ["id", "handle", "earlier handle"])
@pytest.mark.parametrize("made", [posing, posing_alert])
def test_no_byte_of_an_impostor_is_left(made: type, known_by: str) -> None:
    before = made()
    assert {"rima1bank", "77501", "Rimal Helpdesk", "was_rimai"} <= set(left(before))
    author = Author(platform="X", id="77501")
    if known_by != "id":
        handle = "rima1bank.help" if known_by == "handle" else "was_rimai"
        author = Author(platform="x", id="?", handles=frozenset({handle}))
        if known_by == "earlier handle":  # the evidence has it under the new one
            author = msgspec.structs.replace(author, id="77501")
    after = erase(before, author)
    assert left(after) == []
    assert erase(after, author) is after


def test_what_the_fraud_was_stays() -> None:
    before, after = posing_alert(), erase(posing_alert(), THIEF)
    assert before.impostor is not None
    assert after.impostor is not None
    for name in ("id", "score", "sightings", "victims", "complained", "first_ms", "reach"):
        assert getattr(after.impostor, name) == getattr(before.impostor, name)
    assert [r.weight for r in after.impostor.reasons] == [r.weight for r in before.impostor.reasons]
    assert (after.subject, after.score, after.type) == (before.subject, before.score, before.type)
    assert "\u2068erased\u2069" in after.title.en
    assert "\u2068erased\u2069" in after.title.ar
    assert "Rimal Bank" in after.title.en  # the brand's own name is nobody's
    assert after.explanation.expected == before.explanation.expected
    # the difference in spelling would tell the handle: only what quotes nothing is left
    codes = [s.en for s in after.explanation.reasons]
    assert len(codes) == 2
    assert codes[-1] == before.explanation.reasons[-1].en


def test_somebody_it_answered_is_erased_and_the_impostor_stays() -> None:
    after = erase(posing_alert(), Author(platform="x", id="12"))
    assert after.evidence[1].handle is None
    assert after.evidence[1].text == ""
    assert after.impostor == posing_alert().impostor
    assert after.title == posing_alert().title


def test_a_domain_is_no_person_but_its_links_may_name_one() -> None:
    host = domain(
        urls=("https://rimalbank-login.example/amal_k", "https://rimalbank-login.example")
    )
    (case,) = stage().handle([sighted(host)]).cases.values()
    after = erase(case.alert, Author(platform="x", id="5", handles=frozenset({"amal_k"})))
    assert after.impostor is not None
    assert after.impostor.urls == ("https://rimalbank-login.example",)
    assert after.impostor.domain == "rimalbank-login.example"
    assert after.title == case.alert.title
    old = stripped(case.alert)
    assert old.impostor is not None
    assert (old.impostor.domain, old.impostor.urls) == ("rimalbank-login.example", ())
    assert old.title == case.alert.title


def defended() -> Alert:
    advocates = tuple(
        Advocate(account=id_, platform="x", handle=handle, followers=9, days=4, supportive=7,
                 positive_share=0.9, answers=3, first_ms=1, last_ms=2)
        for id_, handle in (("770012", "Amal_K"), ("880013", "steady"))
    )  # fmt: skip
    defence = Defence(threads=9, answered=4, active=2, advocates=advocates)
    carriers = tuple(
        msgspec.structs.replace(c, account=c.account.replace("77", "770012"))
        for c in narrative().carriers
    )
    told = msgspec.structs.replace(narrative(), carriers=carriers)
    return only_alert(stage().handle([signal(defence=defence, narratives=(told,), evidence=())]))


def test_an_advocate_and_who_said_it_first_are_erased_from_the_sentences_too() -> None:
    before = defended()
    assert before.explanation.defence is not None
    assert "Amal_K" in before.explanation.defence.en
    assert "@Amal_K" in before.explanation.narratives[0].ar
    after = erase(before, Author(platform="x", id="770012"))
    told = packed(after).casefold()
    assert "amal_k" not in told
    assert '"770012"' not in told
    assert "steady" in told
    assert "badr" in told
    assert after.defence is not None
    assert before.defence is not None
    assert after.defence.active == before.defence.active
    assert after.defence.advocates[0].supportive == 7
    assert erase(after, Author(platform="x", id="770012")) is after


def test_stripped_names_nobody_in_fields_or_sentences() -> None:
    for before in (defended(), posing_alert()):
        bare = stripped(before)
        told = packed(bare).casefold()
        names = ("amal_k", "steady", "badr", "770012", "the bank is closed", *TRACES)
        assert [name for name in names if name.casefold() in told] == []
        assert stripped(bare) == bare
        assert (bare.score, bare.observed, bare.severity) == (
            before.score, before.observed, before.severity,
        )  # fmt: skip


def test_an_export_has_pseudonyms_in_the_sentences_as_well() -> None:
    alert = posing_alert()
    out = pseudonymous(alert, KEY)
    assert [t for t in left(out) if t != "your IBAN"] == []  # texts stay in an export
    assert out.impostor is not None
    assert out.impostor.account == Pseudonyms(KEY).account("77501") == out.evidence[0].author_id
    assert out.impostor.account in out.title.en
    assert out.subject == out.impostor.id != alert.subject
    told = packed(pseudonymous(defended(), KEY)).casefold()
    assert "amal_k" not in told
    assert "steady" not in told
    assert '"770012"' not in told


MARKED = st.builds(
    "zqzq{}".format,
    st.text(max_size=150) | st.text(alphabet="aЯ.-_@ /:<ا\u202e\uff20", max_size=150),
)


@settings(max_examples=50)
@given(MARKED, MARKED, MARKED, MARKED)
@example(*(f"zqzq{letter * 140}" for letter in "abcd"))
def test_whatever_an_impostor_calls_itself_nothing_is_left(
    handle: str, earlier: str, name: str, what: str
) -> None:
    who = impostor(
        handle=handle, earlier_handles=(earlier,), name=name, account="zqzq-7",
        reasons=(Reason("handle_typo", 1.5, what[:80]), Reason("renamed", 0.4, earlier[:80])),
        intents=(Reason("asks_link", 0.8, what[:80]),), urls=(f"https://{what}",),
    )  # fmt: skip
    (case,) = stage().handle([sighted(who)]).cases.values()
    assert "zqzq" in packed(case.alert).casefold()
    for after in (
        erase(case.alert, Author(platform="x", id="zqzq-7")),
        stripped(case.alert),
        pseudonymous(case.alert, KEY),
    ):
        assert "zqzq" not in packed(after).casefold()


@settings(max_examples=50)
@given(MARKED, MARKED, st.booleans())
@example(f"zqzq{'a' * 60}", f"zqzq{'b' * 60}", True)
@example(f"zqzq{'a' * 60}", f"zqzq{'b' * 60}", False)
@example("zqzqStraßeİ", "zqzqßİ", False)
def test_whoever_said_it_first_nothing_is_left_of_the_name(
    handle: str, account: str, named: bool
) -> None:
    story = narrative()
    first = msgspec.structs.replace(
        story.carriers[0], account=account, handle=handle if named else None
    )
    story = msgspec.structs.replace(story, carriers=(first, *story.carriers[1:]), texts=())
    advocate = Advocate(account=account, platform="x", handle=first.handle, followers=9, days=4,
                        supportive=7, positive_share=0.9, answers=3, first_ms=1,
                        last_ms=2)  # fmt: skip
    defence = Defence(threads=9, answered=4, active=1, advocates=(advocate,))
    alert = only_alert(stage().handle([signal(narratives=(story,), defence=defence, evidence=())]))
    assert alert.narratives[0].carriers[0].account in packed(alert)
    theirs = Author(platform="x", id=alert.narratives[0].carriers[0].account)
    advocated = Author(platform="x", id=(alert.defence or defence).advocates[0].account)
    for after in (
        erase(erase(alert, theirs), advocated),  # a long name is cut among advocates
        stripped(alert),
        pseudonymous(alert, KEY),
    ):
        assert "zqzq" not in packed(after).casefold()


NAMES = st.text(min_size=1, max_size=30)


@given(NAMES, st.sampled_from([40, 60, 80, 120]))
def test_every_name_is_found_as_sentences_show_it(name: str, cut: int) -> None:
    for shown in (hostile(name, cut), hostile(f"@{name}", cut)):
        if shown:
            done = Naming({name: "p-1"}).text(f"the account {shown} was seen")
            assert done in (
                "the account \u2068p-1\u2069 was seen",
                "the account \u2068[at]\u2069 was seen",
            )


def test_a_name_as_short_as_a_letter_spoils_no_sentence() -> None:
    words = f"{RIMAL.names[0]}: a case of 1 account, \u2068a\u2069"
    assert Naming({"a": "erased", "1": "erased", "": "x"}).text(words) == words.replace(
        "\u2068a\u2069", "\u2068erased\u2069"
    )
    assert Naming({}).loose(words) == words
