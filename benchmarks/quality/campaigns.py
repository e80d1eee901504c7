"""Campaigns whose accounts are known, thinned in other talk and changed to escape notice."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from models.coordination.detector import LINE, Coordination
from models.coordination.group import Group
from models.coordination.traces import hash64
from models.records import Author, Mention
from streams.simulate import SimulationSpec, simulate

_BATCH = 500
_LEAD = timedelta(minutes=30)  # of other talk, before and after a campaign that fills its time
_LETTERS = re.compile(r"[^\W\d_]+")
_APART = re.compile(r"(\s+)")
_KEPT = ("#", "@", "http", "www.", "$")  # words with a meaning of their own
_RUN = 4  # words
_POSTS_EACH = 1.4  # mentions of an account of the Spotify stream

_LATIN = dict(zip("aceiopsxyABCEHIKMOPTX", "асеіорѕхуАВСЕНІКМОРТХ"))
_ARABIC = dict(zip("يكهىا", "یکہیﺍ"))
_INVISIBLE = ("\u200b", "\u200c", "\u2060")
_TATWEEL = "ـ"

Change = Callable[[Mention, np.random.Generator, "Words"], Mention]


class Words(NamedTuple):
    """Words that a paraphrase takes others from, by whether they are Arabic."""

    latin: list[str]
    arabic: list[str]


class Campaign(NamedTuple):
    """Mentions of a campaign, other talk, and the campaign's accounts."""

    own: list[Mention]
    other: list[Mention]
    accounts: set[str]


class Outcome(NamedTuple):
    """What was found of one campaign."""

    recall: float
    precision: float  # 1 where nothing was found
    groups: list[Group]


def found(mentions: Sequence[Mention]) -> list[Group]:
    """Groups that a stream of these mentions shows, in order of time."""
    ordered = sorted(mentions, key=lambda m: m.published_at)
    coordination = Coordination()
    for first in range(0, len(ordered), _BATCH):
        coordination.observe(ordered[first : first + _BATCH])
    coordination.look()
    return coordination.groups


def outcome(campaign: Campaign) -> Outcome:
    """How many of a campaign's accounts are in groups called coordination, and who else is."""
    groups = [
        group
        for group in found([*campaign.own, *campaign.other])
        if group.kind == "coordination" and group.score >= LINE
    ]
    named = {name for group in groups for name in group.names.values()}
    right = len(named & campaign.accounts)
    precision = right / len(named) if named else 1.0
    return Outcome(right / len(campaign.accounts), precision, groups)


def read(path: Path) -> list[Mention]:
    """Mentions of a file, in order of time."""
    with gzip.open(path) as file:
        mentions = [msgspec.json.decode(line, type=Mention) for line in file]
    return sorted(mentions, key=lambda m: m.published_at)


def stocknet_bursts(path: Path) -> list[set[str]]:
    """Ids of the tweets of each burst."""
    with path.open(encoding="utf-8") as file:
        return [set(row["tweet_ids"].split()) for row in csv.DictReader(file)]


def texts(folder: Path, arabic: bool) -> list[str]:
    """Texts of which no four words in a row stand in one before.

    What was gathered by topic is full of copies: headlines, games, adverts of one pattern.
    """
    kept: list[str] = []
    seen: set[str] = set()
    for row in _rows(folder):
        if (row["lang"] == "ar") != arabic:
            continue
        words = _LETTERS.findall(row["text"].lower())
        runs = {" ".join(words[i : i + _RUN]) for i in range(len(words) - _RUN + 1)}
        if runs and not runs & seen:
            kept.append(row["text"])
            seen |= runs
    return kept


def _rows(folder: Path) -> Iterator[dict[str, str]]:
    for name in ("train", "dev"):
        with gzip.open(folder / f"{name}.jsonl.gz") as file:
            yield from map(json.loads, file)


def campaign_of(mentions: list[Mention], other: list[Mention]) -> Campaign:
    """A campaign that all of these mentions belong to."""
    return Campaign(mentions, other, {account(m) for m in mentions})


def account(mention: Mention) -> str:
    """Who posted."""
    return mention.author.id or "" if mention.author else ""


def diluted(
    own: list[Mention],
    count: int,
    first_others: list[Mention],
    more: list[str],
    real: list[Mention],
    span: timedelta,
    rng: np.random.Generator,
) -> Campaign:
    """A campaign among ``count`` other mentions at the pace of a real stream.

    Parameters
    ----------
    first_others : list of Mention
        Are taken first, in an order by chance.
    more : list of str
        Texts of made-up accounts, where these are too few.
    real : list of Mention
        The stream that gives the pace.
    span : timedelta
        How long the other mentions last, with the campaign in the middle; at least half an hour
        longer than the campaign.
    """
    first, last = own[0].published_at, own[-1].published_at
    span = max(span, last - first + 2 * _LEAD)
    begin = first + (last - first) / 2 - span / 2
    pace = np.array([m.published_at.timestamp() for m in real])
    places = np.sort(rng.uniform(0, 1, count))
    at = np.interp(places, np.linspace(0, 1, len(pace)), (pace - pace[0]) / (pace[-1] - pace[0]))
    taken = [first_others[i] for i in rng.permutation(len(first_others))[:count].tolist()]
    said = [more[i] for i in rng.choice(len(more), count - len(taken), replace=False).tolist()]
    people = max(1, round(len(said) / _POSTS_EACH))
    taken += [_post(i, text, int(rng.integers(people))) for i, text in enumerate(said)]
    order = rng.permutation(count).tolist()
    other = [
        msgspec.structs.replace(
            taken[i], published_at=begin + share * span, platform=own[0].platform
        )
        for i, share in zip(order, at.tolist())
    ]
    return campaign_of(own, other)


def _post(number: int, text: str, person: int) -> Mention:
    return Mention(
        id=f"made-{number}",
        platform="x",
        published_at=datetime(2000, 1, 1, tzinfo=UTC),
        text=text,
        author=Author(id=f"somebody-{person}"),
    )


def stream(scenario: str, seed: int) -> list[Mention]:
    """A brand's simulated talk of two days."""
    lines = simulate(SimulationSpec(scenario, seed=seed, days=2.0)).lines()
    return [msgspec.json.decode(line, type=Mention) for line in lines]


def simulated(seed: int, lang: str | None = None) -> Campaign:
    """A simulated campaign in a brand's talk of two days; of one language only, if named."""
    simulation = simulate(SimulationSpec("coordinated_attack", seed=seed, days=2.0))
    truth = next(iter(simulation.truth["brands"].values()))
    members = {each["id"] for each in truth["coordinated"]["accounts"]}
    mentions = [msgspec.json.decode(line, type=Mention) for line in simulation.lines()]
    own = [m for m in mentions if account(m) in members and lang in (None, m.lang)]
    other = [m for m in mentions if account(m) not in members]
    return Campaign(own, other, {account(m) for m in own})


def in_arabic(own: list[Mention], said: list[str], rng: np.random.Generator) -> list[Mention]:
    """The same accounts at the same times, each distinct text replaced by one in Arabic."""
    given: dict[str, str] = {}
    fresh = iter(rng.permutation(len(said)).tolist())
    changed = []
    for mention in own:
        key = " ".join(_LETTERS.findall(_plain(mention.text).lower()))
        if key not in given:
            given[key] = said[next(fresh)]
        changed.append(msgspec.structs.replace(mention, text=given[key], links=(), lang="ar"))
    return changed


def _plain(text: str) -> str:
    """Text without what stands for nothing but itself, and without the mark of a repost."""
    words = (w for w in text.split() if not w.startswith(("@", "http")) and w != "RT")
    return " ".join(words)


# changes --------------------------------------------------------------------------------------


def paraphrased(mention: Mention, rng: np.random.Generator, words: Words) -> Mention:
    """A fifth of the words is another word each; hashtags, links and handles stay."""
    return _with_text(mention, _reworded(mention.text, rng, words))


def without_tags(mention: Mention, rng: np.random.Generator, words: Words) -> Mention:
    """Paraphrased, and neither hashtag nor link."""
    kept = (w for w in mention.text.split() if not w.startswith(("#", "http", "www.")))
    text = _reworded(" ".join(kept), rng, words)
    return msgspec.structs.replace(mention, text=text, links=())


def jittered(mention: Mention, rng: np.random.Generator, words: Words) -> Mention:
    """Up to half an hour earlier or later."""
    del words
    moved = timedelta(minutes=float(rng.uniform(-30, 30)))
    return msgspec.structs.replace(mention, published_at=mention.published_at + moved)


def disguised(mention: Mention, rng: np.random.Generator, words: Words) -> Mention:
    """Half of the letters that have a double in another alphabet are that double."""
    del words
    doubles = _LATIN | _ARABIC
    text = "".join(doubles.get(c, c) if rng.random() < 0.5 else c for c in mention.text)
    return _with_text(mention, text)


def stuffed(mention: Mention, rng: np.random.Generator, words: Words) -> Mention:
    """After a fifth of the letters something that is not seen, or tatweel after Arabic letters."""
    del words
    made = []
    for c in mention.text:
        made.append(c)
        if c.isalpha() and rng.random() < 0.2:
            arabic = "\u0620" <= c <= "\u064a"
            made.append(_TATWEEL if arabic and rng.random() < 0.5 else rng.choice(_INVISIBLE))
    return _with_text(mention, "".join(made))


def pictured(mention: Mention, rng: np.random.Generator, words: Words) -> Mention:
    """A picture in place of the text, the same wherever the text is the same."""
    del rng, words
    return _picture(mention, f"{hash64(_plain(mention.text)):016x}")


def pictured_anew(mention: Mention, rng: np.random.Generator, words: Words) -> Mention:
    """A picture in place of the text, another one each time."""
    del words
    return _picture(mention, f"{rng.integers(1 << 62):016x}")


def all_at_once(mention: Mention, rng: np.random.Generator, words: Words) -> Mention:
    """Paraphrased without hashtag or link, moved, disguised and stuffed."""
    for change in (without_tags, jittered, disguised, stuffed):
        mention = change(mention, rng, words)
    return mention


EVASIONS: dict[str, Change | None] = {
    "none": None,
    "20 % of words changed": paraphrased,
    "the same, without hashtags and links": without_tags,
    "times moved by up to 30 minutes": jittered,
    "letters of other alphabets": disguised,
    "tatweel and invisible characters": stuffed,
    "picture for text, the same for the same text": pictured,
    "picture for text, another each time": pictured_anew,
    "words, times, letters and invisible at once, no hashtag or link": all_at_once,
}


def evading(
    campaign: Campaign, change: Change | None, rng: np.random.Generator, words: Words
) -> Campaign:
    """A campaign whose own mentions are changed."""
    if change is None:
        return campaign
    return campaign._replace(own=[change(mention, rng, words) for mention in campaign.own])


def vocabulary(said: Sequence[str]) -> list[str]:
    """Distinct words of four letters and more."""
    return sorted({w for text in said for w in _LETTERS.findall(text.lower()) if len(w) > 3})


def _with_text(mention: Mention, text: str) -> Mention:
    return msgspec.structs.replace(mention, text=text)


def _picture(mention: Mention, media: str) -> Mention:
    return msgspec.structs.replace(mention, text="", links=(), media=(media,))


def _reworded(text: str, rng: np.random.Generator, words: Words) -> str:
    return "".join(_other_words(_APART.split(text), rng, words))


def _other_words(parts: Sequence[str], rng: np.random.Generator, words: Words) -> Iterator[str]:
    for part in parts:
        changeable = part.strip() and not part.startswith(_KEPT)
        if changeable and rng.random() < 0.2:
            others = words.arabic if re.search(r"[\u0620-\u064a]", part) else words.latin
            yield others[int(rng.integers(len(others)))]
        else:
            yield part
