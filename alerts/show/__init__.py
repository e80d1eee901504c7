"""Alerts for people to read: a terminal, a printable page, one line of plain text."""

from alerts.show.page import render_page
from alerts.show.terminal import headline, print_alert

__all__ = ["headline", "print_alert", "render_page"]
