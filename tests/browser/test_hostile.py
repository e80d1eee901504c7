"""A hostile mention on every page does nothing: no dialog, no request, no script, no overflow."""

from __future__ import annotations

import pytest

from tests.browser.hostile import PRODUCT, hostile_alert, hostile_rows
from tests.browser.pages import pages, too_wide, unfold
from tests.browser.site import Site
from tests.browser.visiting import PHONE, Language, Visits

# what turns the reading order, outside of an element that keeps it to itself
STEERING = r"""() => {
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode())
    if (/[\u202a-\u202e\u2066\u2067\u0000]/.test(walk.currentNode.data)
        && !walk.currentNode.parentElement.closest("bdi"))
      found.push(walk.currentNode.parentElement.outerHTML.slice(0, 200));
  return found;
}"""


@pytest.fixture(scope="module")
def alert(site: Site) -> str:
    """An alert that is hostile in every field, and what else is."""
    id_ = hostile_alert(site)
    hostile_rows(site, id_)
    return id_


@pytest.mark.parametrize("language", ["ar", "en"])
def test_it_does_nothing(site: Site, visits: Visits, alert: str, language: Language) -> None:
    window = visits.window("amal", language=language, size=PHONE)
    shown = set()
    for name, path in pages(site, alert).items():
        window.goto(path)
        unfold(window)
        main = window.locator("main")
        text = main.inner_text()
        if "<script>" in text:
            shown.add(name)
        assert window.evaluate("window.owned") is None, name
        assert main.locator("script, style, iframe, img, link, [onerror], [onload]").count() == 0
        assert main.locator("a[href^='javascript:'], a[href^='data:']").count() == 0
        assert window.evaluate(STEERING) == [], name
        assert PRODUCT not in text, name
        assert too_wide(window) == [], name
        assert len(window.content()) < 1_000_000, name
        outside = main.locator("a[href^='http']").evaluate_all(
            "all => all.filter(one => !['noopener', 'noreferrer', 'nofollow']"
            ".every(word => one.relList.contains(word))).length"
        )
        assert outside == 0, name
    # or this test would see nothing at all
    assert shown >= {"now", "alert", "history", "silences", "decisions", "rejected"}
