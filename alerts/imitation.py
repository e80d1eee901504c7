"""Why an account or link looks like the brand's own: each reason in words, with its points."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

import msgspec

from alerts.playbook.records import Bilingual
from alerts.playbook.text import hostile, strip_controls
from alerts.texts import Phrases
from models.records import Brand, Impostor, Reason

_WHAT_CHARS = 60
_MOST_EDITS = 3
_NEAR = 0.5  # below this two spellings have too little in common to tell their difference
_SPELT = frozenset(
    ("handle_homoglyph", "handle_typo", "handle_padded", "name_homoglyph", "name_typo",
     "homoglyph", "typo", "typo_in_domain")
)  # fmt: skip
_OF_LINKS = frozenset(("homoglyph", "typo", "typo_in_domain"))


def explain_reasons(
    reasons: Iterable[Reason], brand: Brand, phrases: Phrases
) -> tuple[Bilingual, ...]:
    """Each reason as a sentence that ends with its points.

    Parameters
    ----------
    reasons : iterable of Reason
        Their ``what`` was written by strangers.
    brand : Brand
        What is imitated: its spelling is compared with what was seen.
    phrases : Phrases
        The sentences of explain.yaml.
    """
    return tuple(_reason(reason, brand, phrases) for reason in reasons)


def _reason(reason: Reason, brand: Brand, phrases: Phrases) -> Bilingual:
    facts = {"what": hostile(reason.what, _WHAT_CHARS) or "–"}
    said = phrases.say(f"impostors.reasons.{reason.code}", facts)
    if reason.code in _SPELT:
        said = _with_difference(said, reason, brand, phrases)
    said = Bilingual(ar=said.ar, en=said.en[:1].upper() + said.en[1:])
    return phrases.say("impostors.weighed", {"points": f"{reason.weight:+g}"}, reason=said)


def _with_difference(said: Bilingual, reason: Reason, brand: Brand, phrases: Phrases) -> Bilingual:
    own = _labels(brand) if reason.code in _OF_LINKS else _names(brand)
    edits = difference(strip_controls(reason.what).lower(), own)
    if not edits:
        return said
    told = [
        phrases.say(
            f"impostors.edits.{how}",
            {"seen": hostile(seen, _WHAT_CHARS) + _code_point(seen), "own": strip_controls(was)},
        )
        for how, seen, was in edits
    ]
    listed = Bilingual(ar="، ".join(t.ar for t in told), en=", ".join(t.en for t in told))
    return phrases.say("impostors.edited", reason=said, edits=listed)


def difference(seen: str, own: Sequence[str]) -> list[tuple[str, str, str]]:
    """How a spelling differs from the nearest of the brand's own: at most three edits.

    Returns
    -------
    list of (str, str, str)
        ``replaced``, ``added`` or ``dropped``, what is seen, and what stands there in the brand's
        own; empty where nothing is near, or all is the same.

    Examples
    --------
    >>> difference("rima1bank", ["rimalbank", "rimal"])
    [('replaced', '1', 'l')]
    """
    near = max(own, key=lambda name: SequenceMatcher(None, name, seen).ratio(), default="")
    matcher = SequenceMatcher(None, near, seen, autojunk=False)
    if matcher.ratio() < _NEAR:
        return []
    names = {"replace": "replaced", "insert": "added", "delete": "dropped"}
    edits = [
        (names[tag], seen[j1:j2], near[i1:i2])
        for tag, i1, i2, j1, j2 in matcher.get_opcodes()
        if tag != "equal"
    ]
    return edits if len(edits) <= _MOST_EDITS else []


def clean_impostor(seen: Impostor) -> Impostor:
    """The impostor without what strangers' text could do to a terminal or a reading order."""
    texts = {
        name: strip_controls(value)
        for name, value in msgspec.structs.asdict(seen).items()
        if isinstance(value, str)
    }
    return msgspec.structs.replace(
        seen,
        **texts,
        urls=tuple(map(strip_controls, seen.urls)),
        earlier_handles=tuple(map(strip_controls, seen.earlier_handles)),
        reasons=tuple(map(_clean_reason, seen.reasons)),
        intents=tuple(map(_clean_reason, seen.intents)),
    )


def _clean_reason(reason: Reason) -> Reason:
    return Reason(reason.code, reason.weight, strip_controls(reason.what))


def _code_point(seen: str) -> str:
    """Of one letter that only looks like another, its code point: eyes do not tell."""
    return f" (U+{ord(seen):04X})" if len(seen) == 1 and not seen.isascii() else ""


def _names(brand: Brand) -> list[str]:
    accounts = (text for a in brand.accounts for text in (a.handle, a.name) if text)
    return [text.lower() for text in (*brand.handles, *brand.names, *accounts)]


def _labels(brand: Brand) -> list[str]:
    domains = [domain.lower() for domain in brand.domains]
    return [*(domain.partition(".")[0] for domain in domains), *domains, *_names(brand)]
