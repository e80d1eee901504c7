"""A whole Nadhir to look at: a short simulated stream through the real pipeline, and its server.

Five brands: one in an outage, one under a coordinated attack, one whose customers are phished, one
of which nothing comes any more, and one that is calm until `Site.crisis` feeds its own outage.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, chdir, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from alerts.api import ApiOptions
from alerts.console import create_app
from alerts.records import Alert
from alerts.service import Desk
from alerts.store.access import Role
from streams.config import Config, load
from streams.desk import RECEIVER, Taker, opened_desk
from streams.engine_view import WatchedStore
from streams.live import LiveEngine
from streams.pipeline import open_pipeline
from streams.simulate import SimulationSpec, ready_brands, simulate_many
from streams.sources import open_source
from streams.store import Store
from tests.alerts.serving import serving

START = datetime(2026, 3, 1, tzinfo=UTC)
CRISIS = START + timedelta(hours=33)  # 12:00 in Riyadh
SILENT_FROM = (CRISIS - timedelta(hours=3)).strftime("%Y-%m-%dT%H:%M:%SZ")
SEEN_UNTIL = CRISIS + timedelta(hours=2)  # what comes after is held back
LATER = SEEN_UNTIL + timedelta(minutes=20)  # when the calm brand's outage begins
CALM = "hudhud-basket"
SILENT = "bayt-zomorod"
RATE_PER_HOUR = 20.0
RATES = {SILENT: 60.0}  # a quiet brand is not missed
SCENARIOS = {
    "rimal-bank": "outage",
    "saqr-air": "coordinated_attack",
    "naseem-line": "phishing",
    CALM: "outage",
    SILENT: "calm",
}
PEOPLE: dict[str, Role] = {
    "amal": "responder", "omar": "responder", "sara": "viewer", "badr": "admin",
}  # fmt: skip
# what strangers send that is no mention
UNREADABLE = (
    b'{"id": 7, "platform": "x"}',
    b'<script>document.title="owned"</script><style>*{display:none}</style>',
    b'{"id":"9","platform":"x","published_at":"yesterday","text":"\xd9\x85\xd8\xaa\xd9\x89"}',
    b"\xff\xfe\x00\x1b[2J \xe2\x80\xae not text",
    b'{"id":"10","platform":"x","text":"' + b"w" * 1_100_000 + b'"}',
)


class Clock:
    """The clock of the stream, that goes on as the real one does."""

    def __init__(self, at: datetime) -> None:
        self._ahead_ms = round(at.timestamp() * 1000) - _now_ms()

    def __call__(self) -> int:
        return _now_ms() + self._ahead_ms

    def move_to(self, at: datetime) -> None:
        """Let it be later."""
        self._ahead_ms = max(self._ahead_ms, round(at.timestamp() * 1000) - _now_ms())


@dataclass
class Site:
    """What runs, and who may look at it.

    Attributes
    ----------
    url : str
    tokens : dict of str to str
        By name of the people in `PEOPLE`.
    """

    folder: Path
    config: Config
    desk: Desk
    clock: Clock
    url: str = ""
    tokens: dict[str, str] = field(default_factory=dict)
    _fed: bool = False

    def crisis(self) -> None:
        """Let the outage of the calm brand happen, through the whole pipeline; once."""
        if not self._fed:
            self._fed = True
            self.clock.move_to(LATER + timedelta(hours=2))
            self.feed("later.jsonl")

    def feed(self, name: str) -> None:
        """Run the engine over a file of mentions."""
        receivers = {RECEIVER: Taker(self.desk)}
        with closing(Store(self.config.paths.data / "nadhir.db")) as store:
            pipeline = open_pipeline(self.config, store, receivers=(RECEIVER,), clock=self.clock)
            # named as people name it: the page of what was rejected shows where it came from
            with chdir(self.folder), closing(open_source(name)) as source:
                LiveEngine(pipeline, [source], receivers, self.clock).run(until_done=True)

    def alert_of(self, brand: str) -> Alert:
        """What fusion said last of the newest alert of a brand."""
        from alerts.store.rows import Filter

        (newest, *_) = self.desk.alerts(Filter(brands=(brand,)), before=None, limit=1).alerts
        return self.desk.alert(newest.id).alert

    def open_again(self, brand: str, id_: str, **changes: object) -> str:
        """Take up a copy of a brand's alert under another id, as if it had just been found."""
        alert = self.alert_of(brand)
        fresh = {"state": "open", "resolved_at": None, "timeline": alert.timeline[:1]} | changes
        copy = msgspec.structs.replace(alert, id=id_, **fresh)
        self.desk.take(copy)
        return id_


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Make a site in an empty folder and serve it meanwhile."""
    config = _simulated(folder)
    clock = Clock(SEEN_UNTIL)
    with ExitStack() as stack:
        desk = stack.enter_context(opened_desk(config, clock))
        site = Site(folder, config, desk, clock)
        site.feed("seen.jsonl")
        for name, role in PEOPLE.items():
            site.tokens[name] = desk.tokens.create(name, role, by="test", now_ms=clock())
        store = stack.enter_context(closing(Store(config.paths.data / "nadhir.db")))
        view = WatchedStore(config, store)
        options = ApiOptions(rate_per_min=100_000)
        site.url = stack.enter_context(serving(create_app(desk, view, options)))
        yield site


def _simulated(folder: Path) -> Config:
    """Write both parts of the stream, and read the configuration of its brands."""
    shared = {"start": START, "days": 1.75}
    brands = {brand.id: brand for brand in ready_brands()}
    specs = [
        SimulationSpec(
            scenario, seed=3, brands=[brands[id_]],
            crisis_at=LATER if id_ == CALM else CRISIS, **shared,  # type: ignore[arg-type]
        )
        for id_, scenario in SCENARIOS.items()
    ]  # fmt: skip
    stream = simulate_many(specs)
    until = SEEN_UNTIL.strftime("%Y-%m-%dT%H:%M:%SZ")
    end = (LATER + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with (folder / "seen.jsonl").open("wb") as seen, (folder / "later.jsonl").open("wb") as later:
        for line in stream.lines():
            at = json.loads(line)["published_at"]
            silent = at >= SILENT_FROM and line.startswith(f'{{"id":"{SILENT}'.encode())
            if at < end and not silent:
                (seen if at < until else later).write(line)
        for line in UNREADABLE:
            seen.write(line + b"\n")
    path = folder / "nadhir.yaml"
    held = stream.config()
    for brand in held["brands"]:
        if brand["id"] == SILENT:
            brand["sensitivity"] = "sensitive"
    settings = held | {"paths": {"data": str(folder / "data")}}
    path.write_text(json.dumps(settings, ensure_ascii=False), encoding="utf-8")
    (folder / "data").mkdir()
    return load(path, {})


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
