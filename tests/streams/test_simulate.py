"""The simulator: deterministic, well formed, within its own model, and true to its truth."""

from __future__ import annotations

import io
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any

import msgspec
import numpy as np
import orjson
import pytest
import yaml

from models.records import Mention
from models.text import normalise_one
from streams.simulate import (
    SCENARIOS,
    Noise,
    SimBrand,
    SimulationError,
    SimulationSpec,
    ready_brands,
    simulate,
    simulate_many,
    synthetic_brands,
    write,
)
from streams.simulate.data import load
from streams.simulate.lexicon import SLOT_SIZE, lexicon
from streams.simulate.render import brand_names
from streams.simulate.rhythm import Curve, Season, SlowNoise

BRAND = ready_brands()[0]
START = datetime(2026, 1, 4, tzinfo=UTC)
DECODER = msgspec.json.Decoder(Mention, strict=True)
QUIET_NOISE = Noise(sigma=0.05, shape=100.0)


def decode(lines: Iterable[bytes]) -> list[Mention]:
    return [DECODER.decode(line) for line in lines]


@cache
def run(scenario: str, seed: int = 7, days: float = 4.0) -> tuple[list[Mention], dict[str, Any]]:
    simulation = simulate(SimulationSpec(scenario, seed, days=days))
    return decode(simulation.lines()), simulation.truth["brands"][BRAND.id]


def label(mention: Mention, brand_id: str = BRAND.id) -> str:
    assert mention.id.startswith(brand_id + "-")
    return mention.id[len(brand_id) + 1]


def mood(mention: Mention) -> str:
    return mention.id[len(BRAND.id) + 2]


def labelled(mentions: list[Mention], letter: str) -> list[Mention]:
    return [mention for mention in mentions if label(mention) == letter]


def between(mentions: list[Mention], start: datetime, end: datetime) -> list[Mention]:
    return [mention for mention in mentions if start <= mention.published_at < end]


def moment(event: dict[str, Any], name: str) -> datetime:
    return datetime.fromisoformat(event[name])


def accounts(mentions: Iterable[Mention]) -> set[str | None]:
    return {mention.author.id for mention in mentions if mention.author is not None}


def ids(cast: list[dict[str, str]]) -> set[str | None]:
    return {account["id"] for account in cast}


# --- the stream ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_lines_are_mentions_in_order_with_unique_ids(scenario: str) -> None:
    mentions, _ = run(scenario)
    assert len(mentions) > 10
    assert len({m.id for m in mentions}) == len(mentions)
    assert all(START <= m.published_at < START + timedelta(days=4) for m in mentions)
    assert all(m.author is not None and m.author.id for m in mentions)
    assert max(len(m.text) for m in mentions) < 400
    if scenario != "feed_outage":
        assert all(a.published_at <= b.published_at for a, b in pairwise(mentions))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_references_lead_to_earlier_mentions_on_the_same_platform(scenario: str) -> None:
    mentions, _ = run(scenario)
    known = {m.id: m for m in mentions}
    references = 0
    for m in mentions:
        for parent in (m.in_reply_to, m.repost_of):
            if parent is None or parent == f"{BRAND.id}-official":
                continue
            references += 1
            assert known[parent].published_at <= m.published_at
            assert known[parent].platform == m.platform
        if m.kind == "repost":
            assert m.repost_of is not None
            assert m.text.endswith(known[m.repost_of].text.removeprefix("RT "))
            assert mood(m) == mood(known[m.repost_of])
        assert (m.kind == "reply") == (m.in_reply_to is not None)
    assert references > 0


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_same_specification_gives_the_same_bytes(scenario: str) -> None:
    spec = SimulationSpec(scenario, 3, days=1.5)
    simulation = simulate(spec)
    first = b"".join(simulation.lines())
    assert first == b"".join(simulation.lines()) == b"".join(simulate(spec).chunks())
    assert simulation.truth == simulate(spec).truth
    assert first != b"".join(simulate(replace(spec, seed=4)).chunks())


def test_bytes_do_not_depend_on_the_process() -> None:
    code = (
        "import hashlib; from streams.simulate import *;"
        "print(hashlib.sha256(b''.join("
        "simulate(SimulationSpec('coordinated_attack', 1, days=1)).chunks())).hexdigest())"
    )
    hashes = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(hashes) == 1


def test_a_brand_speaks_the_same_beside_others() -> None:
    other = SimulationSpec("calm", 5, [ready_brands()[1]], days=2)
    alone = b"".join(simulate(other).chunks())
    mixed = simulate_many([SimulationSpec("outage", 5, [BRAND], days=2, rate_per_hour=400), other])
    lines = list(mixed.lines())
    of_other = [line for line in lines if b'{"id":"saqr-air' in line]
    assert b"".join(of_other) == alone
    times = [m.published_at for m in decode(lines)]
    assert times == sorted(times)
    assert set(mixed.truth["brands"]) == {"rimal-bank", "saqr-air"}


def test_the_product_can_decode_every_line() -> None:
    for scenario in SCENARIOS:
        for line in simulate(SimulationSpec(scenario, 1, days=1)).lines():
            assert line.endswith(b"}\n")
            given = orjson.loads(line)
            mention = msgspec.convert(given, Mention, strict=True)
            assert set(given) <= set(Mention.__struct_fields__)
            assert mention == DECODER.decode(line)


# --- the organic model --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_volume_matches_the_rate_and_the_shares_of_the_model(seed: int) -> None:
    spec = SimulationSpec("calm", seed, days=21, rate_per_hour=30, noise=QUIET_NOISE)
    mentions = decode(simulate(spec).lines())
    n = len(mentions)
    assert n == pytest.approx(21 * 24 * 30, rel=0.06)
    moods = Counter(map(mood, mentions))
    assert 0.10 < moods["n"] / n < 0.20
    assert 0.49 < moods["u"] / n < 0.63
    assert 0.24 < moods["p"] / n < 0.35
    assert Counter(m.lang for m in mentions)["ar"] / n == pytest.approx(0.65, abs=0.03)
    assert Counter(m.platform for m in mentions)["x"] / n == pytest.approx(0.59, abs=0.05)
    reviews = [m for m in mentions if m.kind == "review"]
    assert reviews
    assert all((m.rating is not None) == (m.kind == "review") for m in mentions)
    for m in reviews:
        assert m.rating in {"n": (1, 2), "u": (3,), "p": (4, 5)}[mood(m)]


def test_the_day_has_riyadhs_rhythm_and_the_weekend_is_later() -> None:
    spec = SimulationSpec("calm", 1, days=28, rate_per_hour=60, noise=QUIET_NOISE)
    hours: dict[bool, Counter[int]] = {True: Counter(), False: Counter()}
    for m in decode(simulate(spec).lines()):
        local = m.published_at + timedelta(hours=3)
        hours[local.weekday() in (4, 5)][local.hour] += 1
    week = hours[False]
    assert min(week, key=lambda h: week[h]) in range(3, 7)
    assert max(week, key=lambda h: week[h]) in (21, 22)
    assert week[13] > 1.1 * week[11]
    assert week[22] > 5 * week[4]
    assert hours[True][9] / hours[True][22] < 0.7 * week[9] / week[22]


def test_season_has_mean_one_over_a_week_in_any_zone() -> None:
    times = START.timestamp() + np.arange(0, 7 * 86_400, 300.0)
    for zone in ("UTC", "Asia/Riyadh"):
        season = Season(replace(BRAND, timezone=zone))
        assert season.at(times).mean() == pytest.approx(1.0, abs=1e-3)
    here = Season(BRAND).at(times)
    there = Season(replace(BRAND, timezone="UTC")).at(times)
    assert here[:-36] == pytest.approx(there[36:])  # Riyadh is three hours ahead


def test_counts_are_over_dispersed_and_noise_is_correlated() -> None:
    spec = SimulationSpec("calm", 2, days=28, rate_per_hour=60)
    hours = Counter(int(m.published_at.timestamp()) // 3600 for m in decode(simulate(spec).lines()))
    keys = np.arange(int(START.timestamp()) // 3600, int(START.timestamp()) // 3600 + 28 * 24)
    counts = np.array([hours[int(k)] for k in keys], float)
    expected = 60 * Season(BRAND).at(keys * 3600.0 + 1800)
    assert ((counts - expected) ** 2 / expected).mean() > 2  # a Poisson process has 1
    residual = np.log((counts + 1) / expected)
    assert np.corrcoef(residual[1:], residual[:-1])[0, 1] > 0.4


def test_slow_noise_keeps_its_mean_across_blocks() -> None:
    noise = SlowNoise(Noise(sigma=0.3, tau_hours=0.5), np.random.Generator(np.random.PCG64(1)))
    factors = np.concatenate([noise.factors(200) for _ in range(100)])
    assert factors.mean() == pytest.approx(1.0, abs=0.03)
    assert np.log(factors).std() == pytest.approx(0.3, abs=0.03)


def test_authors_are_a_population_with_regulars_and_a_heavy_tail() -> None:
    mentions, _ = run("calm", days=14.0)
    posts = Counter(m.author.id for m in mentions if m.author)
    assert len(posts) > len(mentions) / 4
    assert posts.most_common(1)[0][1] >= 5
    by_id: dict[str | None, Any] = {}
    for m in mentions:  # one account, one face
        assert m.author is not None
        assert by_id.setdefault(m.author.id, m.author) == m.author
    followers = [a.followers for a in by_id.values() if a.followers is not None]
    assert max(followers) > 50 * float(np.median(followers))
    born = [a.created_at for a in by_id.values() if a.created_at is not None]
    assert all(at < START for at in born)
    young = sum(at > START - timedelta(days=60) for at in born) / len(born)
    assert 0.005 < young < 0.08


def test_exact_duplicates_are_uncommon() -> None:
    mentions, _ = run("calm", days=14.0)
    texts = [m.text for m in mentions if m.kind != "repost"]
    assert len(set(texts)) > 0.95 * len(texts)


# --- the texts ----------------------------------------------------------------------------------


def test_there_are_enough_templates_and_each_names_the_brand() -> None:
    wanted = {"organic.negative": 60, "organic.neutral": 60, "organic.positive": 60}
    topics = ("outage", "slow_burn", "praise", "attack", "impostor", "phishing", "rumour")
    for lang in ("ar", "en"):
        pools = {name: b.splitlines() for name, b in load(f"texts_{lang}")["pools"].items()}
        for name, lines in pools.items():
            assert len(set(lines)) == len(lines) >= wanted.get(name, 5), name
            assert all("{brand" in line for line in lines), name
        for topic in topics:
            size = sum(len(v) for name, v in pools.items() if name.startswith(topic))
            assert size >= 25, topic


def test_every_template_can_be_filled_for_every_industry() -> None:
    words = lexicon()
    for industry in load("brands")["synthetic"]["industries"]:
        for of_lang in words.slots(industry, {}):
            kinds = [kind for kind in of_lang if kind != [""] * SLOT_SIZE]
            assert len(kinds) == len(of_lang) - 1  # all but the empty one
            assert all(text for kind in kinds for text in kind)
    for form, kind_a, kind_b in words.formats:
        said = form("NAME", "NAME_AR", "A", "B")
        assert "NAME" in said
        assert "{" not in said
        assert ("A" in said.replace("NAME_AR", "").replace("NAME", "")) or kind_a == 0
        assert kind_b == 0 or kind_a != 0


@cache
def plain_names(brand: SimBrand) -> list[str]:
    names = [brand.name_en, brand.name_ar, *brand.keywords_en, *brand.keywords_ar, *brand.handles]
    return [normalise_one(name) for name in [*names, brand.name_en.replace(" ", "")]]


def find_any(text: str, brand: SimBrand) -> bool:
    plain = normalise_one(text).replace("_", " ")  # as in a hashtag of several words
    return any(name in plain for name in plain_names(brand))


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_mention_names_its_brand(scenario: str) -> None:
    brands = [*ready_brands(), *synthetic_brands(10)]
    by_id = {brand.id: brand for brand in brands}
    spec = SimulationSpec(
        scenario, 2, brands, days=1, rate_per_hour=1.0 if scenario == "low_volume" else 3.0
    )
    mentions = decode(simulate(spec).lines())
    lost = [m.text for m in mentions if not find_any(m.text, by_id[m.id.rpartition("-")[0]])]
    assert not lost


def test_names_come_in_all_their_ways() -> None:
    mentions, _ = run("calm", days=14.0)
    said = " ".join(m.text for m in mentions)
    for way in ("Rimal Bank", "بنك رمال", "لبنك رمال", "@rimalbank", "#بنك_رمال", "#RimalBank",
                "RIMAL BANK", "Bank Rimal", "بنــك رمال", "بَنك رمال"):  # fmt: skip
        assert way in said
    for brand in [*ready_brands(), *synthetic_brands(50)]:
        for lang in (0, 1):
            for register in (0, 1):
                names = brand_names(brand, lang, register)
                assert len(names) == SLOT_SIZE
                assert all(find_any(name, brand) for name in names)


def test_spelling_varies() -> None:
    mentions, _ = run("calm", days=14.0)
    said = " ".join(m.text for m in mentions)
    for variant in ("شكرا", "شُكرًا", "شكراااا", "ـ", "أفضل", "افضل", "thx", "sooooo", "❤️", "#"):
        assert variant in said


def test_synthetic_brands_are_unique_and_stable() -> None:
    brands = synthetic_brands(1000, seed=3)
    for names in (
        [b.id for b in brands],
        [normalise_one(b.name_en) for b in brands],
        [normalise_one(b.name_ar) for b in brands],
        [b.handles[0] for b in brands],
        [b.domain for b in brands],
    ):
        assert len(set(names)) == 1000
    assert synthetic_brands(10, seed=3) == brands[:10]
    assert synthetic_brands(10, seed=4) != brands[:10]
    assert {b.industry for b in brands} == {"bank", "telecom", "airline", "delivery", "generic"}


# --- the scenarios and their truth --------------------------------------------------------------


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_truth_names_what_is_expected(scenario: str) -> None:
    mentions, truth = run(scenario)
    quiet = {"calm", "viral_praise", "low_volume", "holiday_peak", "feed_outage"}
    assert truth["quiet"] == (scenario in quiet)
    assert (truth["crisis"] is None) == truth["quiet"]
    assert bool(truth["expected"]) != truth["quiet"]
    letters = {
        "viral_praise": "oc", "outage": "oc", "slow_burn": "oc", "coordinated_attack": "ok",
        "impersonation": "oci", "phishing": "op", "rumour": "or",
    }  # fmt: skip
    assert set(map(label, mentions)) == set(letters.get(scenario, "o"))
    event = truth["event"]
    if event is not None:
        times = [moment(event, name) for name in ("start", "onset", "peak", "end")]
        assert times[:3] == sorted(times[:3])
        added = [m for m in mentions if label(m) != "o"]
        assert all(m.published_at >= times[0] for m in added)


def usual(mentions: list[Mention], start: datetime, end: datetime) -> int:
    """Organic mentions at the same hours: the labels tell them apart."""
    return max(1, len([m for m in between(mentions, start, end) if label(m) == "o"]))


@pytest.mark.parametrize("seed", range(4))
def test_outage_explodes_within_minutes_and_is_negative(seed: int) -> None:
    spec = SimulationSpec("outage", seed, days=3, rate_per_hour=240)
    simulation = simulate(spec)
    mentions = decode(simulation.lines())
    event = simulation.truth["brands"][BRAND.id]["crisis"]
    assert 6 <= event["times_usual"] <= 20
    onset, peak = moment(event, "onset"), moment(event, "peak")
    assert peak - moment(event, "start") <= timedelta(minutes=15)
    assert onset - moment(event, "start") <= timedelta(minutes=3)
    hour = between(mentions, peak, peak + timedelta(hours=1))
    season = Season(BRAND).at(np.array([peak.timestamp() + 1800]))[0]
    assert len(hour) > 4 * 240 * max(season, 0.5)
    added = labelled(hour, "c")
    share = sum(mood(m) == "n" for m in added) / len(added)
    assert share == pytest.approx(event["negative_share"], abs=0.06)
    assert 0.68 < event["negative_share"] < 0.92
    late = between(mentions, moment(event, "end"), moment(event, "end") + timedelta(hours=1))
    assert len(labelled(late, "c")) < len(added) / 4


def test_viral_praise_is_loud_and_loved() -> None:
    mentions, truth = run("viral_praise")
    event = truth["event"]
    assert 8 <= event["times_usual"] <= 15
    start = moment(event, "peak")
    hours = between(mentions, start, start + timedelta(hours=2))
    assert len(hours) > 5 * usual(mentions, start, start + timedelta(hours=2))
    added = labelled(mentions, "c")
    assert sum(mood(m) == "p" for m in added) > 0.85 * len(added)
    reposts = Counter(m.repost_of for m in added if m.kind == "repost")
    assert sum(reposts.values()) > 0.4 * len(added)
    assert len(reposts) <= 3


def test_slow_burn_climbs_over_hours() -> None:
    mentions, truth = run("slow_burn", days=6.0)
    event = truth["crisis"]
    start, peak = moment(event, "start"), moment(event, "peak")
    assert timedelta(hours=8) <= peak - start <= timedelta(hours=14)
    assert timedelta(hours=1) < moment(event, "onset") - start < timedelta(hours=4)
    third = (peak - start) / 3
    counts = [len(labelled(between(mentions, start + i * third, start + (i + 1) * third), "c"))
              for i in range(3)]  # fmt: skip
    assert counts[0] < counts[1] < counts[2]
    added = labelled(mentions, "c")
    assert sum(mood(m) == "n" for m in added) / len(added) == pytest.approx(0.6, abs=0.08)
    organic = labelled(between(mentions, peak, peak + timedelta(hours=3)), "o")
    both = between(mentions, peak, peak + timedelta(hours=3))
    assert 2 < len(both) / len(organic) < 7


@pytest.mark.parametrize("seed", range(5))
def test_coordinated_attack_is_a_group_of_young_accounts_with_one_text(seed: int) -> None:
    mentions, truth = run("coordinated_attack", seed)
    cast = truth["coordinated"]
    assert 20 <= len(cast["accounts"]) <= 60
    added = labelled(mentions, "k")
    seen = accounts(added)
    assert seen <= ids(cast["accounts"])
    assert len(seen) >= 0.6 * len(cast["accounts"])
    assert not seen & accounts(m for m in mentions if label(m) != "k")
    assert all(cast["hashtag"] in m.text and m.links == (cast["link"],) for m in added)
    for m in added:
        assert m.author is not None
        assert m.author.created_at is not None
        assert m.author.created_at > START - timedelta(days=46)
    first = moment(truth["crisis"], "start")
    assert added[0].published_at == first
    burst = between(added, first, first + timedelta(minutes=20))
    assert len(burst) >= 10
    words = [set(normalise_one(m.text).split()) for m in burst]
    alike = [len(words[0] & w) / len(words[0] | w) for w in words[1:]]
    assert float(np.median(alike)) > 0.6
    assert len({m.text for m in burst}) > 3


@pytest.mark.parametrize("seed", range(3))
def test_impostors_answer_complaints(seed: int) -> None:
    mentions, truth = run("impersonation", seed)
    known = {m.id: m for m in mentions}
    added = labelled(mentions, "i")
    assert len(added) > 5
    assert accounts(added) == ids(truth["impostors"])
    assert not accounts(added) & accounts(m for m in mentions if label(m) != "i")
    for m in added:
        assert m.in_reply_to is not None
        victim = known[m.in_reply_to]
        assert (label(victim), mood(victim)) == ("o", "n")
        assert timedelta(0) < m.published_at - victim.published_at < timedelta(minutes=13)
    for account in truth["impostors"]:
        assert account["handle"] not in BRAND.handles


@pytest.mark.parametrize("seed", range(3))
def test_phishing_links_look_alike_and_are_reserved(seed: int) -> None:
    mentions, truth = run("phishing", seed)
    links = set(truth["phishing"]["links"])
    added = labelled(mentions, "p")
    assert {link for m in added for link in m.links} <= links
    assert all(m.links and m.links[0] in m.text for m in added)
    assert accounts(added) <= ids(truth["phishing"]["accounts"])
    assert not links & {link for m in mentions if label(m) != "p" for link in m.links}
    for link in links:
        host = link.split("/")[2]
        assert host.endswith((".example", ".test"))
        assert host != BRAND.domain
        assert not host.endswith("." + BRAND.domain)


def test_a_rumour_spreads_one_claim_by_reposts() -> None:
    mentions, truth = run("rumour")
    added = labelled(mentions, "r")
    claims = [normalise_one(claim) for claim in truth["rumour"].values()]
    told = [normalise_one(m.text).replace("ـ", "") for m in added]
    assert sum(any(claim in text for claim in claims) for text in told) == len(told)
    assert sum(m.kind == "repost" for m in added) > 0.5 * len(added)
    assert not any(m.links for m in added)


def test_a_quiet_brand_has_a_few_mentions_and_the_odd_thread() -> None:
    days = 60
    brands = synthetic_brands(8)
    simulation = simulate(SimulationSpec("low_volume", 3, brands, days=days))
    truth = simulation.truth["brands"]
    mentions = decode(simulation.lines())
    for brand in brands:
        assert 0.04 <= truth[brand.id]["rate_per_hour"] <= 1.0
    total = sum(truth[brand.id]["rate_per_hour"] for brand in brands) * 24 * days
    threads = 8 * days / 5 * 4.5
    assert len(mentions) == pytest.approx(total + threads, rel=0.2)
    sizes = Counter(m.in_reply_to for m in mentions if m.in_reply_to)
    assert any(2 <= size <= 5 for parent, size in sizes.items() if "official" not in parent)


def test_a_holiday_is_busy_and_its_mood_is_ordinary() -> None:
    spec = SimulationSpec("holiday_peak", 4, days=7, rate_per_hour=200, noise=QUIET_NOISE)
    simulation = simulate(spec)
    mentions = decode(simulation.lines())
    event = simulation.truth["brands"][BRAND.id]["event"]
    peak = moment(event, "peak")
    day = between(mentions, peak, peak + timedelta(hours=14))
    seconds = np.arange(peak.timestamp(), peak.timestamp() + 14 * 3600, 600)
    factor = len(day) / (14 * 200 * Season(BRAND).at(seconds).mean())
    assert factor == pytest.approx(event["times_usual"], rel=0.12)
    assert 0.09 < sum(mood(m) == "n" for m in day) / len(day) < 0.21
    assert any("العيد" in m.text for m in day)
    assert not any("العيد" in m.text for m in mentions if m.published_at < moment(event, "start"))


@pytest.mark.parametrize("seed", range(6))
def test_a_feed_outage_is_silence_and_then_a_backlog(seed: int) -> None:
    mentions, truth = run("feed_outage", seed)
    [outage] = truth["feed_outages"]
    start, end = moment(outage, "start"), moment(outage, "end")
    assert timedelta(hours=3) <= end - start <= timedelta(hours=8)
    dark = {
        m.id for m in mentions
        if start <= m.published_at < end and outage["platform"] in (None, m.platform)
    }  # fmt: skip
    assert len(dark) > 20
    delivered_by = moment(outage, "backlog_delivered_by")
    places = [i for i, m in enumerate(mentions) if m.id in dark]
    before, after = mentions[: places[0]], mentions[places[-1] + 1 :]
    assert all(m.published_at <= end for m in before)
    assert all(m.published_at >= end for m in after)
    live = [m for m in mentions if m.id not in dark]
    for some in (live, [m for m in mentions if m.id in dark]):  # each is in order of its own
        assert all(a.published_at <= b.published_at for a, b in pairwise(some))
    while_flushed = [m for m in mentions[places[0] : places[-1]] if m.id not in dark]
    assert all(end <= m.published_at <= delivered_by for m in while_flushed)


@pytest.mark.parametrize("scenario", sorted(set(SCENARIOS) - {"calm"}))
def test_intensity_scales_the_event(scenario: str) -> None:
    sizes = []
    for intensity in (0.5, 4.0):
        rate = 1.0 if scenario == "low_volume" else 15.0
        spec = SimulationSpec(scenario, 2, days=10, intensity=intensity, rate_per_hour=rate)
        simulation = simulate(spec)
        mentions = decode(simulation.lines())
        if scenario == "feed_outage":
            [outage] = simulation.truth["brands"][BRAND.id]["feed_outages"]
            sizes.append(int((moment(outage, "end") - moment(outage, "start")).total_seconds()))
        elif scenario in ("low_volume", "holiday_peak"):
            sizes.append(len(mentions))
        else:
            sizes.append(sum(label(m) != "o" for m in mentions))
    assert sizes[1] > 1.15 * sizes[0]


def test_crisis_at_is_when_it_begins() -> None:
    at = datetime(2026, 1, 5, 1, 30, tzinfo=UTC)
    for scenario in ("outage", "coordinated_attack", "phishing", "rumour"):
        simulation = simulate(SimulationSpec(scenario, 1, days=2, crisis_at=at))
        assert moment(simulation.truth["brands"][BRAND.id]["crisis"], "start") == at


def test_curve_inverts_itself() -> None:
    curve = Curve(start_s=0, rise_s=100, hold_s=50, half_life_s=60, height=4, power=2)
    at = curve.at(np.array([-1, curve.rises_above(1), 100, 149, curve.falls_below(1), 1e6]))
    assert at == pytest.approx([0, 1, 4, 4, 1, 0])


# --- edges --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("days", [0.003, 0.3])
def test_short_streams_work(scenario: str, days: float) -> None:
    for seed in range(5):
        simulation = simulate(SimulationSpec(scenario, seed, days=days))
        decode(simulation.lines())
        assert simulation.truth["brands"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scenario": "meteor"}, "scenario='meteor'"),
        ({"seed": -1}, "seed=-1"),
        ({"days": 0}, "days=0"),
        ({"rate_per_hour": 0.0}, "rate_per_hour=0.0"),
        ({"scenario": "low_volume", "rate_per_hour": 5.0}, "low_volume means at most 1"),
        ({"intensity": float("nan")}, "intensity=nan"),
        ({"start": datetime(2026, 1, 1)}, "start=2026-01-01T00:00:00"),  # noqa: DTZ001
        ({"crisis_at": START + timedelta(days=9)}, "outside the stream"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"scenario": "calm", "seed": 1} | change
    with pytest.raises(SimulationError, match=message):
        SimulationSpec(**given)


def test_a_brand_runs_one_scenario_and_there_is_at_least_one() -> None:
    with pytest.raises(SimulationError, match="rimal-bank"):
        simulate_many([SimulationSpec("calm", 1), SimulationSpec("outage", 1)])
    with pytest.raises(SimulationError, match="at least one brand"):
        simulate_many([])
    with pytest.raises(SimulationError, match="synthetic brands"):
        synthetic_brands(10**6)
    with pytest.raises(SimulationError, match="industry='shoes'"):
        replace(BRAND, industry="shoes")
    with pytest.raises(SimulationError, match="sigma=-1"):
        Noise(sigma=-1.0)


def test_write_gives_stream_truth_and_configuration(tmp_path: Any) -> None:
    spec = SimulationSpec("outage", 1, ready_brands()[:2], days=0.5)
    out = io.BytesIO()
    count = write(spec, out, tmp_path / "truth.json", tmp_path / "nadhir.yaml")
    assert out.getvalue() == b"".join(simulate(spec).lines())
    assert count == out.getvalue().count(b"\n")
    truth = orjson.loads((tmp_path / "truth.json").read_bytes())
    assert truth == simulate(spec).truth
    config = yaml.safe_load((tmp_path / "nadhir.yaml").read_text("utf-8"))
    assert [brand["names"] for brand in config["brands"]] == [
        ["Rimal Bank", "بنك رمال"],
        ["Saqr Air", "طيران صقر"],
    ]
