"""Pictures of groups: ``nadhir analyze coordination --plot``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from alerts.groups import explain_group
from alerts.show import GroupPicture, render_groups
from alerts.show.groups_png import render_groups_png
from alerts.texts import load_phrases
from models.coordination.group import Group
from models.records import AccountGroup, Mention

_MOST_JOINED = 60  # accounts of one thing that are joined with each other


def plot_groups(
    path: Path,
    found: Sequence[tuple[Group, AccountGroup]],
    mentions: Sequence[Mention],
    title: str,
) -> None:
    """Write the pictures of groups: a page, or one picture of all of them.

    Parameters
    ----------
    path : Path
        Ends in ``.png`` (network and timeline of each) or ``.html`` (and the evidence).
    found : sequence of (Group, AccountGroup)
        Groups, and what is published of them.
    mentions : sequence of Mention
        All that was read.
    title : str
    """
    phrases = load_phrases()
    at_ms = {m.id: int(m.published_at.timestamp() * 1000) for m in mentions}
    pictures = []
    for group, told in found:
        own = set(told.mentions)
        pictures.append(
            GroupPicture(
                told,
                explain_group(told, phrases),
                links_of(group),
                [at_ms[id_] for id_ in told.mentions if id_ in at_ms],
                [ms for id_, ms in at_ms.items() if id_ not in own],
            )
        )
    if path.suffix.lower() == ".png":
        path.write_bytes(render_groups_png(pictures, title))
    else:
        path.write_text(render_groups(pictures, title), encoding="utf-8")


def links_of(group: Group) -> list[tuple[str, str, int]]:
    """Pairs of a group's accounts, and how many things both of them shared."""
    joined: Counter[tuple[int, int]] = Counter()
    for trace in group.traces:
        who = [account for account in trace.joined if account in group.names]
        who = [account for account in who if account in group.accounts][:_MOST_JOINED]
        joined.update(combinations(sorted(who), 2))
    return sorted((group.names[a], group.names[b], count) for (a, b), count in joined.items())
