"""Rows to JSON Lines.  No randomness here: the same row gives the same bytes."""

from __future__ import annotations

from functools import cache

from streams.simulate import rows as r
from streams.simulate.data import load
from streams.simulate.lexicon import SLOT_SIZE, escape, lexicon
from streams.simulate.people import Account, Population
from streams.simulate.rows import Rows
from streams.simulate.spec import SimBrand, rfc3339
from streams.simulate.spelling import tatweel
from streams.simulate.voice import LINKS

_HOUR_S = 3600
_FATHA = "\u064e"
# How often each way of naming the brand is used, out of SLOT_SIZE; the rest use the plain name.
_AR_SOCIAL = {"handle": 11, "hashtag": 10, "other": 6, "keyword": 4, "tatweel": 3, "marks": 1}
_EN_SOCIAL = {"handle": 15, "hashtag": 8, "other": 2, "keyword": 4, "upper": 3}
_FORMAL = {"other": 6, "keyword": 4}

# The arguments of Renderer._line after the mention's class.
_COLUMNS = (
    "t", "seq", "platform", "kind", "lang", "template", "slot_a", "slot_b", "register", "name",
    "prefix", "opener", "closer", "emoji", "tag", "link", "author", "parent", "parent_class",
    "parent_author", "rating", "country", "likes", "views",
)  # fmt: skip


def brand_names(brand: SimBrand, lang: int, register: int) -> list[str]:
    """Return every way to name the brand in a language and register, each as often as it is used.

    Parameters
    ----------
    brand : SimBrand
    lang : int
        Index into `rows.LANGS`.
    register : int
        0 social, 1 formal (reviews, forums and news, which use neither handles nor hashtags).
    """
    arabic = lang == 0
    own, other = (brand.name_ar, brand.name_en) if arabic else (brand.name_en, brand.name_ar)
    keywords = (brand.keywords_ar if arabic else brand.keywords_en) or (own,)
    ways = {
        "handle": ["@" + brand.handles[0]],
        "hashtag": ["#" + (own.replace(" ", "_") if arabic else own.replace(" ", ""))],
        "other": [other],
        "keyword": list(keywords),
        "upper": [own.upper(), own.lower()],
        "tatweel": [tatweel(own)],
        "marks": [own[0] + _FATHA + own[1:]],
    }
    shares = _FORMAL if register else _AR_SOCIAL if arabic else _EN_SOCIAL
    names = [ways[way][i % len(ways[way])] for way, n in shares.items() for i in range(n)]
    return names + [own] * (SLOT_SIZE - len(names))


class Renderer:
    """Renders the rows of one brand.

    Parameters
    ----------
    brand : SimBrand
    people : Population
    accounts : list of Account
        Accounts that the scenario brings; author ``-1 - i`` is ``accounts[i]``.
    links, tags : list of str
        The scenario's own links and hashtags; they follow the common ones.
    fixed : dict
        Slot kind -> the one entry the scenario is about.
    """

    def __init__(
        self,
        brand: SimBrand,
        people: Population,
        accounts: list[Account],
        links: list[str],
        tags: list[str],
        fixed: dict[str, int],
    ) -> None:
        words = lexicon()
        self._people = people
        self._accounts = accounts
        self._account_json = [account.json() for account in accounts]
        self._formats = words.formats
        self._slots = words.slots(brand.industry, fixed)
        self._names = [
            [list(map(escape, brand_names(brand, lang, register))) for register in (0, 1)]
            for lang in range(len(r.LANGS))
        ]
        self._arabic_name = escape(brand.name_ar)
        self._openers, self._closers, self._emoji = words.openers, words.closers, words.emoji
        self._tags = [*words.tags, *(f" {escape(tag)}" for tag in tags)]
        official = [f"https://{brand.domain}{path}" for path in LINKS[1:]]
        news = [f"https://news.example/business/{brand.id}"]
        links = [escape(link) for link in [*official, *news, *links]]
        self._link_text = ["", *(f" {link}" for link in links)]
        self._link_json = ["", *(f',"links":["{link}"]' for link in links)]
        self._ids = [f"{brand.id}-{code}" for code in r.CLASSES]
        codes: list[str] = list(load("scenarios")["traffic"]["countries"])
        self._countries = ["", *(f',"country":"{code}"' for code in codes)]
        self._official = f"{brand.id}-official"
        self._at_brand = f"@{brand.handles[0]} "

    def lines(self, rows: Rows) -> list[bytes]:
        """Return each row as a line of JSON, with its newline."""
        columns = [rows[name].tolist() for name in _COLUMNS]
        return list(map(self._line, r.classes(rows).tolist(), *columns))

    def _line(
        self, code: int, t: int, seq: int, platform: int, kind: int, lang: int, template: int,
        slot_a: int, slot_b: int, register: int, name: int, prefix: int, opener: int, closer: int,
        emoji: int, tag: int, link: int, author: int, parent: int, parent_class: int,
        parent_author: int, rating: int, country: int, likes: int, views: int,
    ) -> bytes:  # fmt: skip
        form, kind_a, kind_b = self._formats[template]
        slots = self._slots[lang]
        said = form(
            self._names[lang][register][name],
            self._arabic_name,
            slots[kind_a][slot_a],
            slots[kind_b][slot_b],
        )
        mid = f"{self._ids[code]}{seq}"
        address = self._address(prefix, parent_author) if prefix else ""
        rest = self._link_json[link]
        if parent != r.NO_PARENT:
            to = self._official if parent == r.OFFICIAL else f"{self._ids[parent_class]}{parent}"
            rest += f',"in_reply_to":"{to}"' if kind == r.REPLY else f',"repost_of":"{to}"'
        if rating:
            rest += f',"rating":{rating}'
        if views:
            rest += (
                f',"engagement":{{"likes":{likes},"reposts":{likes // 7},'
                f'"replies":{likes // 11},"views":{views}}}'
            )
        hour, second = divmod(t, _HOUR_S)
        # ASCII and Arabic parts apart: joining bytes is twice as fast as one wide string
        return b"".join(
            (
                f'{{"id":"{mid}","platform":"{r.PLATFORMS[platform]}",'
                f'"published_at":"{_hour(hour)}{_SECONDS[second]}","text":"'.encode(),
                f"{address}{self._openers[opener]}{said}{self._closers[closer]}"
                f"{self._emoji[emoji]}{self._tags[tag]}{self._link_text[link]}".encode(),
                _KINDS[lang][kind],
                self._people.json(author) if author >= 0 else self._account_json[-1 - author],
                f',"url":"https://{_HOSTS[platform]}/p/{mid}"{rest}{self._countries[country]}}}\n'.encode(),
            )
        )

    def _address(self, prefix: int, author: int) -> str:
        if prefix == r.PREFIX_BRAND:
            return self._at_brand
        own = author < 0
        handle = self._accounts[-1 - author].handle if own else self._people.handle(author)
        return f"RT @{handle}: " if prefix == r.PREFIX_REPOST else f"@{handle} "


_SECONDS = [f"{s // 60:02d}:{s % 60:02d}Z" for s in range(_HOUR_S)]
_KINDS = [
    [f'","lang":"{lang}","kind":"{kind}","author":'.encode() for kind in r.KINDS]
    for lang in r.LANGS
]
_HOSTS = [f"{platform.replace('_', '-')}.example" for platform in r.PLATFORMS]


@cache
def _hour(hour: int) -> str:
    return rfc3339(hour * _HOUR_S)[:14]
