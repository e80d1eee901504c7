"""The pages of the console, one file each, in the order of the navigation."""

from alerts.console.pages import alert, messages, now
from alerts.console.show import Page

PAGES: tuple[Page, ...] = (now.PAGE, alert.PAGE, messages.PAGE)
