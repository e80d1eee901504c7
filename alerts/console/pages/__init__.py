"""The pages of the console, one file each, in the order of the navigation."""

from alerts.console.pages import (
    alert,
    brands,
    decisions,
    history,
    messages,
    now,
    playbooks,
    rejected,
    silences,
)
from alerts.console.show import Page

PAGES: tuple[Page, ...] = (
    now.PAGE,
    alert.PAGE,
    messages.PAGE,
    history.PAGE,
    silences.PAGE,
    decisions.PAGE,
    rejected.PAGE,
    playbooks.PAGE,
    brands.PAGE,
)
