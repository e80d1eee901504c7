"""Look-alike links and accounts: how many are found, and how many honest ones are blamed."""

from __future__ import annotations

import csv
import gzip
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import dnstwist
import msgspec

from benchmarks.quality.document import QualityError, table, verdict
from benchmarks.quality.lookalikes import BRANDS, LookAlike, look_alikes
from benchmarks.quality.options import Options
from models.impersonation.findings import BALANCED, Finding
from models.impersonation.impostor import ImpostorChecker
from models.impersonation.links import LinkChecker
from models.records import Author, Brand

# five brands for dnstwist; the last has an Arabic domain that we made up
TWISTED = (
    ("paypal.com", ("PayPal",)),
    ("microsoft.com", ("Microsoft",)),
    ("netflix.com", ("Netflix",)),
    ("alrajhibank.com.sa", ("Al Rajhi Bank", "مصرف الراجحي")),
    ("مصرف-النخيل.السعودية", ("مصرف النخيل",)),
)
# of dnstwist: names short or plain enough that one edit leads to somebody else's
_HARD = (("apple.com", ("Apple",)), ("noon.com", ("noon",)), ("dhl.com", ("DHL",)))
_WORDS = ["login", "support", "secure", "account", "help"]
_SUFFIXES = ["net", "org", "info", "xyz", "shop", "co", "sa", "ae"]
_ROUNDS, _SEED = 4, 0
_SIGNS = re.compile(r"[\W_]+")

Row = dict[str, str]


def run(options: Options) -> list[str]:
    """Measure; the lines of the section."""
    folder = options.data / "impersonation"
    if not folder.is_dir():
        raise QualityError("no impersonation among the shared data; put it there")
    watched, pairs = _brands(folder), _rows(folder / "udrp-pairs-dev.csv")
    marks = _marks(pairs)
    blamed, seen = _blamed_links(folder, [*watched, *marks.values()])
    twisted = [_twist(*each) for each in TWISTED]
    caught, missed = _udrp(pairs, marks)
    goals = [
        _share(
            "dnstwist, five brands",
            sum(hits.total() for hits, _ in twisted),
            sum(made.total() for _, made in twisted),
            0.97,
        ),
        _share("UDRP pairs, the mark as the brand's name", caught, len(pairs), 0.90),
        *_jpcert(folder, watched),
        _false("legit-urls", len(watched) + len(marks), len(blamed), seen, 1_000),
        *_accounts(options.data / "mentions"),
    ]
    made = list(look_alikes(_ROUNDS, _SEED))
    checker = ImpostorChecker(BRANDS, links=LinkChecker(BRANDS))
    found = {id(each): _is_hit(checker.check(each.author), each.brand) for each in made}
    goals.append(_share("accounts by every trick", sum(found.values()), len(made), 0.95))
    return [
        *table(["what", "n", "at 0.5 or more", "goal", "reached"], goals),
        "", *_twist_table(twisted),
        "", *table(["tricks of accounts", "made", "found"], _by_trick(made, found)),
        "", "Links of legit-urls that were flagged:", "",
        *table(["link", "brand", "reasons"], [_shown(url, f) for url, f in blamed]),
        "", f"UDRP pairs that were not: {'; '.join(missed)}.",
    ]  # fmt: skip


def _is_hit(found: Finding, brand: str) -> bool:
    return found.score >= BALANCED and found.brand == brand


def _share(what: str, hits: int, of: int, goal: float) -> list[object]:
    reached = verdict(hits / of >= goal)
    return [what, f"{of:,}", f"**{hits / of:.3f}**", f"≥ {goal:.2f}", reached]


def _false(what: str, brands: int, blamed: int, of: int, once_in: int) -> list[object]:
    shown = f"**{blamed}**, 1 in {of // blamed:,}" if blamed else "**0**"
    reached = verdict(blamed * once_in <= of)
    return [f"{what}, {brands} brands: false", f"{of:,}", shown, f"≤ 1 in {once_in:,}", reached]


def _rows(path: Path) -> list[Row]:
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _brands(folder: Path) -> list[Brand]:
    """Brands of the phishing list, known by name, tokens and domains."""
    return [
        Brand(id=row["brand_key"] or row["brand"], names=(row["brand"], *row["tokens"].split()),
              domains=tuple(row["official_domains"].split()))
        for row in _rows(folder / "phishing-brands.csv")
    ]  # fmt: skip


def _marks(pairs: Sequence[Row]) -> dict[str, Brand]:
    """Marks of the UDRP cases as brands; mark.com is taken to be theirs, unless it is the case."""
    of_mark: dict[str, set[str]] = defaultdict(set)
    for row in pairs:
        of_mark[row["trademark"]].add(row["domain"])
    found = {}
    for mark, domains in of_mark.items():
        own = f"{_SIGNS.sub('', mark.lower())}.com"
        known = (own,) if own.isascii() and own not in domains else ()
        found[mark] = Brand(id=f"udrp {mark}", names=(mark,), domains=known)
    return found


def _blamed_links(folder: Path, brands: Sequence[Brand]) -> tuple[list[tuple[str, Finding]], int]:
    checker = LinkChecker(brands)
    urls = [row["url"] for row in _rows(folder / "legit-urls.csv.gz")]
    found = zip(urls, checker.check_many(urls))
    return [(url, each) for url, each in found if each.score >= BALANCED], len(urls)


def _twist(domain: str, names: tuple[str, ...]) -> tuple[Counter[str], Counter[str]]:
    """By fuzzer, how many permutations of a domain are found, and how many there are."""
    checker = LinkChecker([Brand(id="b", names=names, domains=(domain,))])
    ascii_form = domain.encode("idna").decode("ascii")
    fuzzer = dnstwist.Fuzzer(ascii_form, dictionary=_WORDS, tld_dictionary=list(_SUFFIXES))
    fuzzer.generate()
    hits: Counter[str] = Counter()
    made: Counter[str] = Counter()
    for each in fuzzer.permutations():
        if each["fuzzer"] != "*original":
            made[each["fuzzer"]] += 1
            hits[each["fuzzer"]] += checker.check(each["domain"]).score >= BALANCED
    return hits, made


def _udrp(pairs: Sequence[Row], marks: dict[str, Brand]) -> tuple[int, list[str]]:
    checkers = {mark: LinkChecker([brand]) for mark, brand in marks.items()}
    missed = [
        f"{row['domain']} ({row['trademark']})"
        for row in pairs
        if checkers[row["trademark"]].check(row["domain"]).score < BALANCED
    ]
    return len(pairs) - len(missed), missed


def _jpcert(folder: Path, brands: Sequence[Brand]) -> list[list[object]]:
    checker = LinkChecker(brands)
    rows = [r for r in _rows(folder / "phishing-hosts-2019-2023.csv.gz") if r["brand_key"]]
    hits: Counter[str] = Counter()
    right = 0
    for row in rows:
        found = checker.check(row["host"])
        hits[row["token_in_host"]] += found.score >= BALANCED
        right += row["token_in_host"] == "1" and _is_hit(found, row["brand_key"])
    counts = Counter(row["token_in_host"] for row in rows)
    with_token = _share("JPCERT hosts with a brand's token", hits["1"], counts["1"], 0.97)
    return [
        with_token,
        [
            "of these, the list's own brand",
            f"{counts['1']:,}",
            f"{right / counts['1']:.3f}",
            "",
            "",
        ],
        ["JPCERT hosts without", f"{counts['0']:,}", f"{hits['0'] / counts['0']:.3f}", "", ""],
    ]


def _accounts(folder: Path) -> list[list[object]]:
    """Real accounts, with the companies that they speak of as brands."""
    brands = [
        Brand(id=row["ticker"], names=(row["company"],)) for row in _rows(folder / "brands.csv")
    ]
    decoder = msgspec.json.Decoder(dict[str, object])
    authors: dict[str, Author] = {}
    with gzip.open(folder / "stocknet-2014.jsonl.gz") as lines:
        for line in lines:
            author = msgspec.convert(decoder.decode(line)["author"], Author)
            authors[author.id or ""] = author
    rows = []
    for what, watched in (
        ("StockNet accounts, names alone", brands),
        ("StockNet accounts, with handles we made up", [_with_handle(b) for b in brands]),
    ):
        checker = ImpostorChecker(watched)
        blamed = [a for a in authors.values() if checker.check(a).score >= BALANCED]
        named = ", ".join(f"@{a.handle}" for a in blamed)
        row = _false(what, len(brands), len(blamed), len(authors), 2_000)
        rows.append([f"{row[0]}{f' ({named})' if named else ''}", *row[1:]])
    return rows


def _with_handle(brand: Brand) -> Brand:
    """A brand with its first word as its handle: so another's account of that handle is false."""
    words = [word for word in _SIGNS.split(brand.names[0]) if word.lower() != "the"]
    return msgspec.structs.replace(brand, handles=(words[0].lower(),))


def _twist_table(twisted: Iterable[tuple[Counter[str], Counter[str]]]) -> list[str]:
    rows: list[list[object]] = []
    hard = [_twist(*each) for each in _HARD]
    for (domain, _), (hits, made) in zip((*TWISTED, *_HARD), (*twisted, *hard)):
        lost = made - hits
        faults = ", ".join(f"{name} {count}" for name, count in sorted(lost.items()))
        rows.append([domain, f"{made.total():,}", f"{hits.total() / made.total():.3f}", faults])
    return table(["dnstwist", "permutations", "found", "not found, by fuzzer"], rows)


def _by_trick(made: Iterable[LookAlike], found: dict[int, bool]) -> list[list[object]]:
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for each in made:
        counts[each.trick][0] += 1
        counts[each.trick][1] += found[id(each)]
    whole = sum(n for n, hits in counts.values() if n == hits)
    rows: list[list[object]] = [[t, n, hits] for t, (n, hits) in counts.items() if hits < n]
    others = sum(n == hits for n, hits in counts.values())
    return [*rows, [f"the {others} others", whole, whole]]


def _shown(url: str, found: Finding) -> list[object]:
    reasons = ", ".join(f"{reason.code} {reason.weight}" for reason in found.reasons[:3])
    return [f"`{url.split('/')[2]}`", found.brand or "", reasons]
