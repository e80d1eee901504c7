"""A playbook with the facts of an alert: plain texts for a person to approve."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from alerts.playbook.channels import LIMITS, MAX_POSTS, length, thread
from alerts.playbook.records import (
    LANGUAGES,
    Bilingual,
    Facts,
    Language,
    Message,
    Playbook,
    RenderedMessage,
    RenderedPlaybook,
    RenderedStep,
)
from alerts.playbook.templates import Value, render_text
from alerts.playbook.text import values

_ASKS: dict[Language, tuple[str, str]] = {"ar": ("س: ", "ج: "), "en": ("Q: ", "A: ")}


def render(playbook: Playbook, facts: Facts) -> RenderedPlaybook:
    """Render all texts of a playbook, in both languages and for every channel.

    The result is plain text: HTML, Markdown or terminal output must escape it.

    Parameters
    ----------
    playbook : Playbook
        From `alerts.playbook.load_playbooks`, which refuses templates that could fail here.
    facts : Facts
        Facts of the alert; hostile text is made harmless here.

    Returns
    -------
    RenderedPlaybook
        Frozen and JSON-serialisable with msgspec.

    Examples
    --------
    >>> from alerts.playbook import load_playbooks
    >>> facts = Facts(brand_ar="أكمي", brand_en="Acme", alert_id="a1", severity="warning",
    ...     observed=900, expected=30.0, ratio=30.0, window_min=5, negative=700,
    ...     negative_share=78, since="10:40", date="2026-11-21", timezone="Asia/Riyadh",
    ...     crisis_score=71, help_url="https://acme.com/status")
    >>> done = render(load_playbooks()["service_outage"], facts)
    >>> all(message.fits for message in done.messages)
    True
    """
    known = {language: values(facts, language) for language in LANGUAGES}

    def both(text: Bilingual) -> Bilingual:
        return Bilingual(render_text(text.ar, known["ar"]), render_text(text.en, known["en"]))

    titles = {role.id: both(role.title) for role in playbook.roles}
    return RenderedPlaybook(
        type=playbook.type,
        alert_id=facts.alert_id,
        title=both(playbook.title),
        summary=both(playbook.summary),
        steps=tuple(
            RenderedStep(
                id=step.id,
                role=step.role,
                role_title=titles[step.role],
                within_min=step.within_min,
                action=both(step.action),
            )
            for step in playbook.steps
        ),
        say=tuple(map(both, playbook.say)),
        do_not_say=tuple(map(both, playbook.do_not_say)),
        messages=tuple(
            post
            for message in playbook.messages
            for post in render_message(message, known[message.language])
        ),
    )


def render_message(message: Message, known: Mapping[str, Value]) -> Iterator[RenderedMessage]:
    """Render one message: one post, or the posts of a thread.

    Parameters
    ----------
    message : Message
        Templates of one kind, channel and language.
    known : mapping
        From `alerts.playbook.text.values` for that language.
    """
    texts = [render_text(segment.text, known) for segment in message.segments]
    limit = LIMITS[message.channel]
    if message.kind == "holding" and message.channel == "x":
        posts = [(post.text, post.length) for post in thread(texts)]
    else:
        text = _join(message, texts)
        posts = [(text, length(message.channel, text))]
    for number, (text, size) in enumerate(posts, 1):
        yield RenderedMessage(
            kind=message.kind,
            language=message.language,
            channel=message.channel,
            text=text,
            length=size,
            limit=limit,
            fits=size <= limit and len(posts) <= MAX_POSTS,
            post=number,
            posts=len(posts),
        )


def _join(message: Message, texts: list[str]) -> str:
    if message.kind == "holding":  # six parts: two to a paragraph
        return "\n\n".join(" ".join(texts[i : i + 2]) for i in range(0, len(texts), 2))
    if message.kind == "faq":
        ask, answer = _ASKS[message.language]
        return "\n\n".join(
            f"{ask}{q}\n{answer}{a}" for q, a in zip(texts[::2], texts[1::2], strict=True)
        )
    return "\n\n".join(texts)
