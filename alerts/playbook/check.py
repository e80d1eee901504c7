"""Check playbook files as a careful editor would: every problem at once, each with its line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from alerts.playbook.channels import MAX_POSTS
from alerts.playbook.load import Draft, files_in, read
from alerts.playbook.records import (
    LANGUAGES,
    PARTS,
    Facts,
    Language,
    Message,
    Playbook,
    Problem,
    RenderedMessage,
)
from alerts.playbook.render import render_message
from alerts.playbook.rules import LINK, Fault, placeholders, wording, words
from alerts.playbook.source import Text
from alerts.playbook.templates import Value, names, render_text
from alerts.playbook.text import values

_KEY_LANGUAGE = re.compile(r"\.(ar|en)(?=[.\[]|$)")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_PLACES = frozenset(("help_url", "support_handle", "domain"))
_WHOLE = re.compile(rf"(?:[.!?؟…)»”\"]|(?:{LINK.pattern}))$")
_BROKEN = re.compile(r"[ \u200e][.,،؛;:?؟](?:\s|$)|\(\s*\)|[،,:؛;]\s*[.،,:؛;]")


class _Sample(NamedTuple):
    name: str
    known: Mapping[Language, Mapping[str, Value]]


def check(paths: Sequence[Path]) -> list[Problem]:
    """Check playbook files, or all files of directories.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files and directories.

    Returns
    -------
    list of Problem
        Errors and warnings of all files, by file and line; empty if all is well.

    Examples
    --------
    >>> from alerts.playbook.load import SHIPPED
    >>> check([SHIPPED])
    []
    """
    problems: list[Problem] = []
    first: dict[str, Path] = {}
    for path in _files(paths):
        draft = read(path)
        found = {*draft.problems, *_check(str(path), draft)}
        kind = draft.playbook.type
        if kind and first.setdefault(kind, path) != path:
            message = f"a second playbook for '{kind}'; the first is {first[kind]}"
            found.add(Problem(str(path), 1, "type", message))
        problems += sorted(found)
    return problems


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for path in paths:
        for file in files_in(path) if path.is_dir() else [path]:
            if file not in seen:
                seen.add(file)
                yield file


def _check(file: str, draft: Draft) -> Iterator[Problem]:
    for text in draft.texts.values():
        for fault in _wording(text):
            yield Problem(file, text.line_of(fault.offset), text.key, fault.message)
    unsound = {p.key for p in draft.problems if p.severity == "error"}
    sound = {key: text for key, text in draft.texts.items() if key not in unsound}
    yield from _parity(file, draft.texts, sound)
    yield from _plan(file, draft)
    samples = tuple(_samples())
    for message in draft.playbook.messages:
        if message.kind == "holding":
            yield from _six_parts(file, sound, message)
        if message.segments and all(segment.key in sound for segment in message.segments):
            yield from _rendered(file, sound, message, samples)


def _wording(text: Text) -> Iterator[Fault]:
    match = _KEY_LANGUAGE.search(text.key)
    if match:
        spoken = text.key.startswith(("messages.", "say["))
        yield from wording(text.value, cast(Language, match[1]), spoken=spoken)


def _parity(file: str, texts: Mapping[str, Text], sound: Mapping[str, Text]) -> Iterator[Problem]:
    """Arabic and English must say the same: facts (of sound templates), numbers, links."""
    for key, text in texts.items():
        match = _KEY_LANGUAGE.search(key)
        if not match:
            continue
        language = match[1]
        other = "en" if language == "ar" else "ar"
        for name in sorted(names(text.value)):
            if name.endswith(f"_{other}"):
                message = f"'{name}' in a text in '{language}'; use '{name[:-2]}{language}'"
                yield Problem(file, text.find(name), key, message)
        twin_key = f"{key[: match.start()]}.{other}{key[match.end() :]}"
        twin = texts.get(twin_key)
        if twin is None:
            if "[" in key[match.end() :]:  # other gaps are reported as missing keys
                yield Problem(file, text.line, key, f"has no counterpart {twin_key}")
        else:
            if key in sound and twin_key in sound:
                for name in sorted(_facts(text) - _facts(twin)):
                    message = f"the fact '{name}' is missing here, but {key} has it"
                    yield Problem(file, twin.line, twin_key, message)
            yield from _lacks(file, text, twin)


def _lacks(file: str, text: Text, twin: Text) -> Iterator[Problem]:
    """Numbers and links of this text that its twin in the other language has not."""
    for what, pattern in (("number", _NUMBER), ("link", LINK)):
        for value in sorted(_literals(text, pattern) - _literals(twin, pattern)):
            message = f"the {what} {value} is not in {twin.key}; both languages need it"
            yield Problem(file, text.find(value), text.key, message)


def _facts(text: Text) -> set[str]:
    return {name.removesuffix("_ar").removesuffix("_en") for name in names(text.value)}


def _literals(text: Text, pattern: re.Pattern[str]) -> Counter[str]:
    source = words(text.value)
    if pattern is _NUMBER:
        source = LINK.sub(" ", source)
    return Counter(found.rstrip(".,;:!?)") for found in pattern.findall(source))


def _plan(file: str, draft: Draft) -> Iterator[Problem]:
    """Steps in the order of their time, and every role with a task."""
    playbook: Playbook = draft.playbook
    for i in range(1, len(playbook.steps)):
        before, step = playbook.steps[i - 1], playbook.steps[i]
        if step.within_min < before.within_min:
            message = f"'{step.id}' is due before '{before.id}' above it"
            yield Problem(file, draft.lines[f"steps[{i}]"], f"steps[{i}]", message, "warning")
    used = {step.role for step in playbook.steps}
    for i, role in enumerate(playbook.roles):
        if role.id and role.id not in used:
            message = f"the role '{role.id}' has no step"
            yield Problem(file, draft.lines[f"roles[{i}]"], f"roles[{i}]", message, "warning")


def _six_parts(file: str, texts: Mapping[str, Text], message: Message) -> Iterator[Problem]:
    """Each part has words of its own, and the last says where to learn more."""
    seen: dict[str, str] = {}
    for segment in message.segments:
        text = texts.get(segment.key)
        if text is None:
            continue
        own = " ".join(words(text.value).split())
        if len(re.findall(r"\w+", own)) < 2 and segment.name != "learn_more":
            yield Problem(file, text.line, text.key, f"the part '{segment.name}' says nothing")
        if own in seen:
            again = f"repeats the part '{seen[own]}'; the six parts are {', '.join(PARTS)}"
            yield Problem(file, text.line, text.key, again)
        seen[own] = segment.name
        if segment.name == "learn_more" and not (_PLACES & names(text.value) or LINK.search(own)):
            where = ", ".join(sorted(_PLACES))
            yield Problem(file, text.line, text.key, f"names no place to learn more ({where})")


def _rendered(
    file: str, texts: Mapping[str, Text], message: Message, samples: Sequence[_Sample]
) -> Iterator[Problem]:
    """Render with sample facts: lengths, gaps, and sentences that broke."""
    worst: tuple[RenderedMessage, str] | None = None
    for sample in samples:
        known = sample.known[message.language]
        for post in render_message(message, known):
            if not post.fits and (worst is None or post.length > worst[0].length):
                worst = post, sample.name
        for segment in message.segments:
            text = texts[segment.key]
            for what in _gaps(segment.name, render_text(segment.text, known)):
                yield Problem(file, text.line, text.key, f"{what} ({sample.name})")
    if worst is not None:
        post, name = worst
        text = texts[message.segments[0].key]
        over = f"{post.length:,} of {post.limit:,}"
        if post.posts > MAX_POSTS:
            over = f"{post.posts} posts, at most {MAX_POSTS}"
        yield Problem(
            file, text.line, text.key, f"too long for the channel '{post.channel}': {over} ({name})"
        )


def _gaps(name: str, text: str) -> Iterator[str]:
    if not text:
        yield "nothing is left of the text"
        return
    for fault in placeholders(text):
        yield fault.message
    if name == "q" and text[-1] not in "?؟":
        yield "a question ends with a question mark"
    elif not _WHOLE.search(text):
        yield f"the sentence is not whole: ends with '{text[-20:]}'"
    broken = _BROKEN.search(text)
    if broken:
        start = max(0, broken.start() - 15)
        yield f"the sentence is not whole: '{text[start : broken.end()].strip()}'"


def _samples() -> Iterator[_Sample]:
    """Facts at both ends of what may happen."""
    short = ("ناب", "Nab")
    long = (
        "الشركة الخليجية المتكاملة للخدمات اللوجستية",
        "Gulf Integrated Logistics Services Company",
    )
    url, handle = "https://support.example.com/ar/service-status/2026", "@example_customer_care"
    domain = "customers.example.com"
    for size, (ar, en) in (("short names", short), ("long names", long)):
        for what, present in (
            ("all facts", (url, handle, domain)),
            ("without help_url", (None, handle, domain)),
            ("without support_handle and domain", (url, None, None)),
            ("without help_url, support_handle and domain", (None, None, None)),
        ):
            facts = _facts_of(ar, en, present, big=size == "long names")
            yield _Sample(f"{size}, {what}", {lang: values(facts, lang) for lang in LANGUAGES})


def _facts_of(ar: str, en: str, places: tuple[str | None, ...], *, big: bool) -> Facts:
    url, handle, domain = places
    return Facts(
        brand_ar=ar,
        brand_en=en,
        alert_id="acme-service_outage-1795300000000" if big else "a1",
        severity="critical" if big else "watch",
        observed=12_345_678 if big else 12,
        expected=1_234.5 if big else 0.4,
        ratio=10_000.4 if big else 30.0,
        window_min=1_440 if big else 5,
        negative=11_111_111 if big else 3,
        negative_share=90 if big else 25,
        since="10:40",
        date="2026-11-21",
        timezone="America/Argentina/ComodRivadavia" if big else "Asia/Riyadh",
        crisis_score=99.5 if big else 40,
        terms=("w" * 60,) * 10 if big else (),
        suspect="https://" + "w" * 200 if big else None,
        help_url=url,
        support_handle=handle,
        domain=domain,
    )
