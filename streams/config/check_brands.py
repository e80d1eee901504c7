"""How brands go together: words that cannot be searched for, and what two brands both claim."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from models.text import normalise, normalise_one
from streams.config.document import Document, entries
from streams.config.fields import domain_ascii
from streams.config.problems import KeyPath, printable, shown

Brands = list[tuple[int, dict[str, Any]]]  # index in the list, and the brand as written

_MATCHED = ("names", "keywords", "exclude")
_COMMON_WORDS = """
    the bank home house now go one time news world today people city water store shop company
    البنك بنك الوطني الآن اليوم العالم المدينة الماء نور البيت الناس شركة الشركة المتجر الأول
"""


class _Said(NamedTuple):
    """A text of a brand and where it stands; ``scope`` is a handle's platform, if it has one."""

    path: KeyPath
    text: str
    brand: int
    scope: str | None = None


def check_brands(document: Document, brands: Brands) -> None:
    """Add a problem for every brand that cannot be told from common text or from another brand."""
    words = _normalised(brands)
    _check_words(document, brands, words)
    _check_exclusions(document, brands, words)
    _check_owners(document, brands, words)


def _texts(i: int, brand: dict[str, Any], *keys: str) -> Iterator[_Said]:
    for key in keys:
        items = brand.get(key)
        for j, item in enumerate(items if isinstance(items, list) else ()):
            if isinstance(item, str) and item.strip():
                yield _Said(("brands", i, key, j), item, i)


def _normalised(brands: Brands) -> dict[str, str]:
    """Every text to match as the matcher will see it; one batch, for there are thousands."""
    texts = list({said.text for i, brand in brands for said in _texts(i, brand, *_MATCHED)})
    batch = normalise(texts)
    return {text: batch.text(i).strip() for i, text in enumerate(texts)}


@cache
def _common_words() -> frozenset[str]:
    return frozenset(map(normalise_one, _COMMON_WORDS.split()))


def _check_words(document: Document, brands: Brands, words: dict[str, str]) -> None:
    for i, brand in brands:
        for said in _texts(i, brand, *_MATCHED):
            word = words[said.text]
            # a cashtag may have one letter: $V is a company, V is not
            if sum(map(str.isalnum, word)) < (1 if word.startswith("$") else 2):
                message = "has fewer than two letters or digits to search for; write it in full"
                document.add(said.path, f"{shown(said.text)} {message}")
            elif said.path[2] == "names" and word.replace(" ", "").isdigit():
                message = "is only digits, which any text may hold; add a word to it"
                document.add(said.path, f"{shown(said.text)} {message}")
        names = list(_texts(i, brand, "names"))
        if names and all(words[said.text] in _common_words() for said in names):
            message = "is a common word and the brand has no rarer name; others will be counted too"
            document.add(names[0].path, f"{shown(names[0].text)} {message}", severity="warning")


def _check_exclusions(document: Document, brands: Brands, words: dict[str, str]) -> None:
    for i, brand in brands:
        ours = {words[said.text]: said.path[2] for said in _texts(i, brand, "keywords", "names")}
        for said in _texts(i, brand, "exclude"):
            what = ours.get(words[said.text])
            if what:
                message = f"is among the brand's {what} too, so that nothing would match; drop one"
                document.add(said.path, f"{shown(said.text)} {message}")


def _check_owners(document: Document, brands: Brands, words: dict[str, str]) -> None:
    """Nothing official may belong to two brands; a name in common is only doubtful."""
    names, handles, accounts, domains = [], [], [], []
    for i, brand in brands:
        names += list(_texts(i, brand, "names", "keywords"))
        handles += list(_texts(i, brand, "handles"))
        domains += list(_texts(i, brand, "domains"))
        for j, account in entries(brand, "accounts"):
            platform, account_id, handle = map(account.get, ("platform", "id", "handle"))
            path = ("brands", i, "accounts", j)
            if isinstance(platform, str) and isinstance(account_id, str):
                accounts.append(_Said((*path, "id"), account_id, i, platform))
            if isinstance(platform, str) and isinstance(handle, str):
                handles.append(_Said((*path, "handle"), handle, i, platform))
    ids = {i: brand.get("id") for i, brand in brands}
    _report_shared(document, handles, ids, _handle_key)
    _report_shared(document, accounts, ids, str)
    _report_shared(document, domains, ids, _domain_key)
    _report_shared(document, names, ids, words.get, warn=True)


def _report_shared(
    document: Document,
    said: list[_Said],
    brand_ids: dict[int, Any],
    canonical: Callable[[str], str | None],
    *,
    warn: bool = False,
) -> None:
    groups: dict[str, list[_Said]] = {}
    for one in said:
        key = canonical(one.text)
        if not key:
            continue
        for other in groups.setdefault(key, []):
            same_place = None in (one.scope, other.scope) or one.scope == other.scope
            if other.brand != one.brand and same_place:
                _report_owner(document, one, other, brand_ids[other.brand], warn=warn)
                break
        groups[key].append(one)


def _report_owner(
    document: Document, one: _Said, other: _Said, brand_id: object, *, warn: bool
) -> None:
    owner = f"brand '{printable(brand_id)}'" if isinstance(brand_id, str) else "another brand"
    line = document.origin(other.path).line
    where = f" (line {line})" if line else ""
    if warn:
        message = f"{shown(one.text)} means {owner} too{where}; mentions of it will count for both"
        document.add(one.path, message, severity="warning")
    else:
        message = (
            f"{shown(one.text)} belongs to {owner} already{where}; an official one has one brand"
        )
        document.add(one.path, message)


def _handle_key(text: str) -> str:
    return text.removeprefix("@").lower()


def _domain_key(text: str) -> str | None:
    try:
        return domain_ascii(text)
    except ValueError:
        return None  # the schema has said so
