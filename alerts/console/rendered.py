"""A playbook's messages filled with example facts, for people who read it before a crisis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from alerts.explain import brand_names
from alerts.playbook.channels import LIMITS
from alerts.playbook.records import (
    KINDS,
    LANGUAGES,
    PARTS,
    Channel,
    Facts,
    Language,
    Message,
    MessageKind,
    Playbook,
)
from alerts.playbook.render import render_message
from alerts.playbook.templates import Value, render_text
from alerts.playbook.text import values
from models.records import Brand


class Counted(NamedTuple):
    """How long a message is on one channel, and what the channel allows."""

    channel: Channel
    length: int
    limit: int
    fits: bool


class Wording(NamedTuple):
    """A message in one language: its posts, and its six parts where it has them."""

    language: Language
    posts: tuple[str, ...]
    parts: tuple[tuple[str, str], ...]
    counters: tuple[Counted, ...]


class Prepared(NamedTuple):
    """A message in both languages, for the channels that share its wording."""

    kind: MessageKind
    wordings: tuple[Wording, ...]


def example_facts(brand: Brand, type_: str, now: datetime) -> Facts:
    """What a middling crisis of a brand would fill in; the figures are made up."""
    names = brand_names(brand)
    poses = type_ in ("impersonation", "phishing")
    return Facts(
        brand_ar=names.ar,
        brand_en=names.en,
        alert_id="a-0000000000000000",
        severity="warning",
        observed=214,
        expected=12.0,
        ratio=17.8,
        window_min=60,
        negative=171,
        negative_share=80,
        since=f"{now:%H:%M}",
        date=f"{now:%Y-%m-%d}",
        timezone=brand.timezone,
        crisis_score=61,
        suspect=f"{brand.id}.help-desk.example" if poses else None,
        help_url=brand.help_url,
        support_handle=brand.support_handle,
        domain=brand.domains[0] if brand.domains else None,
    )


def prepared(playbook: Playbook, facts: Facts) -> list[Prepared]:
    """The messages of a playbook with facts, by kind; channels of one wording become one."""
    known = {language: values(facts, language) for language in LANGUAGES}
    pairs: dict[tuple[MessageKind, Channel], dict[Language, Message]] = {}
    for message in playbook.messages:
        pairs.setdefault((message.kind, message.channel), {})[message.language] = message
    groups: dict[object, list[dict[Language, Message]]] = {}
    for (kind, _), pair in pairs.items():
        said = tuple(s.text for lang in LANGUAGES if lang in pair for s in pair[lang].segments)
        groups.setdefault((kind, said), []).append(pair)
    found = [
        Prepared(
            next(iter(group[0].values())).kind,
            tuple(
                _wording([pair[lang] for pair in group], known[lang])
                for lang in LANGUAGES
                if lang in group[0]
            ),
        )
        for group in groups.values()
    ]
    return sorted(found, key=lambda one: KINDS.index(one.kind))


def _wording(messages: Sequence[Message], known: dict[str, Value]) -> Wording:
    first = messages[0]
    counters = []
    for message in messages:
        posts = list(render_message(message, known))
        longest = max(post.length for post in posts)
        fits = all(post.fits for post in posts)
        counters.append(Counted(message.channel, longest, LIMITS[message.channel], fits))
    parts = tuple(
        (segment.name, render_text(segment.text, known))
        for segment in first.segments
        if segment.name in PARTS
    )
    posts_of = tuple(post.text for post in render_message(first, known))
    return Wording(first.language, posts_of, parts, tuple(counters))
