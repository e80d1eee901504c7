"""How long the worst accounts, links and mentions take that a stranger may write.

``python -m benchmarks hostile``.  Random pieces of the brands' names, of words that impostors use,
of all scripts and of what cannot be seen, against 1,000 brands.  CPU time on one core; of each
input the least of some turns counts, each with nothing remembered, so that only the input is slow.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from benchmarks.impersonation import brands
from models.impersonation.impostor import ImpostorChecker
from models.impersonation.links import LinkChecker
from models.impersonation.suspects import SuspectFinder
from models.records import Author, Brand, Mention

LIMIT_MS = 1.0
BRANDS = 1_000
_TURNS = 3
_AT = datetime(2026, 3, 1, tzinfo=UTC)
_WORDS = (
    "xn--", "http://", "%61", "support", "DM us", "your card number", "\u202e", "\u200b", "ﷺ", "ـ",
    "خدمة", "العملاء", "رسمي", " ", "_", "-", ".", "/", "@", "0",
)  # fmt: skip
_BLOCKS = ((0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x4FF), (0x621, 0x64A), (0x900, 0x2FFF),
           (0xFB50, 0xFEFC), (0x10000, 0x1FFFF))  # fmt: skip

_Input = TypeVar("_Input")


class Slow(NamedTuple):
    """Milliseconds of one input: the middle one, the hundredth worst, the worst."""

    median: float
    late: float
    worst: float


def text(rng: random.Random, names: Sequence[str], most: int) -> str:
    """So many characters of a few kinds of pieces."""
    blocks = rng.sample(_BLOCKS, 2)
    kinds: list[Callable[[], str]] = [
        lambda: rng.choice(names),
        lambda: rng.choice(names)[:-1] + rng.choice("aeiouا"),
        lambda: rng.choice(_WORDS),
        lambda: chr(rng.randint(*blocks[0])),
        lambda: chr(rng.randint(*blocks[1])),
    ]
    chosen, parts, left = rng.sample(kinds, rng.randint(1, 4)), [], most
    while left > 0:
        parts.append(rng.choice(chosen)())
        left -= len(parts[-1])
    return "".join(parts)[:most]


def author(rng: random.Random, names: Sequence[str], handle: int, name: int, bio: int) -> Author:
    """An account with fields of these lengths."""
    return Author(
        handle=text(rng, names, handle), name=text(rng, names, name), bio=text(rng, names, bio)
    )


def mention(rng: random.Random, names: Sequence[str], who: Author, said: int, link: int) -> Mention:
    """A mention with ten links."""
    links = tuple(f"https://{text(rng, names, link)}" for _ in range(10))
    return Mention(
        id="1", platform="x", published_at=_AT, text=text(rng, names, said), author=who, links=links
    )


def slowest(make: Callable[[], Callable[[_Input], object]], inputs: Sequence[_Input]) -> Slow:
    """Time every input, in each turn with a judge of its own."""
    least = [float("inf")] * len(inputs)
    for _ in range(_TURNS):
        judge = make()
        for i, each in enumerate(inputs):
            began = time.process_time()
            judge(each)
            least[i] = min(least[i], time.process_time() - began)
    ordered = sorted(1e3 * each for each in least)
    return Slow(ordered[len(ordered) // 2], ordered[int(0.99 * len(ordered))], ordered[-1])


def measure(watched: Sequence[Brand], count: int) -> Iterator[tuple[str, Slow]]:
    """Slowness of each kind of input; ``count`` of the short ones, a tenth of the longest."""
    rng, names = random.Random(1), [name for brand in watched for name in brand.names]

    def of_accounts() -> Callable[[Author], object]:
        return _warm(ImpostorChecker(watched).check, Author(handle="warm", name="دافئ"))

    def of_links() -> Callable[[str], object]:
        return _warm(LinkChecker(watched).check, "warm.example")

    def of_mentions() -> Callable[[Mention], object]:
        return _warm(SuspectFinder(watched).find, mention(rng, names, Author(), 9, 9))

    short = [author(rng, names, 40, 80, 200) for _ in range(count)]
    long = [author(rng, names, 256, 1_024, 10_000) for _ in range(count // 10)]
    yield "account of usual length", slowest(of_accounts, short)
    yield "account, the longest there is", slowest(of_accounts, long)
    for size in (200, 4_096):
        links = [f"https://{text(rng, names, size)}" for _ in range(count)]
        yield f"link of {size:,} characters", slowest(of_links, links)
    usual = [mention(rng, names, who, 280, 80) for who in short]
    yield "mention of usual length with ten links", slowest(of_mentions, usual)
    longest = [mention(rng, names, who, 20_000, 1_000) for who in long]
    yield "mention of 20,000 characters with ten links", slowest(of_mentions, longest)


def _warm(judge: Callable[[_Input], object], first: _Input) -> Callable[[_Input], object]:
    judge(first)  # tables are built at first use
    return judge


def run(count: int = 1_000) -> list[str]:
    """Lines of a table; the goal is of one account or one link."""
    table = [
        "| input | median ms | 99 % ms | worst ms | goal | reached |",
        "|---|---|---|---|---|---|",
    ]
    for what, slow in measure(brands(BRANDS), count):
        reached = "yes" if slow.worst <= LIMIT_MS else "**no**"
        cells = " | ".join(f"{each:.2f}" for each in slow)
        table.append(f"| {what} | {cells} | ≤ {LIMIT_MS:g} | {reached} |")
    return table
