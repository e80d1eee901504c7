"""Who stands by the brand in a crisis, and how often its critics are answered, in words."""

from __future__ import annotations

import msgspec

from alerts.narratives import clean_terms
from alerts.playbook.records import Bilingual
from alerts.playbook.text import hostile
from alerts.texts import Phrases
from models.records import Advocate, Defence

_NAME_CHARS = 40


def explain_defence(defence: Defence, phrases: Phrases) -> Bilingual:
    """Say which advocates are active and how many critical threads one of them answered."""
    if defence.advocates:
        names = phrases.listed([hostile(_name(a), _NAME_CHARS) for a in defence.advocates])
        accounts = phrases.accounts(defence.active)
        said = [phrases.say("defence.active", accounts=accounts, names=names)]
    else:
        said = [phrases.say("defence.silent")]
    if defence.threads:
        facts = {
            "threads": f"{defence.threads:,}",
            "answered": f"{defence.answered:,}",
            "percent": phrases.number(100 * defence.answered / defence.threads),
        }
        said.append(phrases.say("defence.threads", facts))
    return Bilingual(ar=" ".join(s.ar for s in said), en=" ".join(s.en for s in said))


def clean_defence(defence: Defence | None) -> Defence | None:
    """The same without what names could do to a terminal, a log or a reading order."""
    if defence is None:
        return None
    return msgspec.structs.replace(defence, advocates=tuple(map(_clean, defence.advocates)))


def _clean(advocate: Advocate) -> Advocate:
    names = (advocate.account, advocate.platform, advocate.handle or "")
    account, platform, handle = ((clean_terms((n,)) or ("?",))[0] for n in names)
    shown = handle if advocate.handle else None
    return msgspec.structs.replace(advocate, account=account, platform=platform, handle=shown)


def _name(advocate: Advocate) -> str:
    return advocate.handle or advocate.account
