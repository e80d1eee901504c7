"""The authors: a population with heavy-tailed followers and activity, shared by all brands."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from streams.simulate.data import load
from streams.simulate.lexicon import escape
from streams.simulate.rhythm import DAY_S
from streams.simulate.rows import LANGS, NEWS, PLATFORMS, IntArray
from streams.simulate.spec import generator, rfc3339

POPULATION = 60_000
_SHARES = {"x": 0.56, "instagram": 0.14, "facebook": 0.10, "reddit": 0.04, "app_store": 0.08,
           "google_play": 0.08}  # fmt: skip
_ARABIC = 0.62
_ACTIVITY = 2.2  # authors are drawn as size * u ** activity: a few post often
_SEPARATORS = ("", "_", "")
_REVIEWS = {PLATFORMS.index("app_store"), PLATFORMS.index("google_play")}


@dataclass(frozen=True, slots=True)
class Account:
    """An account that a scenario brings along."""

    platform: str
    id: str
    handle: str
    name: str
    followers: int
    created_s: int
    bio: str | None = None
    avatar_phash: str | None = None

    def json(self) -> bytes:
        """Return the account as the JSON of a mention's author."""
        bio = f',"bio":"{escape(self.bio)}"' if self.bio else ""
        avatar = f',"avatar_phash":"{self.avatar_phash}"' if self.avatar_phash else ""
        return (
            f'{{"id":"{self.id}","handle":"{escape(self.handle)}","name":"{escape(self.name)}",'
            f'"followers":{self.followers},"created_at":"{rfc3339(self.created_s)}",'
            f'"verified":false{bio}{avatar}}}'
        ).encode()

    def truth(self) -> dict[str, str]:
        """Return what the truth file says of the account."""
        return {"platform": self.platform, "id": self.id, "handle": self.handle, "name": self.name}


class Population:
    """Authors by platform and language, the same for every brand of a seed.

    Parameters
    ----------
    seed : int
    start_s : int
        Start of the stream; accounts are older.
    """

    def __init__(self, seed: int, start_s: int) -> None:
        rng = generator(seed, "population")
        self._first_id = (seed + 1) * 10**8
        self._lay_out()
        n = len(self._cells)
        tail = rng.random(n) < 0.03
        followers = rng.lognormal(5.2, 1.4, n) * np.where(tail, rng.pareto(1.1, n) * 30 + 1, 1.0)
        self._followers = np.minimum(followers, 5e6).astype(np.int64)
        age_days = np.where(
            rng.random(n) < 0.03, rng.uniform(1, 60, n), 60 + 5000 * rng.beta(1.2, 1.6, n)
        )
        self._created = (start_s - age_days * DAY_S).astype(np.int64)
        self._draws = rng.integers(0, 2**31, (n, 6))
        self._json: list[bytes | None] = [None] * n
        self._load_texts()

    def _load_texts(self) -> None:
        data = load("people")
        self._handles: list[str] = data["handles"]
        self._names = [[escape(name) for name in data["names"][code]] for code in LANGS]
        self._surnames = [
            ["" if not name else f" {escape(name)}" for name in data["surnames"][code]]
            for code in LANGS
        ]
        self._bios = [[f',"bio":"{escape(bio)}"' for bio in data["bios"][code]] for code in LANGS]
        self._outlets = [[escape(name) for name in data["outlets"][code]] for code in LANGS]

    def _lay_out(self) -> None:
        """Give every platform and language its range of authors."""
        self._first = np.zeros((len(PLATFORMS), len(LANGS)), np.int64)
        self._size = np.zeros_like(self._first)
        self._cells: list[tuple[int, int]] = []
        outlets = load("people")["outlets"]
        for platform, name in enumerate(PLATFORMS):
            for lang, share in enumerate((_ARABIC, 1 - _ARABIC)):
                of_people = int(POPULATION * _SHARES.get(name, 0.0) * share)
                size = len(outlets[LANGS[lang]]) if platform == NEWS else of_people
                self._first[platform, lang], self._size[platform, lang] = len(self._cells), size
                self._cells.extend([(platform, lang)] * size)

    def draw(self, rng: np.random.Generator, platform: Any, lang: Any, shift: int) -> IntArray:
        """Return an author for each mention; ``shift`` gives each brand its own regulars."""
        size = self._size[platform, lang]
        rank = (size * rng.random(len(size)) ** _ACTIVITY).astype(np.int64)
        return np.asarray(self._first[platform, lang] + (rank + shift) % size)

    def json(self, author: int) -> bytes:
        """Return the JSON of an author, made on first use."""
        made = self._json[author]
        if made is None:
            made = self._json[author] = self._make(author).encode()
        return made

    def handle(self, author: int) -> str:
        """Return an author's handle."""
        platform, lang = self._cells[author]
        if platform == NEWS:
            return f"outlet_{LANGS[lang]}_{author - self._first[platform, lang]}"
        a, b, c, *_ = self._draws[author].tolist()
        names = self._handles
        stem = f"{names[a % len(names)]}{_SEPARATORS[b % len(_SEPARATORS)]}"
        return f"{stem}{names[c % len(names)][:3]}{author % 10_000}"

    def _make(self, author: int) -> str:
        platform, lang = self._cells[author]
        draws = self._draws[author].tolist()
        names, surnames = self._names[lang], self._surnames[lang]
        name = names[draws[0] % len(names)] + surnames[draws[3] % len(surnames)]
        followers = int(self._followers[author])
        verified = followers > 20_000 and draws[1] % 3 > 0
        bio = ""
        if platform == NEWS:
            name = self._outlets[lang][author - int(self._first[platform, lang])]
            followers, verified = followers + 20_000, True
        elif draws[5] % 10 < 6:
            bio = self._bios[lang][draws[4] % len(self._bios[lang])]
        ident = f'{{"id":"{self._first_id + author * 1327}"'
        if platform in _REVIEWS:  # app stores show a name and nothing else
            return f'{ident},"name":"{name}"}}'
        created = int(self._created[author])
        return (
            f'{ident},"handle":"{self.handle(author)}","name":"{name}","followers":{followers},'
            f'"created_at":"{_day(created // DAY_S)}{_CLOCK[created % DAY_S // 60]}",'
            f'"verified":{"true" if verified else "false"}{bio}}}'
        )


_CLOCK = [f"{minute // 60:02d}:{minute % 60:02d}:00Z" for minute in range(24 * 60)]


@cache
def _day(day: int) -> str:
    return rfc3339(day * DAY_S)[:11]
