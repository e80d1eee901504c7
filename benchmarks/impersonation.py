"""What impersonation costs: accounts and links of real mentions against 1,000 brands.

Mentions of ../shared/data/mentions in their order, once, from cold: authors and hosts come again
as they do in life, and what was read of them is remembered.  CPU time on one core.
"""

from __future__ import annotations

import gzip
import os
import random
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import msgspec

from models.impersonation.impostor import ImpostorChecker
from models.impersonation.intent import intents
from models.impersonation.links import LinkChecker
from models.impersonation.suspects import SuspectFinder
from models.records import Author, Brand, Mention

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("NADHIR_TEST_DATA") or ROOT.parent / "shared" / "data") / "mentions"
LIMIT_US = 10.0
BRANDS = (10, 1_000)
_SYLLABLES = "al ra jo mi ba ter no ven sa qua zi pe lo dar ni ku fe ros ta min".split()  # noqa: SIM905
_BATCH = 1_000
_AT = datetime(2014, 7, 1, tzinfo=UTC)
_TURNS = 3  # each from cold; the quickest is told, for the machine has other work


class Spoken(NamedTuple):
    """Of a mention, what is judged."""

    author: Author
    links: tuple[str, ...]
    text: str


class Cost(NamedTuple):
    """Microseconds a mention, of each part, and of what stage score does of them in all."""

    accounts: float
    links: float
    intents: float
    stage: float


class _Mention(msgspec.Struct):
    text: str
    author: Author
    links: tuple[str, ...] = ()


def brands(count: int) -> list[Brand]:
    """Brands with two names, a handle and two domains each; the same for a count."""
    rng = random.Random(count)
    names: dict[str, None] = {}
    while len(names) < count:
        names["".join(rng.choices(_SYLLABLES, k=rng.choice((3, 4)))).capitalize()] = None
    return [
        Brand(id=f"b{i}", names=(name, f"{name} Bank"), handles=(f"{name}_sa",),
              domains=(f"{name.lower()}.com", f"{name.lower()}bank.com.sa"))
        for i, name in enumerate(names)
    ]  # fmt: skip


def measure(spoken: Sequence[Spoken], count: int) -> Cost:
    """Judge mentions once against so many brands."""
    watched = brands(count)
    impostors, links = ImpostorChecker(watched), LinkChecker(watched)
    impostors.check(Author(handle="warm", name="دافئ"))
    links.check("warm.example")
    intents(["warm"])
    began = time.process_time()
    for each in spoken:
        impostors.check(each.author)
    accounts = time.process_time()
    for each in spoken:
        links.check_many(each.links)
    linked = time.process_time()
    for start in range(0, len(spoken), _BATCH):
        intents([each.text for each in spoken[start : start + _BATCH]])
    asked = time.process_time()
    finder, whole = SuspectFinder(watched), [_mention(each) for each in spoken]
    finder.find(whole[0])
    staged = time.process_time()
    for mention in whole:
        finder.find(mention)
    spent = (
        accounts - began, linked - accounts, asked - linked, time.process_time() - staged,
    )  # fmt: skip
    return Cost(*(1e6 * part / len(spoken) for part in spent))


def _mention(spoken: Spoken) -> Mention:
    return Mention(
        id="1", platform="x", published_at=_AT, text=spoken.text, author=spoken.author,
        links=spoken.links,
    )  # fmt: skip


def mentions(path: Path) -> Iterator[Spoken]:
    """Mentions of a file of JSON Lines."""
    decoder = msgspec.json.Decoder(_Mention)
    with gzip.open(path) as lines:
        for line in lines:
            row = decoder.decode(line)
            yield Spoken(row.author, row.links, row.text)


def run(most: int | None = None) -> list[str]:
    """Lines of a table; the goal is of accounts and links together."""
    spoken = list(islice(mentions(DATA / "stocknet-2014.jsonl.gz"), most))
    table = [
        "| brands | accounts, µs | links, µs | both | intents, µs | in stage score, µs | goal "
        "| reached |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for count in BRANDS:
        cost = min((measure(spoken, count) for _ in range(_TURNS)), key=sum)
        both = cost.accounts + cost.links
        reached = "yes" if both <= LIMIT_US else "**no**"
        table.append(
            f"| {count:,} | {cost.accounts:.1f} | {cost.links:.1f} | **{both:.1f}** "
            f"| {cost.intents:.1f} | {cost.stage:.1f} | ≤ {LIMIT_US:.0f} | {reached} |"
        )
    return table
