"""Alerts for people to read: a terminal, a printable page, one line of plain text."""

from alerts.show.groups import GroupPicture, render_groups
from alerts.show.page import render_page
from alerts.show.terminal import headline, print_alert

__all__ = [
    "GroupPicture",
    "headline",
    "print_alert",
    "render_groups",
    "render_page",
]
