"""What a group of accounts did, in fair words: suspected, with figures, and what speaks against."""

from __future__ import annotations

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
    against = [phrases.say(f"groups.{name}") for name in _AGAINST if group.parts.get(name)]
    if against:
        said.append(phrases.say("groups.against", reasons=phrases.joined(against)))
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
    facts = {"share": round(100 * group.share)}
    when = phrases.when(group.first_ms, group.last_ms)
    accounts = phrases.accounts(_accounts(group))
    if group.kind == "coordination":
        mentions = phrases.mentions(len(group.mentions), genitive=True)
        return phrases.say(
            "groups.coordination", facts, accounts=accounts, mentions=mentions, when=when
        )
    thing, spread = (
        phrases.say(f"groups.{k}.{group.evidence[0].kind}") for k in ("things", "spread")
    )
    return phrases.say(
        "groups.amplification", facts, accounts=accounts, thing=thing, spread=spread, when=when
    )


def _grounds(group: AccountGroup, phrases: Phrases) -> list[Bilingual]:
    facts, said = group.facts, []
    if facts["copiers"]:
        said.append(_copies(group, phrases))
    if facts["again"]:
        said.append(phrases.say("groups.repetition", {"percent": round(100 * facts["again"])}))
    said.append(phrases.say("groups.synchrony", gap=phrases.gap(facts["gap_s"])))
    said += [phrases.say(f"groups.{name}") for name in _FOR if group.parts.get(name, 0) >= 0.5]
    return said


def _copies(group: AccountGroup, phrases: Phrases) -> Bilingual:
    copied, texts = group.facts["copiers"], group.facts["texts"]
    whole = "all" if copied >= _accounts(group) else "some"
    copiers = phrases.say(f"groups.copiers.{whole}", {"copiers": f"{copied:,.0f}"})
    how_many = "one" if texts <= 1 else "more"
    return phrases.say(f"groups.copies.{how_many}", {"texts": f"{texts:,.0f}"}, copiers=copiers)


def _accounts(group: AccountGroup) -> int:
    return max(int(group.facts["accounts"]), len(group.accounts))
