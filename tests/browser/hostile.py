"""What an attacker writes, in every field that reaches a page."""

from __future__ import annotations

from contextlib import closing

import msgspec

from alerts.playbook.records import Bilingual
from alerts.playbook.text import hostile
from alerts.records import Decision, Gate
from alerts.service.silencing import SilenceDraft
from alerts.silences import Matchers
from streams.store import Store
from tests.browser.site import Site

HERE = "<script>window.owned=1;alert('owned')</script>"
STYLE = "</style><style>*{display:none!important}</style><link rel=stylesheet href=//evil.example>"
FIELDS = (
    HERE,
    "\"'><img src=x onerror=\"alert('owned')\"><svg onload=alert(1)><iframe src=//evil.example>",
    STYLE,
    "\u202e\u2067gro.live//:sptth\u2066 \u202dabc\u202c \u200f\x1b[2J\x00",
    "w" * 1_000_000,
    "ع" * 1_000_000,
    "e" + "\u0301" * 5_000,
    "{{7191*7}} {% include '/etc/passwd' %} ${7191*7} &lt;script&gt;",
    '<form action=//evil.example><button hx-get="//evil.example" hx-trigger="load" autofocus>',
)
EVIL = " ".join(one[:300] for one in FIELDS)
# as the pipeline puts what strangers wrote into sentences of its own
TOLD = " ".join(hostile(one, 120) for one in FIELDS)
PRODUCT = str(7191 * 7)


def hostile_alert(site: Site) -> str:
    """An alert whose every text is hostile; its id."""
    alert = site.alert_of("saqr-air")
    evidence = tuple(
        msgspec.structs.replace(
            alert.evidence[i % len(alert.evidence)],
            id=f"x-{i}",
            text=text,
            handle=text[:300],
            platform=text[:60],
            **_link(i),
        )
        for i, text in enumerate(FIELDS)
    )
    said = msgspec.json.decode(
        _soiled(msgspec.json.encode(alert.explanation)), type=type(alert.explanation)
    )
    return site.open_again(
        "saqr-air",
        "a-hostile",
        title=Bilingual(ar=f"عنوان {TOLD}", en=f"Title {TOLD}"),
        explanation=said,
        evidence=evidence,
        terms=FIELDS,
        platforms={one[:60]: 3 for one in FIELDS},
        narratives=tuple(
            msgspec.json.decode(_soiled(msgspec.json.encode(one)), type=type(one))
            for one in alert.narratives
        ),
        groups=tuple(
            msgspec.json.decode(_soiled(msgspec.json.encode(one)), type=type(one))
            for one in alert.groups
        ),
        playbook=msgspec.json.decode(
            _soiled(msgspec.json.encode(alert.playbook)), type=type(alert.playbook)
        ),
    )


def hostile_rows(site: Site, alert: str) -> None:
    """A comment, a silence and a decision that are hostile."""
    desk, now_ms = site.desk, site.clock()
    desk.comment("amal", alert, EVIL, once=None)
    desk.assign("amal", alert, EVIL[:80], version=None, once=None)
    draft = SilenceDraft(
        matchers=Matchers(brands=("saqr-air",), types=("rumour",)),
        starts_ms=now_ms, ends_ms=now_ms + 3_600_000, reason=EVIL[:400],
    )  # fmt: skip
    desk.create_silence("amal", draft, once=None)
    both = Bilingual(ar=TOLD, en=TOLD)
    gate = Gate(name="mentions", passed=False, observed=1.0, needed=2.0, sentence=both)
    decision = Decision(
        id="d-hostile", at="2026-03-02T11:00:00Z", brand="saqr-air", signal="s-hostile",
        kind="rumour", outcome="not_alerted", reason="mentions", sentence=both, alert=None,
        observed=1, expected=1.0, surprise=1.0, window_min=5, gates=(gate,),
    )  # fmt: skip
    with closing(Store(site.config.paths.data / "nadhir.db")) as store, store.step():
        store.add_decisions([decision])


def _link(i: int) -> dict[str, str]:
    places = ("javascript:alert('owned')", "https://evil.example/a", "data:text/html,x")
    return {"url": places[i % 3]}


def _soiled(document: bytes) -> bytes:
    """A JSON document with hostile text in every sentence of it."""

    def soil(value: object) -> object:
        if isinstance(value, dict):
            return {key: soil(one) for key, one in value.items()}
        if isinstance(value, list):
            return [soil(one) for one in value]
        # words of our own stay: they name things
        return f"{value} {TOLD}" if isinstance(value, str) and " " in value else value

    return msgspec.json.encode(soil(msgspec.json.decode(document)))
