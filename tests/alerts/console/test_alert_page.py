"""An alert's page: reading why, and every act with what it says and how it is undone."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest

from alerts.console.course import mark_text
from tests.alerts.build import stage
from tests.alerts.console.visiting import Browser, Site, text_of
from tests.alerts.impostor_signals import impostor, sighted
from tests.alerts.responding import first, later

ID = first().id
ALERT = f"/alerts/{ID}"


def undo_of(page: httpx.Response) -> tuple[str, dict[str, str]]:
    """The form that a page offers to take the last act back."""
    flash = page.text.partition('class="notice good flash"')[2].partition("</form>")[0]
    found = re.search(r'action="([^"]+)"', flash)
    assert found, page.text
    fields = re.findall(r'name="([^"]+)" value="([^"]*)"', flash)
    return found[1], {unescape(name): unescape(value) for name, value in fields}


def done(browser: Browser, path: str, **fields: str) -> httpx.Response:
    """Act, and see the page that says that it is done."""
    answer = browser.send(path, **fields)
    assert answer.status_code == 303, text_of(answer)
    page = browser.get(answer.headers["location"])
    assert page.status_code == 200
    assert "notice good flash" in page.text
    return page


def summary(site: Site) -> tuple[str, str | None, str | None]:
    now = site.desk.alert(ID).summary
    return now.state, now.acknowledged_by, now.assignee


def test_the_page_says_what_happened_and_why(amal: Browser) -> None:
    said = text_of(amal.get(ALERT))
    alert = first()
    why = alert.explanation
    for sentence in (alert.title, why.observed, why.expected, *why.would_have_stopped_it):
        assert sentence.en in said
    for gate in why.gates:
        assert f"Met: {gate.sentence.en}" in said
    for part in why.parts:
        assert f"{part.weight:g} × {part.value:.4f} = {part.points:.2f}" in said
    total = sum(part.points for part in why.parts)
    assert f"{total:.2f} → {alert.score}" in said
    for step in alert.playbook.steps:
        assert step.action.en in said
    assert "Alert opened Nadhir" in said


def test_arabic_pages_are_in_arabic_and_run_from_the_right(site: Site) -> None:
    page = site.browser("viewer", language="ar-SA,ar;q=0.9").get(ALERT)
    assert '<html lang="ar" dir="rtl">' in page.text
    said = text_of(page)
    assert first().title.ar in said
    assert first().explanation.observed.ar in said
    assert first().explanation.observed.en not in said
    chosen = site.browser("viewer", language="ar")
    assert '<html lang="en" dir="ltr">' in chosen.get(f"{ALERT}?lang=en").text
    assert '<html lang="en" dir="ltr">' in chosen.get("/").text  # it is remembered


@pytest.mark.parametrize("act", ["acknowledge", "resolve"])
def test_a_link_cannot_claim_what_is_not_so(amal: Browser, act: str) -> None:
    assert "notice good flash" not in amal.get(f"{ALERT}?done={act}").text


def test_a_strange_path_leads_nowhere_else(site: Site) -> None:
    page = site.browser("viewer").get("http://127.0.0.1//evil.example/login")
    assert 'href="//evil.example' not in page.text
    assert 'href="/evil.example/login?lang=ar' in page.text


@pytest.mark.parametrize(
    ("act", "state"),
    [("acknowledge", "acknowledged"), ("resolve", "resolved")],
)
def test_an_act_is_undone_by_one_press(site: Site, amal: Browser, act: str, state: str) -> None:
    page = done(amal, f"{ALERT}/{act}", version="1")
    assert summary(site)[0] == state
    action, fields = undo_of(page)
    back = done(amal, action, **fields)
    assert summary(site) == ("open", None, None)
    action, fields = undo_of(back)  # and again
    done(amal, action, **fields)
    assert summary(site)[0] == state


def test_assigning_is_undone_to_who_had_it_before(site: Site, amal: Browser) -> None:
    done(amal, f"{ALERT}/assign", version="1", assignee="أمل")
    page = done(amal, f"{ALERT}/assign", version="2", assignee="omar")
    assert summary(site)[2] == "omar"
    action, fields = undo_of(page)
    page = done(amal, action, **fields)
    assert summary(site)[2] == "أمل"
    page = done(amal, f"{ALERT}/assign", version="4", assignee="")
    assert summary(site)[2] is None


def test_silencing_is_undone_by_ending_the_silence(site: Site, amal: Browser) -> None:
    page = done(amal, f"{ALERT}/silence", hours="4", scope="type", reason="maintenance")
    (silence,) = site.desk.silences().silences
    assert silence.active
    assert silence.owner == "responder"
    assert silence.matchers.brands == (first().brand,)
    assert silence.matchers.types == (first().type,)
    assert "Silenced" in text_of(page)
    action, fields = undo_of(page)
    done(amal, action, **fields)
    assert not site.desk.silences().silences[0].active


def test_silencing_needs_a_reason_and_known_hours(site: Site, amal: Browser) -> None:
    answer = amal.send(f"{ALERT}/silence", hours="4", reason=" ")
    assert answer.status_code == 422
    assert "must not be blank" in text_of(answer)
    assert amal.send(f"{ALERT}/silence", hours="9999", reason="x").status_code == 422
    assert not site.desk.silences().silences


def test_verdicts_comments_and_calls(site: Site, amal: Browser) -> None:
    done(amal, f"{ALERT}/verdict", version="1", verdict="false", reason="a fair", duplicate_of="")
    done(amal, f"{ALERT}/comment", text="أنا هنا\r\nI am here")
    page = done(amal, f"{ALERT}/escalate", version="2")
    said = text_of(page)
    assert "Verdict: A false alarm" in said
    assert "a fair" in said
    assert "أنا هنا" in said
    assert site.desk.alert(ID).comments[0].text == "أنا هنا\nI am here"
    assert "Called more people" in said
    for fields in (
        {"verdict": "perhaps"},
        {"verdict": "duplicate", "duplicate_of": ""},
        {"verdict": "duplicate", "duplicate_of": "a-none"},
    ):
        assert amal.send(f"{ALERT}/verdict", version="3", **fields).status_code == 422


# steps of the playbook ------------------------------------------------------------------------


def test_a_step_is_taken_done_and_given_back(site: Site, amal: Browser) -> None:
    step = first().playbook.steps[0]
    page = done(amal, f"{ALERT}/steps/{step.id}", to="mine")
    assert "taken: responder" in text_of(page)
    page = done(amal, f"{ALERT}/steps/{step.id}", to="done")
    assert "done: responder" in text_of(page)
    action, fields = undo_of(page)
    page = done(amal, action, **fields)
    assert "taken: responder" in text_of(page)
    said = [comment.text for comment in site.desk.alert(ID).comments]
    assert said == [mark_text(step.id, mark) for mark in ("mine", "done", "mine")]  # type: ignore[arg-type]
    assert amal.send(f"{ALERT}/steps/none", to="done").status_code == 422
    assert amal.send(f"{ALERT}/steps/{step.id}", to="gone").status_code == 422


# messages -------------------------------------------------------------------------------------


def message(site: Site, name: str = "holding:x:ar") -> tuple[int, str, str]:
    found = next(m for m in site.desk.messages(ID).messages if m.name == name)
    return found.version, found.digest, found.state


def test_a_message_is_approved_published_and_edited(site: Site, amal: Browser) -> None:
    path = f"{ALERT}/messages/holding:x:ar"
    version, digest, _ = message(site)
    page = done(amal, f"{path}/approve", version=str(version), digest=digest)
    assert message(site)[2] == "approved"
    action, fields = undo_of(page)
    done(amal, action, **fields)
    version, digest, state = message(site)
    assert state == "draft"
    done(amal, f"{path}/edit", version=str(version), posts="نعتذر، ونعمل على الحل.")
    version, digest, _ = message(site)
    done(amal, f"{path}/approve", version=str(version), digest=digest)
    page = done(amal, f"{path}/sent", version=str(version + 1), where="https://x.example/1")
    said = text_of(page)
    assert "نعتذر، ونعمل على الحل." in said
    assert "https://x.example/1" in said
    assert message(site)[2] == "sent"


def test_a_critical_message_takes_a_second_person(site: Site, amal: Browser) -> None:
    site.desk.take(later(first(), "raised", severity="critical", score=88))
    path = f"{ALERT}/messages/holding:x:ar/approve"
    version, digest, _ = message(site)
    page = done(amal, path, version=str(version), digest=digest)
    assert message(site)[2] == "draft"
    assert "1 / 2" in text_of(page)
    answer = amal.send(path, version=str(version + 1), digest=digest)
    assert answer.status_code == 409
    assert "responder has approved it already" in text_of(answer)
    omar = site.browser("admin")
    done(omar, path, version=str(version + 1), digest=digest)
    assert message(site)[2] == "approved"


def test_what_is_too_long_stays_to_be_shortened(site: Site, amal: Browser) -> None:
    version, _, _ = message(site)
    text = "طويل " * 200
    path = f"{ALERT}/messages/holding:x:ar/edit"
    answer = amal.send(path, version=str(version), posts=text)
    assert answer.status_code == 422
    assert text.strip() in unescape(answer.text)
    assert message(site)[0] == version


# others were quicker --------------------------------------------------------------------------


def test_of_two_who_acknowledge_one_wins_and_the_other_is_told(site: Site, amal: Browser) -> None:
    omar = site.browser("admin")
    done(amal, f"{ALERT}/acknowledge", version="1")
    answer = omar.send(f"{ALERT}/acknowledge", version="1")
    assert answer.status_code == 412
    lost = text_of(answer).partition("That was not done.")[2].partition("Opened")[0]
    assert "Somebody changed this alert since you opened it" in lost
    assert "Acknowledged responder" in lost
    assert "Do it all the same" not in lost  # it cannot be acknowledged twice
    assert summary(site)[1] == "responder"


def test_what_was_typed_is_not_lost_and_can_be_sent_all_the_same(site: Site, amal: Browser) -> None:
    done(amal, f"{ALERT}/acknowledge", version="1")
    answer = amal.send(f"{ALERT}/verdict", version="1", verdict="true", reason="سبب & <b>")
    assert answer.status_code == 412
    kept = answer.text.partition('role="alert"')[2].partition("</form>")[0]
    fields = dict(re.findall(r'name="([^"]+)" value="([^"]*)"', kept))
    assert unescape(fields["reason"]) == "سبب & <b>"
    assert fields["version"] == "2"
    done(amal, f"{ALERT}/verdict", **{k: unescape(v) for k, v in fields.items()})
    assert site.desk.alert(ID).verdicts[0].reason == "سبب & <b>"


def test_the_text_of_a_message_survives_somebody_elses_change(site: Site, amal: Browser) -> None:
    version, _, _ = message(site)
    path = f"{ALERT}/messages/holding:x:ar/edit"
    done(amal, path, version=str(version), posts="one")
    answer = site.browser("admin").send(path, version=str(version), posts="another <text>")
    assert answer.status_code == 412
    assert ">another &lt;text&gt;</textarea>" in answer.text
    assert "Do it all the same" in answer.text


def test_what_the_state_does_not_allow_is_told(amal: Browser) -> None:
    answer = amal.send(f"{ALERT}/unacknowledge", version="1")
    assert answer.status_code == 409
    assert "no longer as you saw it" in text_of(answer)
    assert amal.send(f"{ALERT}/acknowledge", version="x").status_code == 422
    assert amal.send("/alerts/none/acknowledge", version="1").status_code == 404


def test_an_impostor_has_a_page_without_an_expectation(site: Site, amal: Browser) -> None:
    (alert,) = stage().handle([sighted(impostor())]).news
    site.desk.take(alert)
    said = text_of(amal.get(f"/alerts/{alert.id}"))
    assert "Why it looks like an impostor" in said
    assert "Alert line" not in said
