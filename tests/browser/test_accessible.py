"""Every page for everybody: axe finds nothing, nothing sticks out or is too small on a phone."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.pages import pages, too_small, too_wide, unfold, violations
from tests.browser.site import Site
from tests.browser.visiting import PHONE, WIDE, Language, Visits


@pytest.mark.parametrize("language", ["ar", "en"])
def test_every_page_is_for_everybody(site: Site, visits: Visits, language: Language) -> None:
    axe = Axe()
    window = visits.window("badr", language=language)
    nobody = visits.window(None, language=language)
    nobody.goto("/login")
    found = [f"login: {v}" for v in violations(axe, nobody)]
    for name, path in pages(site).items():
        window.goto(path)
        assert window.locator("html").get_attribute("lang") == language
        unfold(window)
        window.emulate_media(color_scheme="light")
        found += [f"{name}: {v}" for v in violations(axe, window)]
        window.emulate_media(color_scheme="dark")  # which changes colours alone
        found += [f"{name}, dark: {v}" for v in violations(axe, window, "color-contrast")]
        for width, height in (PHONE, WIDE):
            window.set_viewport_size({"width": width, "height": height})
            found += [f"{name}, {width} wide: sticks out: {v}" for v in too_wide(window)]
            found += [f"{name}, {width} wide: too small: {v}" for v in too_small(window)]
    assert found == []


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
