"""Every page of the console, and what is asked of each."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.site import Site

_UNFOLD = "document.querySelectorAll('details').forEach(one => { one.open = true })"
_WIDER = """() => {
  const most = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= most) return [];
  const inside = one => { for (let up = one.parentElement; up; up = up.parentElement)
    if (getComputedStyle(up).overflowX !== 'visible') return true; return false; };
  return [...document.querySelectorAll('body *')].filter(one => {
    const box = one.getBoundingClientRect();
    return box.width && (box.right > most + 1 || box.left < -1) && !inside(one);
  }).slice(0, 5).map(one => one.outerHTML.slice(0, 200));
}"""

_SMALL = """() => [...document.querySelectorAll('button, select, summary, input, .button')]
  .filter(one => one.checkVisibility() && one.type !== 'hidden')
  .filter(one => { const box = one.getBoundingClientRect();
                   return box.width < 24 || box.height < 24 })
  .map(one => one.outerHTML.slice(0, 200))"""


def pages(site: Site, alert: str | None = None) -> dict[str, str]:
    """Paths by name; of an alert, else of that of the brand in an outage."""
    shown = alert or site.alert_of("rimal-bank").id
    return {
        "now": "/",
        "alert": f"/alerts/{shown}",
        "history": "/history",
        "silences": "/silences?brand=saqr-air",  # with the form of a new one
        "decisions": "/decisions?outcome=not_alerted",
        "rejected": "/rejected",
        "playbooks": "/playbooks",
        "playbook": "/playbooks/service_outage",
        "brands": "/brands",
        "missing": "/nowhere",
    }


def unfold(page: Page) -> None:
    """Open everything that can be unfolded."""
    page.evaluate(_UNFOLD)


def too_wide(page: Page) -> list[str]:
    """What sticks out of the window at its sides."""
    found: list[str] = page.evaluate(_WIDER)
    return found


def too_small(page: Page) -> list[str]:
    """What a thumb would miss: under 24 pixels, as WCAG 2.2 counts."""
    found: list[str] = page.evaluate(_SMALL)
    return found


def violations(axe: Axe, page: Page, *rules: str) -> list[str]:
    """What axe finds wrong with a page (by some rules, else by all), as rule and element."""
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found = axe.run(page, options=options).response["violations"]
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found
        for node in one["nodes"]
    ]
