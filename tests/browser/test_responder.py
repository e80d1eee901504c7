"""What a responder does in a crisis, in both languages, on a desk and on a phone at 3 a.m."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from alerts.store.rows import Filter
from tests.browser.pages import unfold
from tests.browser.site import CALM, Site
from tests.browser.visiting import PHONE, WIDE, Language, Visits

ONE_ANSWER = {"status": 200, "content_type": "text/event-stream", "body": "retry: 600000\n\n"}
# what the live region tells
LISTEN = """() => {
  window.heard = [];
  const told = document.getElementById("told");
  new MutationObserver(() => window.heard.push(told.textContent))
    .observe(told, {childList: true, characterData: true, subtree: true});
}"""
LANGUAGES: tuple[Language, ...] = ("en", "ar")


def deaf(page: Page) -> None:
    """From now on it hears of no change, as a phone in a lift."""
    page.route("**/live", lambda route: route.fulfill(**ONE_ANSWER))


def deed(page: Page, act: str) -> Locator:
    """The button of an act on the alert that is shown."""
    return page.locator(f"#standing form[action$='/{act}'] button").first


def standing(site: Site, id_: str) -> tuple[str, str | None]:
    found = site.desk.alert(id_).summary
    return found.state, found.acknowledged_by


# the door -------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_shows_no_token_sees_nothing(visits: Visits, language: Language) -> None:
    window = visits.window(None, language=language, size=PHONE)
    window.goto("/history?state=open")
    expect(window).to_have_url(f"{visits.site.url}/login?next=%2Fhistory%3Fstate%3Dopen")
    window.locator("input[name=token]").fill("nadhir_wrong")
    window.locator("main form button").click()
    expect(window.get_by_role("alert")).to_be_visible()
    window.locator("input[name=token]").fill(visits.site.tokens["sara"])
    window.locator("main form button").click()
    expect(window).to_have_url(f"{visits.site.url}/history?state=open")  # where they wanted to go
    (cookie,) = [c for c in window.context.cookies() if c["name"] == "nadhir-session"]
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert window.evaluate("document.cookie.includes('session')") is False
    window.locator("form[action='/logout'] button").click()
    window.goto("/history")
    expect(window.locator("input[name=token]")).to_be_visible()


def test_the_language_is_switched_and_stays(visits: Visits) -> None:
    window = visits.window("amal", language="en", size=PHONE)
    window.goto("/history?state=open")
    window.get_by_role("link", name="العربية").click()
    expect(window.locator("html")).to_have_attribute("dir", "rtl")
    expect(window.get_by_role("heading", level=1)).to_have_text("السجل")
    assert window.locator("input[name=state][value=open]").is_checked()  # where they were
    window.goto("/")
    expect(window.locator("html")).to_have_attribute("lang", "ar")
    window.get_by_role("link", name="English").click()
    expect(window.locator("html")).to_have_attribute("dir", "ltr")


# the alert ------------------------------------------------------------------------------------


def test_a_live_alert_appears_without_reload(site: Site, visits: Visits) -> None:
    watching = {
        "en": visits.window("amal", language="en", size=WIDE),
        "ar": visits.window("omar", language="ar", size=PHONE),
    }
    for window in watching.values():
        window.goto("/")
        expect(window.locator("#link")).not_to_be_empty()  # the line stands
        window.evaluate(LISTEN)
        assert window.locator(f"#brand-{CALM}").get_attribute("class") == "calm"
    site.crisis()
    alert = site.alert_of(CALM)
    for language, window in watching.items():
        row = window.locator(f"[data-alert='{alert.id}']")
        expect(row).to_contain_text(getattr(alert.title, language)[:40])
        expect(window.locator(f"#brand-{CALM}")).not_to_have_class("calm")
        window.wait_for_function(
            "words => window.heard.some(text => text.includes(words))",
            arg=getattr(alert.title, language)[:40],
        )  # also by whoever does not look; and had the page been loaded anew, it would be gone


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_is_read_on_a_phone(site: Site, visits: Visits, language: Language) -> None:
    alert = site.alert_of("rimal-bank")
    window = visits.window("sara", language=language, size=PHONE)
    window.goto("/")
    window.locator(f"[data-alert='{alert.id}'] a").click()
    main = window.locator("main")
    expect(window.get_by_role("heading", level=1)).to_contain_text(
        getattr(alert.title, language)[:40]
    )
    unfold(window)
    why = alert.explanation
    for said in (why.observed, why.expected, *(gate.sentence for gate in why.gates)):
        expect(main).to_contain_text(getattr(said, language))
    for mention in alert.evidence[:3]:
        expect(main).to_contain_text(mention.text.split()[0])
    points = sum(part.points for part in why.parts)
    assert round(points) == alert.score
    expect(main).to_contain_text(f"{round(points, 2):g}")
    # a viewer looks
    assert window.locator("#standing form").count() == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_is_copied(site: Site, visits: Visits, language: Language) -> None:
    alert = site.alert_of("rimal-bank")
    window = visits.window("amal", language=language, size=PHONE)
    window.goto(f"/alerts/{alert.id}")
    letter = window.locator(f"#letter-holding-x-{language}")
    letter.locator("[data-copy]").first.click()
    expect(window.locator("#told")).not_to_be_empty()
    copied = window.evaluate("navigator.clipboard.readText()")
    (text, *_) = [
        m.text
        for m in alert.playbook.messages
        if (m.kind, m.channel, m.language, m.post) == ("holding", "x", language, 1)
    ]
    assert copied == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_take_it_at_once(site: Site, visits: Visits, language: Language) -> None:
    id_ = site.open_again("rimal-bank", f"a-both-{language}")
    amal = visits.window("amal", language=language, size=PHONE)
    omar = visits.window("omar", language=language)
    for window in (amal, omar):
        deaf(window)
        window.goto(f"/alerts/{id_}")
    deed(amal, "acknowledge").click()
    expect(amal.locator(".flash")).to_be_visible()
    deed(omar, "acknowledge").click()
    told = omar.get_by_role("alert")
    expect(told).to_contain_text("amal")  # who was faster
    assert standing(site, id_) == ("acknowledged", "amal")
    # and the winner undoes it with one press
    amal.locator(".flash form button").click()
    expect(deed(amal, "acknowledge")).to_be_visible()
    assert standing(site, id_) == ("open", None)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_other_sees_it_without_reload(site: Site, visits: Visits, language: Language) -> None:
    id_ = site.open_again("rimal-bank", f"a-seen-{language}")
    amal = visits.window("amal", language=language)
    omar = visits.window("omar", language=language, size=PHONE)
    for window in (amal, omar):
        window.goto(f"/alerts/{id_}")
    expect(omar.locator("#link")).not_to_be_empty()
    omar.evaluate("window.stayed = true")
    amal.keyboard.press("a")
    expect(omar.locator("#standing .state.acknowledged")).to_be_visible()
    expect(omar.locator("#standing")).to_contain_text("amal")
    assert omar.evaluate("window.stayed") is True
    amal.keyboard.press("u")  # undo
    expect(omar.locator("#standing .state.open")).to_be_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_silenced_from_its_page_and_undone(
    site: Site, visits: Visits, language: Language
) -> None:
    id_ = site.open_again("rimal-bank", f"a-quiet-{language}")
    window = visits.window("amal", language=language, size=PHONE)
    window.goto(f"/alerts/{id_}")
    window.keyboard.press("s")
    window.locator("#silence-reason").fill("صيانة معلنة")
    window.locator("#fold-silence button").click()
    expect(window.locator(".flash")).to_be_visible()
    assert site.desk.alert(id_).summary.suppressed
    window.locator(".flash form button").click()
    expect(window.locator("#standing .quiet")).to_have_count(0)
    assert not site.desk.alert(id_).summary.suppressed


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_second_person_approves(site: Site, visits: Visits, language: Language) -> None:
    id_ = site.open_again("rimal-bank", f"a-said-{language}", severity="critical")
    name = f"holding:x:{language}"
    amal = visits.window("amal", language=language)
    omar = visits.window("omar", language=language, size=PHONE)
    letter = f"#letter-holding-x-{language}"
    for window, approvals in ((amal, 1), (omar, 2)):
        window.goto(f"/alerts/{id_}")
        window.locator(f"{letter} form[action$='/approve'] button").click()
        expect(window.locator(".flash")).to_be_visible()
        (message,) = [m for m in site.desk.messages(id_).messages if m.name == name]
        assert len(message.approvals) == approvals
        assert message.state == ("draft" if approvals == 1 else "approved")
        # nobody approves twice
        expect(window.locator(f"{letter} form[action$='/approve']")).to_have_count(0)
    omar.locator(f"#sent-holding-x-{language} summary").click()
    omar.locator(f"#where-holding-x-{language}").fill("https://x.example/status/1")
    omar.locator(f"#sent-holding-x-{language} button").click()
    expect(omar.locator(f"{letter} .state.sent")).to_be_visible()


def test_what_was_typed_is_not_lost(site: Site, visits: Visits) -> None:
    id_ = site.open_again("rimal-bank", "a-typed")
    amal, omar = visits.window("amal"), visits.window("omar")
    for window in (amal, omar):
        deaf(window)
        window.goto(f"/alerts/{id_}")
        unfold(window)
    for window, text in ((amal, "We know. More at 10."), (omar, "Sorry. More at 11.")):
        window.locator("#edit-holding-web-en textarea").first.fill(text)
        window.locator("#edit-holding-web-en button").click()
    expect(amal.locator(".flash")).to_be_visible()
    expect(omar.get_by_role("alert")).to_be_visible()
    expect(omar.locator("#letter-holding-web-en .meta").first).to_contain_text("amal")
    expect(omar.locator("main textarea").first).to_have_value("Sorry. More at 11.")


# afterwards -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_alert_is_found_again(site: Site, visits: Visits, language: Language) -> None:
    id_ = site.open_again("naseem-line", f"a-past-{language}")
    window = visits.window("omar", language=language, size=PHONE)
    window.goto(f"/alerts/{id_}")
    window.keyboard.press("v")
    window.locator("input[name=verdict][value=false]").check()
    window.locator("#fold-verdict button").click()
    expect(window.locator(".flash")).to_be_visible()
    window.goto("/history")
    window.locator("main summary").first.click()
    window.locator("input[name=brand][value=naseem-line]").check()
    window.locator("main form button").first.click()
    row = window.locator(f"[data-alert='{id_}']")
    expect(row.locator(".verdict.false")).to_be_visible()
    brands = {a.brand for a in site.desk.alerts(Filter(), before=None, limit=200).alerts}
    assert len(brands) > 1
    assert window.locator("[data-alert]").count() < 50


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_nothing_was_told_is_read(site: Site, visits: Visits, language: Language) -> None:
    window = visits.window("sara", language=language, size=PHONE)
    window.goto("/decisions?outcome=not_alerted")
    tile = window.locator(".tile", has=window.locator(".conditions")).first
    tile.locator("summary").click()
    expect(tile.locator("li.held").first).to_be_visible()
    window.goto("/rejected?reason=not_json")
    expect(window.locator(".tile code").first).to_have_text("not_json")
    window.goto("/brands")
    expect(window.locator(".brand.blind")).to_be_visible()
