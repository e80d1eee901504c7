"""Signals of impostors for tests, as stage detect makes them."""

from __future__ import annotations

from typing import Any

import msgspec

from models.impersonation.findings import Reason, score_of
from models.records import Impostor, Phase, Signal
from tests.alerts.build import MINUTE, START, evidence

REASONS = (
    Reason("handle_homoglyph", 1.5, "rima1bank"),
    Reason("few_followers", 0.1, "12"),
)
INTENTS = (Reason("asks_card", 0.8, "card number"), Reason("offers_refund", 0.5, "refund"))


def impostor(who: str = "rima1bank", **changes: Any) -> Impostor:
    """An account that poses as the bank."""
    made = Impostor(
        id=f"i-{who}",
        kind="account",
        platform="x",
        account="77",
        handle=who,
        name="Rimal Bank",
        domain=None,
        urls=(),
        score=score_of(1.6 + 1.3),
        likeness=1.6,
        intent=1.3,
        reasons=REASONS,
        intents=INTENTS,
        first_ms=START,
        last_ms=START + 10 * MINUTE,
        sightings=9,
        last_hour=9,
        last_day=9,
        accounts=1,
        victims=8,
        complained=6,
        reach=140,
        followers=12,
        created_ms=START - 3 * 24 * 60 * MINUTE,
    )
    return msgspec.structs.replace(made, **changes)


def domain(host: str = "rimalbank-login.example", **changes: Any) -> Impostor:
    """A domain that poses as the bank's."""
    made: dict[str, Any] = {
        "kind": "domain",
        "platform": None,
        "account": None,
        "handle": None,
        "name": None,
        "domain": host,
        "urls": (f"https://{host}/verify",),
        "reasons": (Reason("combosquat", 1.2, "rimalbank-login"),),
    }
    return impostor(host, **(made | changes))


def sighted(
    who: Impostor | None = None, phase: Phase = "fired", minute: int = 10, brand: str = "rimal-bank"
) -> Signal:
    """The signal of an impostor."""
    who = who or impostor()
    kind = "impersonation" if who.kind == "account" else "phishing"
    at_ms = START + minute * MINUTE
    return Signal(
        id=f"s-{brand}-{who.id}-{phase}-{minute}",
        brand=brand,
        kind=kind,
        phase=phase,
        window_start_ms=who.first_ms,
        window_end_ms=at_ms,
        window_min=1440,
        at_ms=at_ms,
        observed=who.last_day,
        expected=0.0,
        lower=0,
        upper=0,
        surprise=0.0,
        line=0.5,
        score=who.score,
        threshold=1,
        total=who.last_day,
        negative=0,
        usual_negative_share=0.0,
        authors=who.accounts,
        reach=who.reach,
        history_h=0,
        platforms={"x": who.last_day},
        languages={"ar": who.last_day},
        terms=(),
        topics={},
        evidence=evidence(),
        subject=who.id,
        impostor=who,
    )
