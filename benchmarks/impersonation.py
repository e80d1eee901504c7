"""What impersonation costs: accounts and links of real mentions against 1,000 brands.

Mentions of ../shared/data/mentions in their order, once, from cold, in micro-batches as stage score
has them: authors and hosts come again as they do in life, and what was read of them is remembered.
CPU time on one core, beside the floor: the same lines decoded with orjson and dropped, in the same
run, since the machine's speed varies.
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
from typing import NamedTuple, TypeVar

import msgspec
import orjson

from models.impersonation.impostor import ImpostorChecker
from models.impersonation.intent import intents
from models.impersonation.links import LinkChecker
from models.impersonation.suspects import SuspectFinder
from models.records import Author, Brand, Mention

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("NADHIR_TEST_DATA") or ROOT.parent / "shared" / "data") / "mentions"
LIMIT_US = 10.0
BRANDS = (10, 1_000)
SYLLABLES = "al ra jo mi ba ter no ven sa qua zi pe lo dar ni ku fe ros ta min".split()  # noqa: SIM905
_BATCH = 1_000
_AT = datetime(2014, 7, 1, tzinfo=UTC)
_TURNS = 3  # each from cold; the least of each part is told, for the machine has other work

_Item = TypeVar("_Item")


class Spoken(NamedTuple):
    """Of a mention, what is judged."""

    author: Author
    links: tuple[str, ...]
    text: str


class Cost(NamedTuple):
    """Microseconds a mention, of each part, and of what stage score does of them in all.

    The last is stage score's with one mention at a time, as a trickle has them.
    """

    accounts: float
    links: float
    intents: float
    stage: float
    alone: float


class _Mention(msgspec.Struct):
    text: str
    author: Author
    links: tuple[str, ...] = ()


def brands(count: int) -> list[Brand]:
    """Brands with two names, a handle and two domains each; the same for a count."""
    rng = random.Random(count)
    names: dict[str, None] = {}
    while len(names) < count:
        names["".join(rng.choices(SYLLABLES, k=rng.choice((3, 4)))).capitalize()] = None
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
    for batch in _batches(spoken):
        impostors.check_many([each.author for each in batch])
    accounts = time.process_time()
    for batch in _batches(spoken):
        links.check_many([link for each in batch for link in each.links])
    linked = time.process_time()
    for batch in _batches(spoken):
        intents([each.text for each in batch])
    asked = time.process_time()
    stage, alone = _staged(spoken, watched)
    spent = (accounts - began, linked - accounts, asked - linked, stage, alone)
    return Cost(*(1e6 * part / len(spoken) for part in spent))


def _staged(spoken: Sequence[Spoken], watched: Sequence[Brand]) -> tuple[float, float]:
    """Seconds of what stage score does, in batches and one by one."""
    many, one = SuspectFinder(watched), SuspectFinder(watched)
    whole = [_mention(each) for each in spoken]
    many.find(whole[0])
    one.find(whole[0])
    began = time.process_time()
    for batch in _batches(whole):
        many.find_many(batch)
    staged = time.process_time()
    for mention in whole:
        one.find_many([mention])
    return staged - began, time.process_time() - staged


def _batches(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


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


def floor(most: int) -> float:
    """Microseconds to decode a line with orjson and drop it."""
    with gzip.open(DATA / "stocknet-2014.jsonl.gz") as file:
        lines = list(islice(file, most))
    began = time.process_time()
    for line in lines:
        orjson.loads(line)
    return 1e6 * (time.process_time() - began) / len(lines)


def run(most: int | None = None) -> list[str]:
    """Lines of a table; the goal is of accounts and links together."""
    spoken = list(islice(mentions(DATA / "stocknet-2014.jsonl.gz"), most))
    table = [
        "| brands | floor, µs | accounts, µs | links, µs | both | intents, µs | in stage score, µs "
        "| one by one | goal | reached |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for count in BRANDS:
        floors, costs = [floor(len(spoken))], []
        for _ in range(_TURNS):
            costs.append(measure(spoken, count))
            floors.append(floor(len(spoken)))
        cost = Cost(*map(min, zip(*costs)))
        both = cost.accounts + cost.links
        reached = "yes" if both <= LIMIT_US else "**no**"
        shown = (min(floors), cost.accounts, cost.links, f"**{both:.1f}**", *cost[2:])
        cells = [f"{each:.1f}" if isinstance(each, float) else each for each in shown]
        table.append(f"| {count:,} | {' | '.join(cells)} | ≤ {LIMIT_US:.0f} | {reached} |")
    return table
