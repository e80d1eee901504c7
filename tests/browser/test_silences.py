"""A silence as people make it: filled in, tried on the past, made, undone, ended, made again."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from alerts.service.records import SilenceView
from tests.browser.site import Site
from tests.browser.visiting import PHONE, Language, Visits

WORDS = {
    "en": {
        "new": "New silence", "try": "Try it on the last 30 days", "make": "Make the silence",
        "undo": "Undo", "end": "End now", "made": "The silence is made.",
        "over": "The silence has ended.", "why": "Say why.", "weekly": "Every week",
    },
    "ar": {
        "new": "كتم جديد", "try": "تجربته على آخر 30 يومًا", "make": "إنشاء الكتم",
        "undo": "تراجع", "end": "إنهاء الآن", "made": "أُنشئ الكتم.",
        "over": "انتهى الكتم.", "why": "اذكر السبب.", "weekly": "كل أسبوع",
    },
}  # fmt: skip


def held(site: Site, reason: str) -> list[SilenceView]:
    return [s for s in site.desk.silences().silences if s.reason == reason]


def press(window: Page, word: str) -> None:
    window.get_by_role("button", name=word, exact=True).first.click()


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_silence_is_tried_made_and_undone(site: Site, visits: Visits, language: Language) -> None:
    say = WORDS[language]
    why = f"صيانة / maintenance, {language}"
    window = visits.window("amal", language=language, size=PHONE)
    window.goto("/silences?brand=rimal-bank")
    assert window.locator("input[name=brands][value=rimal-bank]").is_checked()
    window.locator("input[name=reason]").fill(why)
    press(window, say["try"])
    alert = site.alert_of("rimal-bank")
    expect(window.locator(f"#preview a[href='/alerts/{alert.id}']")).to_be_visible()
    assert held(site, why) == []  # it was only tried
    press(window, say["make"])
    expect(window.get_by_text(say["made"])).to_be_visible()
    (made,) = held(site, why)
    assert (made.owner, made.matchers.brands) == ("amal", ("rimal-bank",))
    assert site.desk.alert(alert.id).summary.suppressed
    press(window, say["undo"])
    expect(window.get_by_text(say["over"])).to_be_visible()
    assert not site.desk.silence(made.id).active
    press(window, say["undo"])  # of the end: it is there again
    expect(window.get_by_text(say["made"])).to_be_visible()
    assert site.desk.silence(made.id).active
    window.goto("/silences")
    window.locator(f"#{made.id}").get_by_role("button", name=say["end"]).click()
    expect(window.get_by_text(say["over"])).to_be_visible()
    assert not site.desk.silence(made.id).active


@pytest.mark.parametrize("language", ["en", "ar"])
def test_a_recurring_one_says_when_it_comes(site: Site, visits: Visits, language: Language) -> None:
    say = WORDS[language]
    window = visits.window("omar", language=language)
    window.goto("/silences?brand=saqr-air&severity=watch")
    window.locator("input[name=reason]").fill("Friday sale")
    window.locator("select[name=repeat]").select_option(label=say["weekly"])
    window.locator("input[name=ends]").fill("2026-06-01T00:00")
    press(window, say["make"])  # without a day
    expect(window.locator("#fault-days")).to_be_visible()
    assert window.locator("input[name=reason]").input_value() == "Friday sale"
    window.locator("input[name=days][value=FR]").check()
    press(window, say["make"])
    expect(window.get_by_text(say["made"])).to_be_visible()
    (made,) = [s for s in held(site, "Friday sale") if s.next]
    assert made.recurring is not None
    assert made.recurring.rule == "FREQ=WEEKLY;BYDAY=FR"
    tile = window.locator(f"#{made.id}")
    tile.locator("summary").click()
    assert tile.locator("details li").count() == 5
    tile.get_by_role("button", name=say["end"]).click()
    expect(window.get_by_text(say["over"])).to_be_visible()


def test_two_end_it_at_once(site: Site, visits: Visits) -> None:
    first, second = visits.window("amal"), visits.window("omar")
    first.goto("/silences?brand=rimal-bank")
    first.locator("input[name=reason]").fill("both")
    press(first, "Make the silence")
    second.goto("/silences")
    press(first, "Undo")
    expect(first.get_by_text("The silence has ended.")).to_be_visible()
    second.locator("li", has_text="both").get_by_role("button", name="End now").click()
    expect(second.get_by_text("Somebody changed it meanwhile")).to_be_visible()


def test_a_viewer_makes_none(visits: Visits) -> None:
    window = visits.window("sara")
    window.goto("/silences?brand=rimal-bank")
    expect(window.get_by_role("heading", level=1)).to_be_visible()
    assert window.locator("main form").count() == 0
