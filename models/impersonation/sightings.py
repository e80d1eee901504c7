"""The impostors of each brand: who was seen, how often, and who is to be told of.

Bounded whatever is sent: the most of a brand are cut to `MOST` when twice as many were seen, those
told of and most alike staying; what was cut is counted.  Only so many are told of in an hour, and
at a time, so that a flood of look-alikes is some alerts that say how many more there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from models.coordination.traces import hash64
from models.impersonation.findings import Suspect, score_of
from models.impersonation.sighted import WATCHED, Judged, Profile, Sighted, distinct
from models.records import IMPOSTOR_LINES, Brand, Evidence, Impostor, Phase

MOST = 64  # impostors kept of a brand
FIRED_AN_HOUR, WEAK_AN_HOUR = 10, 5
KEPT_MS = 7 * 24 * 3_600_000
_HOUR_MS = 3_600_000
_MOST_PROFILES = 4
_LIKELY = 0.1  # of a score without comparison, below which nothing is kept


class Told(NamedTuple):
    """An impostor to be told of."""

    brand: int
    phase: Phase
    at_ms: int
    impostor: Impostor
    posts: tuple[Evidence, ...]


class _Brand(msgspec.Struct, array_like=True):
    """What is known of a brand besides its impostors."""

    profiles: list[Profile] = []
    hour: int = 0
    fired: int = 0  # told of in that hour for the first time
    weak: int = 0
    cut: int = 0  # impostors of which nothing is kept any more


class SightingStore:
    """Impostors of all brands.

    Parameters
    ----------
    brands : sequence of Brand
        Their sensitivity decides who is told of.
    """

    def __init__(self, brands: Sequence[Brand]) -> None:
        self._ids = [brand.id for brand in brands]
        self._lines = [IMPOSTOR_LINES[brand.sensitivity] for brand in brands]
        self._held: list[dict[str, Sighted]] = [{} for _ in brands]
        self._about = [_Brand() for _ in brands]
        self._waiting: dict[int, set[str]] = {}  # to be looked at at the next tick
        self._unsaved: dict[tuple[int, str], None] = {}
        self._unsaved_about: set[int] = set()
        self._stored: set[tuple[int, str]] = set()
        self._drops: list[str] = []

    def __len__(self) -> int:
        """Impostors that are kept."""
        return sum(map(len, self._held))

    @property
    def waits(self) -> bool:
        """Whether somebody may have to be told of at the next tick."""
        return bool(self._waiting)

    @property
    def cut(self) -> int:
        """Impostors of which nothing is kept, since there were too many."""
        return sum(about.cut for about in self._about)

    def learn(self, brand: int, suspect: Suspect, at_ms: int) -> None:
        """Keep the profile of an official account: avatars and biographies are compared with it."""
        about = self._about[brand]
        new = Profile(suspect.who, at_ms, suspect.biography, suspect.avatar)
        known = {profile.who: profile for profile in about.profiles}
        old = known.get(new.who)
        if old is not None and (old.seen_ms > at_ms or _shows(old) == _shows(new)):
            return
        known[new.who] = new
        latest = sorted(known.values(), key=lambda p: (-p.seen_ms, p.who))
        about.profiles = latest[:_MOST_PROFILES]
        self._unsaved_about.add(brand)
        self._waiting.setdefault(brand, set()).update(self._held[brand])

    def add(
        self,
        brand: int,
        suspect: Suspect,
        post: Evidence,
        *,
        poster: int,
        created_ms: int | None = None,
        angry: bool = False,
    ) -> None:
        """Take a sighting in.

        Parameters
        ----------
        brand : int
        suspect : Suspect
        post : Evidence
            The mention in which it was seen.
        poster : int
            Hash of who posted it.
        created_ms : int, optional
            When the account was made.
        angry : bool
            It answers somebody who had complained of the brand.
        """
        held = self._held[brand]
        id_ = f"i-{hash64(f'{self._ids[brand]}|{suspect.kind}|{suspect.who}'):016x}"
        known = held.get(id_)
        if known is None:
            if score_of(suspect.points) < _LIKELY or suspect.kind == "official":
                return
            at_ms = post.published_ms
            known = held[id_] = Sighted(id_, suspect.kind, suspect.who, at_ms, at_ms)
        known.add(suspect, post, poster, created_ms, angry)
        self._unsaved[brand, id_] = None
        self._waiting.setdefault(brand, set()).add(id_)
        if len(held) > 2 * MOST:
            self._cut(brand)

    def _cut(self, brand: int) -> None:
        held = self._held[brand]
        for known in sorted(held.values(), key=lambda s: s.rank)[: len(held) - MOST]:
            self._forget(brand, known.id)
            self._about[brand].cut += 1
        self._unsaved_about.add(brand)

    def _forget(self, brand: int, id_: str) -> None:
        del self._held[brand][id_]
        self._unsaved.pop((brand, id_), None)
        self._waiting.get(brand, set()).discard(id_)
        if (brand, id_) in self._stored:
            self._stored.discard((brand, id_))
            self._drops.append(f"{self._ids[brand]}/{id_}/")

    def thin(self, now_ms: int) -> None:
        """Forget whom nobody has seen for a week."""
        for brand, held in enumerate(self._held):
            for id_ in [i for i, known in held.items() if known.last_ms < now_ms - KEPT_MS]:
                self._forget(brand, id_)

    # telling --------------------------------------------------------------------------------

    def tell(self, now_ms: int) -> list[Told]:
        """Who is to be told of now; called at every tick of event time."""
        told: list[Told] = []
        for brand in sorted(self._waiting):
            told += self._tell_brand(brand, now_ms)
            if not self._waiting[brand]:
                del self._waiting[brand]
        return told

    def _tell_brand(self, brand: int, now_ms: int) -> Iterator[Told]:
        about, held, waiting = self._about[brand], self._held[brand], self._waiting[brand]
        if about.hour != now_ms // _HOUR_MS:
            about.hour, about.fired, about.weak = now_ms // _HOUR_MS, 0, 0
        looked = [(held[id_], held[id_].judge(about.profiles)) for id_ in waiting]
        for known, judged in sorted(looked, key=lambda each: (-each[1].score, each[0].id)):
            phase = self._phase(brand, known, judged, now_ms)
            if phase is not None:
                known.note_told(judged, now_ms)
                self._unsaved[brand, known.id] = None
                self._unsaved_about.add(brand)
                shown = self._impostor(brand, known, judged, now_ms)
                yield Told(brand, phase, now_ms, shown, tuple(known.posts))
            if self._is_done(brand, known, judged):
                waiting.discard(known.id)

    def _phase(self, brand: int, known: Sighted, judged: Judged, now_ms: int) -> Phase | None:
        about = self._about[brand]
        if judged.score >= self._lines[brand]:
            if known.fired:
                return "update" if known.is_due(judged, now_ms) else None
            others = sum(each.fired for each in self._held[brand].values())
            if about.fired < FIRED_AN_HOUR and others < MOST:
                about.fired += 1
                known.fired = True
                return "fired"
        elif judged.score >= WATCHED and not known.weak and about.weak < WEAK_AN_HOUR:
            about.weak += 1
            known.weak = True
            return "weak"
        return None

    def _is_done(self, brand: int, known: Sighted, judged: Judged) -> bool:
        """Whether there is nothing to look at before the next sighting."""
        if judged.score >= self._lines[brand]:
            return known.fired and known.sightings == known.told_sightings
        return known.weak or judged.score < WATCHED

    def _impostor(self, brand: int, known: Sighted, judged: Judged, now_ms: int) -> Impostor:
        last_hour, last_day = known.lately(now_ms)
        held = self._held[brand].values()
        untold = sum(not each.fired and each.points > 1.0 for each in held)
        is_account = known.kind == "account"
        return Impostor(
            id=known.id,
            kind=known.kind,
            platform=known.platform if is_account else None,
            account=known.account,
            handle=known.handle,
            name=known.name,
            domain=None if is_account else known.who,
            urls=tuple(known.urls),
            score=judged.score,
            likeness=judged.likeness,
            intent=judged.intent,
            reasons=judged.reasons,
            intents=judged.intents,
            first_ms=known.first_ms,
            last_ms=known.last_ms,
            sightings=known.sightings,
            last_hour=last_hour,
            last_day=last_day,
            accounts=distinct(known.posters),
            victims=distinct(known.victims),
            complained=distinct(known.complainers),
            reach=known.reach,
            followers=known.followers,
            created_ms=known.created_ms,
            earlier_handles=tuple(h for h in known.handles if h != known.handle),
            unlisted=self._about[brand].cut + untold,
        )

    # state ----------------------------------------------------------------------------------

    def changes(self) -> list[tuple[str, bytes | None]]:
        """Pieces to store since the last call, and prefixes to drop (``None``)."""
        pieces: list[tuple[str, bytes | None]] = [(name, None) for name in self._drops]
        for brand, id_ in self._unsaved:
            blob = msgspec.msgpack.encode(self._held[brand][id_])
            pieces.append((f"{self._ids[brand]}/{id_}/0", blob))
        for brand in sorted(self._unsaved_about):
            blob = msgspec.msgpack.encode(self._about[brand])
            pieces.append((f"{self._ids[brand]}/about", blob))
        self._stored.update(self._unsaved)
        self._drops.clear()
        self._unsaved.clear()
        self._unsaved_about.clear()
        return pieces

    def restore(self, pieces: dict[str, bytes]) -> None:
        """Take up stored pieces; those of brands that are not watched any more are passed over."""
        index = {brand: i for i, brand in enumerate(self._ids)}
        for name in sorted(pieces):
            brand_id, _, rest = name.partition("/")
            brand = index.get(brand_id)
            if brand is None:
                continue
            if rest == "about":
                self._about[brand] = msgspec.msgpack.decode(pieces[name], type=_Brand)
            else:
                known = msgspec.msgpack.decode(pieces[name], type=Sighted)
                self._held[brand][known.id] = known
                self._stored.add((brand, known.id))
                self._waiting.setdefault(brand, set()).add(known.id)


def _shows(profile: Profile) -> tuple[str | None, str | None]:
    return profile.biography, profile.avatar
