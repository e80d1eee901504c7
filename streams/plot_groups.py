"""Pictures of groups: ``nadhir analyze coordination --plot``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain, combinations
from pathlib import Path

import msgspec

from alerts.groups import explain_group
from alerts.show import GroupPicture, render_groups
from alerts.show.groups import MOST_ACCOUNTS
from alerts.show.groups_png import render_groups_png
from alerts.texts import load_phrases
from models.coordination.accounts import name_of, number_of
from models.coordination.group import Group
from models.coordination.record import evidence_of
from models.records import AccountGroup, Mention


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

    Raises
    ------
    OSError
        The file cannot be written.
    """
    phrases = load_phrases()
    people = _people(mentions)
    all_ms = [int(m.published_at.timestamp() * 1000) for m in mentions]
    pictures = []
    for group, told in found:
        called = _called(group, people)
        places = {account: i for i, account in enumerate(called)}
        pictures.append(
            GroupPicture(
                msgspec.structs.replace(told, evidence=evidence_of(group, called)),
                explain_group(told, phrases),
                list(called.values()),
                [(places[a], places[b], many) for a, b, many in links_of(group)],
                [post.at_ms for post in group.posts()],
                all_ms,
            )
        )
    if path.suffix.lower() == ".png":
        path.write_bytes(render_groups_png(pictures, title))
    else:
        path.write_text(render_groups(pictures, title), encoding="utf-8")


def links_of(group: Group) -> list[tuple[int, int, int]]:
    """Pairs of a group's accounts, by number, and how many things both of them shared."""
    joined: Counter[tuple[int, int]] = Counter()
    for trace in chain(group.earlier, group.traces):
        # the window may have let go of who shared it first
        sharing = dict.fromkeys(q.account for q in trace.quotes)
        who = [account for account in sharing if account in group.names]
        who = [account for account in who if account in group.accounts][:MOST_ACCOUNTS]
        joined.update(combinations(sorted(who), 2))
    return sorted((a, b, count) for (a, b), count in joined.items())


def _people(mentions: Sequence[Mention]) -> dict[int, tuple[str, str]]:
    """What each account is called, by its handle where it has one, and its platform."""
    people: dict[int, tuple[str, str]] = {}
    for mention in mentions:
        name = name_of(mention)
        if name and mention.author is not None:
            shown = mention.author.handle or name
            people[number_of(mention.platform, name)] = shown, mention.platform
    return people


def _called(group: Group, people: Mapping[int, tuple[str, str]]) -> dict[int, str]:
    """What a group's accounts are called, with the platform where two are called the same."""
    own = {a: people.get(a, (name, "?")) for a, name in group.names.items() if a in group.accounts}
    many = Counter(name for name, _ in own.values())
    return {
        account: name if many[name] == 1 else f"{name} ({platform})"
        for account, (name, platform) in own.items()
    }
