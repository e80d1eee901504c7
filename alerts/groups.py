"""What a group of accounts did, in fair words: suspected, with figures, and what speaks against."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from alerts.playbook.records import Bilingual
from alerts.playbook.text import strip_controls
from alerts.texts import Phrases
from models.records import AccountGroup, GroupPost, GroupTrace

_FOR = ("young", "born_together", "handles")
_AGAINST = ("old", "one_thing", "headline")


def explain_group(group: AccountGroup, phrases: Phrases) -> Bilingual:
    """Say what was seen, what the score rests on, and which innocent explanation fits best.

    Parameters
    ----------
    group : AccountGroup
    phrases : Phrases
        The sentences of explain.yaml.
    """
    said = [_opening(group, phrases)]
    if group.kind == "coordination":
        said += _grounds(group, phrases)
    said += [phrases.say(f"groups.{name}") for name in _AGAINST if group.parts.get(name)]
    said.append(phrases.say("groups.score", {"score": f"{group.score:.2f}"}))
    said.append(phrases.say(f"groups.innocent.{group.innocent}"))
    return Bilingual(ar=" ".join(s.ar for s in said), en=" ".join(s.en for s in said))


def clean_group(group: AccountGroup) -> AccountGroup:
    """The group without what strangers' text could do to a terminal, a log or a reading order."""
    return msgspec.structs.replace(
        group,
        accounts=tuple(map(strip_controls, group.accounts)),
        mentions=tuple(map(strip_controls, group.mentions)),
        evidence=tuple(map(_clean_trace, group.evidence)),
    )


def _clean_trace(trace: GroupTrace) -> GroupTrace:
    return msgspec.structs.replace(
        trace,
        shown=strip_controls(trace.shown),
        posts=tuple(map(_clean_post, trace.posts)),
        differs=tuple(tuple(map(strip_controls, words)) for words in trace.differs),
    )


def _clean_post(post: GroupPost) -> GroupPost:
    texts = {"id": post.id, "account": post.account, "text": post.text}
    return msgspec.structs.replace(post, **{k: strip_controls(v) for k, v in texts.items()})


def _opening(group: AccountGroup, phrases: Phrases) -> Bilingual:
    facts = {
        "first": _moment(group.first_ms),
        "last": _moment(group.last_ms),
        "share": round(100 * group.share),
    }
    accounts = phrases.accounts(max(int(group.facts["accounts"]), len(group.accounts)))
    if group.kind == "coordination":
        mentions = phrases.mentions(len(group.mentions), genitive=True)
        return phrases.say("groups.coordination", facts, accounts=accounts, mentions=mentions)
    thing = phrases.say(f"groups.things.{group.evidence[0].kind}")
    return phrases.say("groups.amplification", facts, accounts=accounts, thing=thing)


def _grounds(group: AccountGroup, phrases: Phrases) -> list[Bilingual]:
    facts, said = group.facts, []
    if facts["copiers"]:
        figures = {"copiers": f"{facts['copiers']:,.0f}", "texts": f"{facts['texts']:,.0f}"}
        said.append(phrases.say("groups.copies", figures))
    if facts["again"]:
        said.append(phrases.say("groups.repetition", {"percent": round(100 * facts["again"])}))
    minutes = max(1, round(facts["gap_s"] / 60))
    said.append(phrases.say("groups.synchrony", gap=phrases.duration(minutes)))
    said += [phrases.say(f"groups.{name}") for name in _FOR if group.parts.get(name, 0) >= 0.5]
    return said


def _moment(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
