"""Small casts with a script: a coordinated group, impostors, phishers, a quiet brand's threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from streams.simulate import rows as r
from streams.simulate.people import Account
from streams.simulate.rhythm import DAY_S, HOUR_S
from streams.simulate.rows import IntArray, Rows
from streams.simulate.spec import SimBrand, SimulationSpec
from streams.simulate.voice import NEWS_LINK, Voice

_COORDINATED_NAMES = (
    "Sami",
    "Rana",
    "Adel",
    "Huda",
    "Ziad",
    "Mays",
    "حر",
    "صوت الحق",
    "مواطن",
    "ضمير",
)
_HASHTAGS = ("#مقاطعة_{ar}", "#فضيحة_{ar}", "#Boycott{en}", "#Expose{en}")


_OWN_LINK = NEWS_LINK + 1  # the first link after the common ones


@dataclass(slots=True)
class Campaign:
    """Accounts, links, hashtags and mentions that a scenario brings along.

    ``rows`` are ready beforehand; with ``answered`` above 0 the accounts instead answer that share
    of the complaints published between ``start_s`` and ``end_s``.
    """

    kind: str | None = None
    accounts: list[Account] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    rows: Rows = field(default_factory=r.empty)
    start_s: int | None = None
    end_s: int = 0
    answered: float = 0.0
    delay_s: tuple[float, float] = (0.0, 0.0)

    def tell(self, truth: dict[str, Any]) -> None:
        """Write the cast into the truth."""
        accounts = [account.truth() for account in self.accounts]
        if self.kind == "coordinated":
            truth["coordinated"] = {
                "accounts": accounts,
                "hashtag": self.tags[0],
                "link": self.links[0],
            }
        elif self.kind == "impersonator":
            truth["impostors"] = accounts
        elif self.kind == "phishing":
            truth["phishing"] = {"accounts": accounts, "links": self.links}

    def answers(self, rng: np.random.Generator, rows: Rows, voice: Voice) -> Rows:
        """Return the impostors' replies to the complaints among ``rows``."""
        if not self.answered or self.start_s is None:
            return r.empty()
        seen = (rows["label"] == 0) & (rows["sentiment"] == 0) & (rows["platform"] == r.X)
        seen &= (rows["kind"] != r.REPOST) & (rows["t"] >= self.start_s) & (rows["t"] < self.end_s)
        victims = rows[seen & (rng.random(len(rows)) < self.answered)]
        made = _spoken(rng, voice, victims["t"], "impostor", "impersonator")
        made["t"] = made["arrive"] = victims["t"] + rng.uniform(*self.delay_s, len(victims)).astype(
            np.int64
        )
        made["author"] = -1 - rng.integers(0, len(self.accounts), len(victims))
        made["kind"] = r.REPLY
        made["prefix"] = r.PREFIX_PARENT
        made["link"] = 0
        r.point_to(made, victims)
        return made


def _between(rng: np.random.Generator, bounds: list[int]) -> int:
    low, high = bounds
    return int(rng.integers(low, high, endpoint=True))


def _spoken(
    rng: np.random.Generator, voice: Voice, times_s: IntArray, topic: str, label: str
) -> Rows:
    """Return undecorated posts on x by accounts to be named."""
    mood = r.SENTIMENTS.index("negative" if topic == "attack" else "neutral")
    rows = voice.compose(
        rng, times_s, np.full(len(times_s), mood), topic=topic, label=label, social=True
    )
    rows["platform"] = r.X
    rows["register"] = 0
    rows["kind"] = r.POST
    rows["parent"] = r.NO_PARENT
    for column in ("prefix", "opener", "closer", "emoji", "tag", "rating"):
        rows[column] = 0
    return rows


def attack(
    given: dict[str, Any], spec: SimulationSpec, at_s: int, voice: Voice, rng: np.random.Generator
) -> Campaign:
    """Plan bursts of near-duplicates by a group of young accounts."""
    size = max(3, round(_between(rng, given["accounts"]) * spec.intensity))
    born = spec.start_s - rng.uniform(*given["age_days"]) * DAY_S
    accounts = [_sock_puppet(rng, voice.brand, i, born) for i in range(size)]
    names = {
        "ar": voice.brand.name_ar.replace(" ", "_"),
        "en": voice.brand.name_en.replace(" ", ""),
    }
    tag = _HASHTAGS[int(rng.integers(0, len(_HASHTAGS)))].format(**names)
    bursts, start = [], float(at_s)
    for _ in range(_between(rng, given["bursts"])):
        bursts.append(_burst(given, size, start, voice, rng))
        start += 60 * rng.uniform(*given["gap_minutes"])
    rows = r.join(bursts)
    rows = rows[rows["t"] < spec.end_s]
    return Campaign(
        kind="coordinated",
        accounts=accounts,
        links=[f"https://truth-files.example/{voice.brand.id}"],
        tags=[tag],
        rows=rows,
        start_s=int(rows["t"].min()),
        end_s=int(rows["t"].max()),
    )


def _burst(
    given: dict[str, Any], size: int, start_s: float, voice: Voice, rng: np.random.Generator
) -> Rows:
    """One text with small edits, by most of the group, within minutes."""
    active = np.flatnonzero(rng.random(size) < rng.uniform(*given["participation"]))
    if not len(active):
        active = np.arange(1)
    length = 60 * rng.uniform(*given["burst_minutes"])
    offsets = np.sort(rng.random(len(active)) * length).astype(np.int64)
    offsets[0] = 0
    rows = _spoken(rng, voice, int(start_s) + offsets, "attack", "coordinated")
    lang = 0 if rng.random() < 0.7 else 1
    style = np.asarray(r.ATTACK_STYLES)[rng.integers(0, len(r.ATTACK_STYLES), len(rows))]
    rows["lang"] = lang
    rows["template"] = voice.template("attack", lang, 0, style, int(rng.integers(0, 1000)))
    rows["name"] = int(rng.integers(0, 64))
    loud = rng.random(len(rows)) < 0.3
    rows["emoji"] = np.where(loud, rng.integers(1, 5, len(rows)), 0)
    rows["tag"] = voice.tags()
    rows["link"] = _OWN_LINK
    rows["author"] = -1 - rng.permutation(active)
    return rows


def _sock_puppet(rng: np.random.Generator, brand: SimBrand, i: int, born_s: float) -> Account:
    stem = ("user", "free", "truth", "voice", "real")[int(rng.integers(0, 5))]
    name = _COORDINATED_NAMES[int(rng.integers(0, len(_COORDINATED_NAMES)))]
    number = int(rng.integers(10_000_000, 99_999_999))
    return Account(
        platform="x",
        id=f"{brand.id}-k{i}",
        handle=f"{stem}{number}",
        name=name,
        followers=int(rng.integers(0, 40)),
        created_s=int(born_s + rng.uniform(0, 2 * DAY_S)),
    )


def impostors(
    given: dict[str, Any], spec: SimulationSpec, at_s: int, voice: Voice, rng: np.random.Generator
) -> Campaign:
    """Plan fake support accounts that answer complaints."""
    brand = voice.brand
    size = max(1, round(_between(rng, given["accounts"]) * spec.intensity))
    forms = (
        (f"{brand.handles[0]}_support", f"{brand.name_en} Support"),
        (f"{brand.handles[0]}_help1", f"خدمة عملاء {brand.name_ar}"),
        (f"{brand.handles[0].replace('l', '1')}s", f"{brand.name_en} ✔"),
        (f"care_{brand.handles[0]}", f"{brand.name_ar} | الدعم الفني"),
        (f"{brand.handles[0]}0fficial", brand.name_ar),
    )
    order = rng.permutation(len(forms)).tolist()
    accounts = []
    for i in range(size):
        handle, name = forms[order[i % len(forms)]]
        accounts.append(
            Account(
                platform="x",
                id=f"{brand.id}-i{i}",
                handle=handle if i < len(forms) else f"{handle}{i}",
                name=name,
                followers=int(rng.integers(0, 120)),
                created_s=int(at_s - rng.uniform(*given["age_days"]) * DAY_S),
                bio=f"الحساب الرسمي لخدمة عملاء {brand.name_ar} | {brand.name_en} customer care",
                avatar_phash="c3a5f08e1d2b4976",
            )
        )
    low, high = given["delay_minutes"]
    return Campaign(
        kind="impersonator",
        accounts=accounts,
        start_s=at_s,
        end_s=int(min(spec.end_s - 1, at_s + HOUR_S * rng.uniform(*given["hours"]))),
        answered=min(1.0, given["answered"] * spec.intensity),
        delay_s=(60.0 * low, 60.0 * high),
    )


def phishing(
    given: dict[str, Any], spec: SimulationSpec, at_s: int, voice: Voice, rng: np.random.Generator
) -> Campaign:
    """Plan posts with look-alike links by throwaway accounts."""
    brand = voice.brand
    hosts = lookalikes(brand.domain)
    chosen = rng.permutation(len(hosts))[: _between(rng, given["domains"])]
    paths = ("login", "verify", "refund", "gift")
    links = [f"https://{hosts[h]}/{paths[h % len(paths)]}" for h in chosen.tolist()]
    size = _between(rng, given["accounts"])
    accounts = [
        Account(
            platform="x",
            id=f"{brand.id}-p{i}",
            handle=f"offers_{int(rng.integers(100_000, 999_999))}",
            name=("عروض", "Rewards", "تنبيهات", "Alerts")[i % 4],
            followers=int(rng.integers(0, 60)),
            created_s=int(at_s - rng.uniform(*given["age_days"]) * DAY_S),
        )
        for i in range(size)
    ]
    hours = rng.uniform(*given["hours"])
    count = max(2, rng.poisson(hours * rng.uniform(*given["per_hour"]) * spec.intensity))
    last = min(spec.end_s - 1, at_s + int(hours * HOUR_S))
    times = at_s + np.sort((rng.random(count) * (last - at_s + 1)).astype(np.int64))
    times[0] = at_s
    rows = _spoken(rng, voice, times, "phishing", "phishing")
    rows["author"] = -1 - rng.integers(0, size, count)
    rows["link"] = _OWN_LINK + rng.integers(0, len(links), count)
    rows["lang"] = rng.random(count) >= 0.6
    rows["template"] = voice.template("phishing", rows["lang"], 1, 0, rng.integers(0, 1000, count))
    return Campaign(
        kind="phishing",
        accounts=accounts,
        links=links,
        rows=rows,
        start_s=at_s,
        end_s=int(times[-1]),
    )


def lookalikes(domain: str) -> list[str]:
    """Return hosts that pass for a domain at a glance, none of them registered.

    Examples
    --------
    >>> lookalikes("rimalbank.example")[0]
    'rimalbank-verify.example'
    """
    name, _, rest = domain.partition(".")
    swapped = name[:-3] + name[-2] + name[-3] + name[-1]
    return [
        f"{name}-verify.{rest}",
        f"secure-{name}.{rest}",
        f"{name}.{rest}.account-check.test",
        f"{name.replace('l', '1', 1).replace('o', '0', 1)}s.{rest}",
        f"{swapped}.{rest}",
        f"{name}{name[-1]}.{rest}",
        f"{name}-login.test",
    ]


def threads(
    given: dict[str, Any], spec: SimulationSpec, at_s: int, voice: Voice, rng: np.random.Generator
) -> Campaign:
    """Plan the odd conversation about a quiet brand: a few people answer one post."""
    del at_s
    days = (spec.end_s - spec.start_s) / DAY_S
    made = []
    for _ in range(rng.poisson(days / given["every_days"] * spec.intensity)):
        size = _between(rng, given["mentions"])
        length = 60 * rng.uniform(*given["minutes"])
        times = int(rng.uniform(spec.start_s, spec.end_s)) + np.sort(rng.random(size) * length)
        moods = rng.integers(0, len(r.SENTIMENTS), size)
        rows = voice.compose(rng, times.astype(np.int64), moods, social=True)
        rows["platform"] = r.X
        rows["kind"] = np.where(np.arange(size) > 0, r.REPLY, r.POST)
        rows["prefix"] = np.where(np.arange(size) > 0, r.PREFIX_PARENT, r.PREFIX_NONE)
        rows["rating"] = 0
        r.point_to(rows, rows[:1].repeat(size))
        rows["parent"][0] = r.NO_PARENT
        made.append(rows)
    rows = r.join(made)
    return Campaign(kind=None, rows=rows[rows["t"] < spec.end_s])
