"""The pages of the console, one file each, in the order of the navigation."""

from alerts.console.console import Page
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
