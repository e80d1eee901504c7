"""How long the worst accounts, links and mentions take that a stranger may write.

``python -m benchmarks hostile``.  Random pieces of the brands' names, of words that impostors use,
of all scripts and of what cannot be seen, and what was made to take long (`hostile_inputs`),
against 1,000 brands.  CPU time on one core; of each input the least of some turns counts, each with
nothing remembered, so that only the input is slow.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from benchmarks.hostile_inputs import Attacker
from benchmarks.impersonation import brands
from models.impersonation import links, roles, translit, urls, words
from models.impersonation.brand_names import names_of
from models.impersonation.impostor import ImpostorChecker
from models.impersonation.likeness import NameIndex
from models.impersonation.links import LinkChecker
from models.impersonation.suspects import SuspectFinder
from models.records import Author, Brand, Mention

LIMIT_MS = 1.0
BRANDS = 1_000
_TURNS = 3
_SHOWN = 3  # of the kinds that were made to take long
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
    shown = [f"https://{text(rng, names, link)}" for _ in range(10)]
    return _mention(text(rng, names, said), who, shown)


def _mention(said: str, who: Author, shown: Sequence[str]) -> Mention:
    return Mention(
        id="1", platform="x", published_at=_AT, text=said, author=who, links=tuple(shown)
    )


def slowest(
    make: Callable[[], Callable[[_Input], object]], kinds: Mapping[str, Sequence[_Input]]
) -> dict[str, Slow]:
    """Time every input, in each turn with a judge of its own and nothing remembered."""
    least = {kind: [float("inf")] * len(inputs) for kind, inputs in kinds.items()}
    for _ in range(_TURNS):
        judge = make()
        for kind, inputs in kinds.items():
            for i, each in enumerate(inputs):
                forget()
                began = time.process_time()
                judge(each)
                least[kind][i] = min(least[kind][i], time.process_time() - began)
    return {kind: _slow(times) for kind, times in least.items()}


def _slow(times: Sequence[float]) -> Slow:
    ordered = sorted(1e3 * each for each in times)
    return Slow(ordered[len(ordered) // 2], ordered[int(0.99 * len(ordered))], ordered[-1])


def forget() -> None:
    """Empty what is remembered of words and links, whoever judges."""
    for cached in (urls.parse_url, urls._split, links._script, roles.word_role,
                   translit._arabic_key, words.role_of):  # fmt: skip
        cached.cache_clear()


def measure(watched: Sequence[Brand], count: int) -> Iterator[tuple[str, dict[str, Slow]]]:
    """Slowness of each kind of account, link and mention; ``count`` of the short ones.

    Of the longest there are a tenth, of those made to take long a twentieth.
    """
    rng, names = random.Random(1), [name for brand in watched for name in brand.names]
    index = NameIndex(names_of(watched))
    attacker = Attacker([brand.names[0].lower() for brand in watched], rng)
    some = max(count // 20, 1)

    def of_accounts() -> Callable[[Author], object]:
        return _warm(ImpostorChecker(watched, index).check, Author(handle="warm", name="دافئ"))

    def of_links() -> Callable[[str], object]:
        return _warm(LinkChecker(watched, index).check, "\u200bwarm.example")

    def of_mentions() -> Callable[[Mention], object]:
        return _warm(SuspectFinder(watched).find, mention(rng, names, Author(), 9, 9))

    short = [author(rng, names, 40, 80, 200) for _ in range(count)]
    long = [author(rng, names, 256, 1_024, 10_000) for _ in range(count // 10)]
    accounts = {"random, of usual length": short, "random, the longest there is": long}
    for kind, account in attacker.accounts().items():
        accounts[kind] = [account() for _ in range(some)]
    yield "account", slowest(of_accounts, accounts)

    urls_of = {
        f"random, of {size:,} characters": [
            f"https://{text(rng, names, size)}" for _ in range(count)
        ]
        for size in (200, 4_096)
    }
    for kind, link in attacker.links().items():
        urls_of[kind] = [link() for _ in range(some)]
    yield "link", slowest(of_links, urls_of)

    mentions = {
        "random, of usual length": [mention(rng, names, who, 280, 80) for who in short],
        "random, of 20,000 characters": [mention(rng, names, who, 20_000, 1_000) for who in long],
    }
    for kind, link in attacker.links().items():
        mentions[kind] = [
            _mention("x", rng.choice(accounts["names that overlap"]), [link() for _ in range(10)])
            for _ in range(some)
        ]
    yield "mention with ten links", slowest(of_mentions, mentions)


def _warm(judge: Callable[[_Input], object], first: _Input) -> Callable[[_Input], object]:
    judge(first)  # tables are built at first use
    return judge


def run(count: int = 600) -> list[str]:
    """Lines of a table, of each what random inputs take and the three worst of the others."""
    table = [
        "| input | median ms | 99 % ms | worst ms | goal | reached |",
        "|---|---|---|---|---|---|",
    ]
    for what, kinds in measure(brands(BRANDS), count):
        made = sorted(
            (k for k in kinds if not k.startswith("random")), key=lambda k: -kinds[k].worst
        )
        for kind in (*(k for k in kinds if k not in made), *made[:_SHOWN]):
            slow = kinds[kind]
            reached = "yes" if slow.worst <= LIMIT_MS else "**no**"
            cells = " | ".join(f"{each:.2f}" for each in slow)
            table.append(f"| {what}: {kind} | {cells} | ≤ {LIMIT_MS:g} | {reached} |")
    return table
