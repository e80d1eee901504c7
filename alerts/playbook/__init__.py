"""Prepared answers for a crisis: YAML playbooks, checked, then rendered with an alert's facts.

The files are in ``alerts/playbooks``; their format is described in docs/playbook.md.
"""

from alerts.playbook.check import check
from alerts.playbook.load import load_playbooks
from alerts.playbook.records import (
    Facts,
    Playbook,
    PlaybookError,
    Problem,
    RenderedMessage,
    RenderedPlaybook,
)
from alerts.playbook.render import render

__all__ = [
    "Facts",
    "Playbook",
    "PlaybookError",
    "Problem",
    "RenderedMessage",
    "RenderedPlaybook",
    "check",
    "load_playbooks",
    "render",
]
