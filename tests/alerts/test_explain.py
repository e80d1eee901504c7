"""Explanations: the score can be recomputed, and every "would not have fired" is true."""

from __future__ import annotations

import re
from math import floor
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from alerts.cases import Outcome
from alerts.explain import (
    WEIGHTS,
    brand_names,
    crisis_score,
    score_parts,
    severity_of,
)
from alerts.groups import explain_group
from alerts.playbook.records import Bilingual
from alerts.records import SEVERITIES, Alert, Part
from models.baseline import interval, threshold
from models.negativity import share_surprise
from models.records import (
    SURPRISE_LINES,
    AccountGroup,
    Brand,
    GroupPost,
    GroupTrace,
    Sensitivity,
    Signal,
)
from tests.alerts.build import (
    PHRASES,
    RIMAL,
    only_alert,
    rarity_of,
    signal,
    stage,
    story_alerts,
)

KINDS = ("volume", "negative_count", "negative_share")
QUIET: dict[str, dict[str, Any]] = {
    "volume": {"observed": 90, "expected": 14.2, "negative": 41},
    "negative_count": {"observed": 24, "total": 52},
    "negative_share": {"observed": 46, "expected": 13.3, "total": 74, "alpha": 0.02},
}


def number(pattern: str, alert: Alert) -> float:
    """The number that a sentence of "would have stopped it" names, alike in both languages."""
    sentences = alert.explanation.would_have_stopped_it
    (found,) = [(s, m) for s in sentences if (m := re.search(pattern, s.en))]
    assert found[1][1] in found[0].ar
    return float(found[1][1].replace(",", ""))


def fire(given_: Signal, brand: Brand = RIMAL, **settings: int) -> Outcome:
    return stage(brand, **settings).handle([given_])


def alert_of(kind: str, **other: Any) -> Alert:
    return only_alert(fire(signal(kind, **(QUIET[kind] | other))))


def refused_by(outcome: Outcome) -> str:
    assert not outcome.cases
    (decision,) = outcome.decisions
    return decision.reason


# the score ------------------------------------------------------------------------------------


@pytest.mark.parametrize("alert", story_alerts(), ids=lambda a: a.brand)
def test_score_can_be_recomputed_from_the_alert(alert: Alert) -> None:
    parts = alert.explanation.parts
    assert {p.name: p.weight for p in parts} == WEIGHTS
    for part in parts:
        assert 0 <= part.value <= 1
        assert part.points == round(part.weight * part.value, 2)
    total = sum(round(p.weight * p.value, 2) for p in parts)
    assert alert.score == int(round(total, 2) + 0.5)
    levels = alert.explanation.severity_from
    assert alert.severity == [s for s in SEVERITIES if alert.score >= levels[s]][-1]


def test_weights_are_a_hundred() -> None:
    assert sum(WEIGHTS.values()) == 100


@given(st.lists(st.integers(0, 2_000), min_size=5, max_size=5))
def test_score_rounds_half_up(cents: list[int]) -> None:
    text = PHRASES.say("show.sum")
    parts = tuple(
        Part(name=str(i), value=1.0, weight=1.0, points=c / 100, sentence=text)
        for i, c in enumerate(cents)
    )
    assert crisis_score(parts) == (sum(cents) + 50) // 100


@pytest.mark.parametrize(
    ("score", "severity"),
    [(0, "watch"), (44, "watch"), (45, "warning"), (69, "warning"), (70, "critical")],
)
def test_severity(score: int, severity: str) -> None:
    assert severity_of(score) == severity


@given(
    usual=st.floats(0, 1),
    negative=st.integers(0, 500),
    reach=st.integers(0, 2**60),
    authors=st.integers(0, 10**9),
    expected=st.floats(0, 1e6),
)
def test_parts_stay_within_their_weights(
    usual: float, negative: int, reach: int, authors: int, expected: float
) -> None:
    extreme = replace(
        signal(total=500, negative=negative, reach=reach, authors=authors),
        usual_negative_share=usual,
        expected=expected,
    )
    parts = score_parts([extreme], PHRASES)
    assert all(0 <= p.points <= p.weight for p in parts)
    assert 0 <= crisis_score(parts) <= 100


def test_parts_take_the_largest_of_the_signals() -> None:
    small, large = signal(observed=30, reach=10), signal("volume", observed=600, expected=20.0)
    assert score_parts([small, large], PHRASES) == score_parts([large, small], PHRASES)
    both = {p.name: p.value for p in score_parts([small, large], PHRASES)}
    one = {p.name: p.value for p in score_parts([small], PHRASES)}
    assert all(both[name] >= one[name] for name in WEIGHTS)


# what would have stopped it -------------------------------------------------------------------


@pytest.mark.parametrize("line", SURPRISE_LINES.values())
@settings(max_examples=25)
@given(expected=st.floats(0.5, 200), alpha=st.floats(0.02, 1.0), kind=st.sampled_from(KINDS[:2]))
def test_one_mention_below_the_threshold_is_below_the_line(
    line: float, expected: float, alpha: float, kind: str
) -> None:
    least = threshold(expected, alpha, line)
    other: dict[str, Any] = {"line": line, "expected": expected, "alpha": alpha, "threshold": least}
    told = only_alert(fire(signal(kind, observed=20 * least, **other)))
    named = int(number(r"fewer than ([\d,]+) (?:negative )?mention", told))
    assert named == least
    assert rarity_of(named, expected, alpha) >= line
    assert refused_by(fire(signal(kind, observed=named - 1, **other))) == "surprise"


@pytest.mark.parametrize("total", [30, 74, 900])
def test_one_negative_mention_fewer_is_below_the_line_of_a_share(total: int) -> None:
    share, rho = 0.18, 0.02
    scores = [share_surprise(k, total, share, rho) for k in range(total + 1)]
    least = next(k for k, s in enumerate(scores) if s >= 6.5)

    def share_of(negative: int) -> Signal:
        return signal(
            "negative_share",
            observed=negative,
            expected=share * total,
            total=total,
            threshold=least,
            surprise=floor(1000 * scores[negative]) / 1000,
        )

    told = only_alert(fire(share_of(min(total, least + 3))))
    named = int(number(r"fewer than ([\d,]+) negative mentions of", told))
    assert refused_by(fire(share_of(named - 1))) == "surprise"


@pytest.mark.parametrize("kind", KINDS)
def test_below_the_lift(kind: str) -> None:
    told = alert_of(kind)
    assert any("less than twice the usual" in s.en for s in told.explanation.would_have_stopped_it)
    just_below = replace(signal(kind, **QUIET[kind]), expected=told.observed / 1.99, surprise=20.0)
    assert refused_by(fire(just_below)) == "lift"


@pytest.mark.parametrize("kind", KINDS)
def test_a_higher_minimum_of_mentions(kind: str) -> None:
    given_ = signal(kind, **QUIET[kind])
    setting = int(number(r"set to ([\d,]+) or more", alert_of(kind)))
    assert refused_by(fire(given_, min_mentions=setting)) == "mentions"
    assert fire(given_, min_mentions=setting - 1).cases


@pytest.mark.parametrize("kind", KINDS)
def test_fewer_accounts(kind: str) -> None:
    named = int(number(r"fewer than (\d+) accounts", alert_of(kind)))
    assert refused_by(fire(signal(kind, **QUIET[kind] | {"authors": named - 1}))) == "authors"
    assert fire(signal(kind, **QUIET[kind] | {"authors": named})).cases


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("usual", [0.0523, 0.18, 0.3337])
def test_a_lower_negative_share(kind: str, usual: float) -> None:
    told = alert_of(kind, usual_negative_share=usual, total=10_000, negative=6_000)
    named = number(r"less than ([\d.]+)% had been negative", told)
    below = round(named * 100) - 1  # of 10,000
    other = QUIET[kind] | {"usual_negative_share": usual, "total": 10_000, "negative": below}
    assert refused_by(fire(signal(kind, **other))) == "tone"


@pytest.mark.parametrize("kind", KINDS)
def test_a_stricter_sensitivity(kind: str) -> None:
    balanced, strict_line = SURPRISE_LINES["balanced"], SURPRISE_LINES["strict"]
    between = (balanced + strict_line) / 2
    given_ = replace(signal(kind, **QUIET[kind]), surprise=between, line=balanced)
    told = only_alert(fire(given_))
    words: list[Sensitivity] = ["sensitive", "balanced", "strict"]
    named = [
        word
        for word in words
        if any(f"“{word}”" in s.en and word in s.ar for s in told.explanation.would_have_stopped_it)
    ]
    assert named == ["strict"]
    strict = replace(RIMAL, sensitivity="strict")
    outcome = fire(replace(given_, line=strict_line), strict)
    assert refused_by(outcome) == "surprise"


def test_no_sensitivity_is_named_that_would_have_fired_too() -> None:
    told = only_alert(fire(replace(signal(), surprise=20.0)))
    assert not any("sensitivity" in s.en for s in told.explanation.would_have_stopped_it)


# words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_both_languages_tell_the_same_figures(kind: str) -> None:
    alert = alert_of(kind)
    told = alert.explanation
    sentences = [told.observed, told.expected, alert.title]
    sentences += [*told.would_have_stopped_it, *(g.sentence for g in told.gates)]
    for s in sentences:
        digits = r"\d[\d,.]*\d|\d"
        words = re.sub("1 (?=[mb]illion)", "", s.en)
        assert sorted(re.findall(digits, s.ar)) == sorted(re.findall(digits, words)), s


def test_interval_and_history_are_told() -> None:
    alert = alert_of("volume")
    lower, upper = interval(14.2, 0.15)
    assert f"usually between {lower} and {upper}, going by 21 days" in alert.explanation.expected.en
    assert f"من {lower} إلى {upper}" in alert.explanation.expected.ar


def test_terms_are_listed_in_each_language() -> None:
    about = alert_of("volume", terms=("عطل", "refund")).explanation.about
    assert about is not None
    assert about.en == "What stands out: \u2068عطل\u2069, \u2068refund\u2069."
    assert about.ar == "أبرز ما يتردد: \u2068عطل\u2069، \u2068refund\u2069."


def test_no_terms_no_sentence() -> None:
    assert alert_of("volume", terms=()).explanation.about is None
    assert alert_of("volume", terms=("\u200b", "\x00")).explanation.about is None


def test_brand_names_by_script() -> None:
    assert brand_names(RIMAL) == Bilingual(ar="بنك رمال", en="Rimal Bank")
    latin = brand_names(Brand(id="a", names=("Acme",)))
    assert (latin.ar, latin.en) == ("Acme", "Acme")


def test_the_corrected_share_is_told_where_it_is_known() -> None:
    plain, known = alert_of("volume"), alert_of("volume", negative_estimate=0.437)
    assert plain.explanation.corrected is None
    assert plain.negative_share_estimate is None
    assert known.negative_share_estimate == 0.437
    assert known.explanation.corrected is not None
    assert "estimated at 44%" in known.explanation.corrected.en
    assert "44%" in known.explanation.corrected.ar


@pytest.mark.parametrize(
    ("weighted", "en", "ar"),
    [
        (0.71, "are 38% of the mentions, but 71% of the potential reach.", "لكنها 71% من"),
        (0.04, "are 38% of the mentions, but only 4% of the potential reach.", "لكنها 4% فقط من"),
    ],
)
def test_the_share_by_reach_is_told_where_it_differs(weighted: float, en: str, ar: str) -> None:
    told = alert_of("negative_count", observed=38, total=100, reach_share=weighted)
    assert told.negative_reach_share == weighted
    assert told.explanation.reach is not None
    assert told.explanation.reach.en == f"Negative mentions {en}"
    assert ar in told.explanation.reach.ar
    assert "38%" in told.explanation.reach.ar


@pytest.mark.parametrize("weighted", [None, 0.29, 0.38, 0.47])
def test_a_share_by_reach_like_the_plain_one_is_no_news(weighted: float | None) -> None:
    told = alert_of("negative_count", observed=38, total=100, reach_share=weighted)
    assert told.negative_reach_share == weighted
    assert told.explanation.reach is None


@pytest.mark.parametrize(("now", "en", "ar"), [(0.88, "stronger", "أشد"), (0.56, "milder", "أخف")])
def test_intensity_is_told_where_it_is_not_as_usual(now: float, en: str, ar: str) -> None:
    told = alert_of("negative_count", intensity=now, usual_intensity=0.71)
    assert (told.negative_intensity, told.usual_negative_intensity) == (now, 0.71)
    assert told.explanation.intensity is not None
    figures = f"{100 * now:.0f}%"
    assert f"{en} than usual: {figures} on average, usually 71%" in told.explanation.intensity.en
    assert ar in told.explanation.intensity.ar
    assert figures in told.explanation.intensity.ar
    assert "71%" in told.explanation.intensity.ar


@pytest.mark.parametrize(("now", "before"), [(0.88, None), (None, 0.7), (0.75, 0.7)])
def test_usual_intensity_is_no_news(now: float | None, before: float | None) -> None:
    told = alert_of("negative_count", intensity=now, usual_intensity=before)
    assert (told.negative_intensity, told.usual_negative_intensity) == (now, before)
    assert told.explanation.intensity is None


def test_neither_makes_an_alert_fire_or_worse() -> None:
    quiet = QUIET["negative_count"]
    extreme = {"intensity": 1.0, "usual_intensity": 0.5, "reach_share": 1.0}
    assert alert_of("negative_count", **extreme).score == alert_of("negative_count").score
    below = signal("negative_count", **quiet | extreme | {"authors": 1})
    assert refused_by(fire(below)) == "authors"


def test_records_of_before_can_still_be_read() -> None:
    given_ = signal(intensity=0.9, usual_intensity=0.7, reach_share=0.9)
    told = only_alert(fire(given_))
    old_signal, old_alert = (msgspec.to_builtins(record) for record in (given_, told))
    for name in ("intensity", "usual_intensity", "reach_share"):
        del old_signal[name]
    for name in ("negative_reach_share", "negative_intensity", "usual_negative_intensity"):
        del old_alert[name]
    for name in ("reach", "intensity"):
        del old_alert["explanation"][name]
    assert msgspec.convert(old_signal, Signal).intensity is None
    read = msgspec.convert(old_alert, Alert)
    assert read.negative_intensity is None
    assert read.explanation.reach is None


def test_what_remains_without_the_group_is_told() -> None:
    below = alert_of(
        "negative_count", observed=214, threshold=60, coordinated_share=0.9
    ).explanation.split
    above = alert_of(
        "negative_count", observed=214, threshold=60, coordinated_share=0.5
    ).explanation.split
    assert below is not None
    assert above is not None
    assert "About 193 of these (90%)" in below.en
    assert "Without them 21 would remain" in below.en
    assert "below the alert line of 60" in below.en
    assert "دون حد التنبيه (60)" in below.ar
    assert "still above the alert line of 60" in above.en
    none = alert_of("negative_count", observed=214, coordinated_share=1.0).explanation.split
    assert none is not None
    assert none.en.endswith("Without them nothing would remain.")
    assert none.ar.endswith("وبدونها لا يبقى شيء.")
    assert alert_of("volume", coordinated_share=0.0).explanation.split is None
    assert alert_of("volume").explanation.split is None


def test_a_group_is_suspected_and_an_innocent_explanation_stands_beside_it() -> None:
    alert = alert_of("volume", groups=(group(), group("amplification")))
    suspected, amplified = alert.explanation.groups
    assert "Suspected coordination of 43 accounts" in suspected.en
    assert "Innocent explanation that fits best" in suspected.en
    assert "يُشتبه في تنسيق" in suspected.ar
    assert "تفسير بريء محتمل" in suspected.ar
    assert "Amplification of one post" in amplified.en
    assert "proves no coordination" in amplified.en
    for said in (suspected, amplified):
        assert "bot" not in said.en.split()
    assert alert.groups[0].evidence[0].posts[0].text == "evil text"


def test_copies_of_one_text_and_by_all() -> None:
    some, all_ = told(texts=2), told(texts=1, copiers=43)
    assert "40 of them posted the same or nearly the same texts" in some.en
    assert "(2 different texts)" in some.en
    assert "40 منها نشرت نصوصًا" in some.ar
    assert "All of them posted the same or nearly the same text as their own." in all_.en
    assert "كلها نشرت النص نفسه" in all_.ar
    assert "different texts" not in all_.en
    assert "عدد النصوص" not in all_.ar


@pytest.mark.parametrize(
    ("last_ms", "gap_s", "en", "ar"),
    [
        (0, 0, "2 mentions at 1970-01-01 00:00 UTC,",
         "إشارتين في \u200e1970-01-01 00:00 (بالتوقيت"),
        (44_100, 3, "within 45 seconds from 1970-01-01 00:00 UTC", "خلال 45 ثانية ابتداءً من"),
        (119_000, 119, "within 119 seconds", "خلال 119 ثانية"),
        (120_000, 600, "between 1970-01-01 00:00 and 1970-01-01 00:02 UTC",
         "بين \u200e1970-01-01 00:00 و\u200e1970-01-01 00:02 (بالتوقيت العالمي)"),
    ],
)  # fmt: skip
def test_moments_are_told_apart(last_ms: int, gap_s: float, en: str, ar: str) -> None:
    said = explain_group(msgspec.structs.replace(group(), last_ms=last_ms), PHRASES)
    assert en in said.en
    assert ar in said.ar
    gap = PHRASES.gap(gap_s)
    assert f"from one to the next is {gap.en}." in told(gap_s=gap_s).en
    assert f"بين منشور وتكراره {gap.ar}." in told(gap_s=gap_s).ar


def test_what_speaks_against_is_told_in_one_sentence() -> None:
    said = told({"old": -1.0, "one_thing": -1.0, "young": 0.1, "handles": 0.7})
    assert "Against it: most of the accounts are old; most of it is about one thing." in said.en
    assert "في المقابل: معظم الحسابات قديمة؛ يدور معظم ذلك حول شيء واحد." in said.ar
    assert said.ar.count("في المقابل") == 1
    assert "بسلسلة أرقام" in said.ar
    assert "Against it" not in told({"young": 1.0}).en


@pytest.mark.parametrize(("kind", "ar"), [("repost", "نشره"), ("media", "نشرها"), ("link", "نشره")])
def test_amplification_agrees_with_its_thing(kind: str, ar: str) -> None:
    held = group("amplification")
    (trace,) = held.evidence
    thing = msgspec.structs.replace(trace, kind=kind)
    said = explain_group(msgspec.structs.replace(held, evidence=(thing,)), PHRASES)
    assert f": {ar} 43 حسابًا خلال 60 ثانية" in said.ar
    assert "وليس ذلك وحده دليلًا على التنسيق." in said.ar
    assert ": shared by 43 accounts within 60 seconds" in said.en


@pytest.mark.parametrize("kind", KINDS)
def test_a_finding_is_called_so_in_both_languages(kind: str) -> None:
    for stop in alert_of(kind).explanation.would_have_stopped_it:
        assert stop.en.startswith("This finding would")
        assert stop.ar.startswith("لم يكن هذا الرصد ليصدر")


def told(parts: dict[str, float] | None = None, **facts: float) -> Bilingual:
    held = group()
    facts = held.facts | facts
    changed = msgspec.structs.replace(held, facts=facts, parts=parts or held.parts)
    return explain_group(changed, PHRASES)


def group(kind: str = "coordination") -> AccountGroup:
    post = GroupPost(id="1", account="a", published_ms=0, text="evil\u202e text")
    return AccountGroup(
        id="g-1", kind=kind, score=0.9, accounts=tuple(f"k{i}" for i in range(43)),
        mentions=("1", "2"), first_ms=0, last_ms=60_000, found_ms=60_000, share=0.4,
        innocent="asked", parts={"young": 1.0, "one_thing": -1.0},
        facts={"accounts": 43, "copiers": 40, "texts": 2, "again": 0.5, "gap_s": 30.0},
        evidence=(
            GroupTrace(
                kind="repost", shown="9", accounts=43, mentions=60, first_ms=0, last_ms=60_000,
                posts=(post, post),
            ),
        ),
    )  # fmt: skip
