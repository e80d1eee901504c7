"""Every page for everybody: axe finds nothing, nothing sticks out on a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.pages import pages, too_wide, unfold, violations
from tests.browser.site import Site
from tests.browser.visiting import PHONE, WIDE, Language, Visits


@pytest.mark.parametrize("language", ["ar", "en"])
def test_axe_finds_nothing_in_either_theme(site: Site, visits: Visits, language: Language) -> None:
    axe = Axe()
    window = visits.window("badr", language=language)
    nobody = visits.window(None, language=language)
    nobody.goto("/login")
    found = [(f"login: {v}") for v in violations(axe, nobody)]
    for name, path in pages(site).items():
        window.goto(path)
        assert window.locator("html").get_attribute("lang") == language
        unfold(window)
        window.emulate_media(color_scheme="light")
        found += [f"{name}: {v}" for v in violations(axe, window)]
        window.emulate_media(color_scheme="dark")  # which changes colours alone
        found += [f"{name}, dark: {v}" for v in violations(axe, window, "color-contrast")]
    assert found == []


@pytest.mark.parametrize("language", ["ar", "en"])
def test_nothing_sticks_out(site: Site, visits: Visits, language: Language) -> None:
    window = visits.window("badr", language=language)
    for name, path in pages(site).items():
        window.goto(path)
        unfold(window)
        for width, height in (PHONE, WIDE):
            window.set_viewport_size({"width": width, "height": height})
            assert too_wide(window) == [], (name, width)


def test_every_button_can_be_hit_with_a_thumb(site: Site, visits: Visits) -> None:
    window = visits.window("badr", size=PHONE)
    for name, path in pages(site).items():
        window.goto(path)
        unfold(window)
        small = window.evaluate(
            """() => [...document.querySelectorAll('button, select, summary, input, .button')]
              .filter(one => one.checkVisibility() && one.type !== 'hidden')
              .filter(one => { const box = one.getBoundingClientRect();
                               return box.width < 24 || box.height < 24 })
              .map(one => one.outerHTML.slice(0, 200))"""
        )
        assert small == [], name


def test_keys_reach_the_content_and_the_list_of_keys(visits: Visits) -> None:
    window = visits.window("amal")
    window.goto("/")
    window.keyboard.press("Tab")
    skip = window.locator(":focus")
    assert skip.get_attribute("href") == "#main"
    window.keyboard.press("Enter")
    assert window.locator("main").evaluate("one => one === document.activeElement")
    window.keyboard.press("?")
    assert window.get_by_role("dialog").is_visible()
    window.keyboard.press("?")
    assert not window.get_by_role("dialog").is_visible()
