"""Personal data in the files of the embedded engine, looked for byte by byte."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from alerts.privacy import Author
from alerts.retention import Retention
from models.impersonation.sighted import Sighted
from models.narratives.advocates import Account
from models.narratives.supporters import Stored
from models.records import Evidence, Rejection
from streams.cli import main
from streams.config import Config, load
from streams.desk import opened_desk
from streams.erasure import Erased, erase_author, prune
from streams.erasure_state import erase_state, known_to_state
from streams.intake_store import IntakeLog
from streams.live import Journal
from streams.pipeline import open_pipeline
from streams.sources import Batch
from streams.store import Store, StoreError, locked
from tests.running import crisis, mention, write_config

DAY = 86_400_000


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days and a crisis in a store, its alert in the journal and waiting to be told."""
    tmp_path = tmp_path_factory.mktemp("kept")
    journal = {"name": "file", "type": "journal", "path": "alerts.jsonl"}
    config = load(write_config(tmp_path, receivers=[journal]), {})
    with closing(Store(config.paths.data / "nadhir.db")) as store:
        pipeline = open_pipeline(config, store, receivers=("file",))
        lines = list(crisis())
        # cut amid the crisis: its posts are still held
        at = next(i for i, line in enumerate(lines) if b"2026-03-02T12" in line)
        pipeline.feed("test", Batch(lines[: at + 400], 1, str(at + 400)))
        pipeline.commit()
        case = store.cases()[0]
        with store.step():
            store.post(("file",), case.alert)
    Journal(tmp_path / "alerts.jsonl").deliver(case.alert)
    return tmp_path


@pytest.fixture
def kept(filled: Path, tmp_path: Path) -> Config:
    """The configuration of a copy of these files."""
    copy = shutil.copytree(filled, tmp_path / "copy")
    return load(copy / "nadhir.yaml", {})


def shown(config: Config) -> Evidence:
    with closing(Store(config.paths.data / "nadhir.db")) as store:
        alert = store.cases()[0].alert
    return next(
        e for e in alert.evidence if e.author_id and e.handle and not e.text.startswith("RT")
    )


def held(config: Config) -> bytes:
    """Every byte of every file there is."""
    folder = config.paths.data.parent
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != "nadhir.yaml"]
    return b"".join(p.read_bytes() for p in files)


def who(evidence: Evidence) -> Author:
    assert evidence.author_id is not None
    return Author(platform=evidence.platform, id=evidence.author_id)


def test_no_byte_of_an_author_is_left_in_any_file(kept: Config) -> None:
    theirs = shown(kept)
    line = mention("w1", "I wrote this just now", author={"id": theirs.author_id, "handle": "new"})
    bad = b'{"id":"w2","platform":"x","author":{"id":"' + str(theirs.author_id).encode() + b'"}'
    other = mention("w3", "somebody else", author={"id": "other"})
    line = line.replace(b'"x"', f'"{theirs.platform}"'.encode(), 1)
    with closing(IntakeLog(kept.paths.data / "intake.db")) as intake:
        intake.submit([line, bad, other]).result()
    refused = Rejection(reason="time", detail="when?", source="s", position="1", raw=line)
    kind = Rejection(reason="json", detail="?", source="s", position="2", raw=b'{"author":"other"')
    with closing(Store(kept.paths.data / "nadhir.db")) as store, store.step():
        store.reject([refused, kind])
    traces = [
        f'"{theirs.author_id}"'.encode(),
        str(theirs.handle).encode(),
        b"I wrote this just now",
        theirs.id.encode(),
    ]
    before = held(kept)
    assert all(trace in before for trace in traces)
    erased = erase_author(kept, who(theirs), "2026-03-03T00:00:00Z")
    assert min(erased.alerts, erased.signals, erased.state, erased.journal, erased.outbox) >= 1
    assert (erased.waiting, erased.rejected) == (2, 1)
    after = held(kept)
    assert [trace for trace in traces if trace in after] == []
    assert b"somebody else" in after
    log = (kept.paths.data / "erasures.jsonl").read_text("utf-8").splitlines()
    assert json.loads(log[0])["alerts"] == erased.alerts
    assert erase_author(kept, who(theirs), "2026-03-04T00:00:00Z") == Erased()


def test_the_engine_goes_on_from_what_is_left_and_counts_the_same(kept: Config) -> None:
    theirs = shown(kept)
    with closing(Store(kept.paths.data / "nadhir.db")) as store:
        before = store.cases()[0].alert
    erase_author(kept, who(theirs), "2026-03-03T00:00:00Z")
    with closing(Store(kept.paths.data / "nadhir.db")) as store:
        pipeline = open_pipeline(kept, store)
        position = int(store.position("test") or 0)
        rest = list(crisis())[position : position + 300]
        pipeline.feed("test", Batch(rest, position + 1, str(position + 300)))
        pipeline.commit()
        after = store.cases()[0].alert
    assert after.id == before.id
    assert after.opened_at == before.opened_at
    assert after.total >= before.total


def test_while_nadhir_runs_nothing_is_touched(kept: Config) -> None:
    before = held(kept)
    with (
        locked(kept.paths.data / "nadhir.db"),
        pytest.raises(StoreError, match="in use by another nadhir"),
    ):
        erase_author(kept, who(shown(kept)), "2026-03-03T00:00:00Z")
    assert held(kept) == before


def test_what_is_old_loses_its_evidence_and_then_goes(kept: Config) -> None:
    with closing(Store(kept.paths.data / "nadhir.db")) as store:
        case = store.cases()[0]
        resolved = msgspec.structs.replace(case.alert, state="resolved")
        newer = msgspec.structs.replace(case.alert, id="a-newer", state="open")
        with store.step():
            store.put_cases([msgspec.structs.replace(case, alert=a) for a in (resolved, newer)])
    plan = Retention(evidence_days=10, alert_days=20)
    last = case.alert.last_signal_ms
    assert set(prune(kept, plan, last + 5 * DAY).values()) == {0}
    assert prune(kept, plan, last + 15 * DAY)["evidence"] > 0
    with closing(Store(kept.paths.data / "nadhir.db")) as store:
        old, new = (c.alert for c in store.cases())
    assert old.evidence == ()
    assert old.observed == case.alert.observed
    assert new.evidence == case.alert.evidence  # it is open
    gone = prune(kept, plan, last + 25 * DAY)
    assert gone["alerts"] == 1
    assert min(gone["signals"], gone["decisions"]) >= 1
    with closing(Store(kept.paths.data / "nadhir.db")) as store:
        assert [c.alert.id for c in store.cases()] == ["a-newer"]
        assert list(store.signals()) == []


def test_the_commands(kept: Config) -> None:
    theirs = shown(kept)
    config = ["--config", str(kept.paths.data.parent / "nadhir.yaml")]
    exported = CliRunner().invoke(main, ["export", *config])
    assert exported.exit_code == 0
    assert str(theirs.handle) not in exported.stdout
    assert json.loads(exported.stdout)["evidence"][0]["author_id"].startswith("p-")
    whose = ["--platform", theirs.platform, "--author", str(theirs.author_id)]
    erased = CliRunner().invoke(main, ["erase", *whose, *config])
    assert erased.exit_code == 0
    assert "alerts\t1" in erased.stdout
    again = CliRunner().invoke(main, ["erase", *whose, *config])
    assert "Nothing of this author is kept here." in again.stderr
    pruned = CliRunner().invoke(main, ["prune", *config])
    assert pruned.exit_code == 0
    short = kept.paths.data.parent / "key"
    short.write_bytes(b"short")
    refused = CliRunner().invoke(main, ["export", "--key-file", str(short), *config])
    assert refused.exit_code == 2


def test_the_response_database_is_reached_too(kept: Config) -> None:
    theirs = shown(kept)
    with closing(Store(kept.paths.data / "nadhir.db")) as store:
        alert = store.cases()[0].alert
    with opened_desk(kept, lambda: 0) as desk:
        desk.take(alert)
    place = kept.paths.data / "response.db"
    traces = [str(theirs.handle).encode(), theirs.id.encode()]
    assert all(trace in b"".join(response_files(place)) for trace in traces)
    config = ["--config", str(kept.paths.data.parent / "nadhir.yaml")]
    whose = ["--platform", theirs.platform, "--author", str(theirs.author_id)]
    erased = CliRunner().invoke(main, ["erase", *whose, *config])
    assert erased.exit_code == 0, erased.output
    (count,) = (line for line in erased.stdout.splitlines() if line.startswith("response"))
    assert int(count.split("\t")[1]) >= 1
    assert [t for t in traces if any(t in file for file in response_files(place))] == []
    assert [trace for trace in traces if trace in held(kept)] == []


def response_files(place: Path) -> list[bytes]:
    return [path.read_bytes() for path in place.parent.glob("response.db*")]


def seen(kind: str, who: str, platform: str, *posts: Evidence) -> Sighted:
    return Sighted(
        id=f"i-{who}", kind=kind, who=who, first_ms=1, last_ms=9, sightings=len(posts),  # type: ignore[arg-type]
        account="4711", platform=platform, handle="acme_heip", handles=["acme_heip", "old_name"],
        name="Acme Heip", biography="we refund", posts=list(posts),
        urls=["https://acme-pay.example/u/old_name", "https://acme-pay.example"],
    )  # fmt: skip


def supporter(id_: str, handle: str) -> Account:
    return Account(shown=id_, platform="x", handle=handle, followers=1, first_ms=1, last_ms=2)


def test_an_impostor_and_an_advocate_are_forgotten_by_the_detectors() -> None:
    post = Evidence(id="m1", platform="x", published_ms=1, text="refund here", lang="en",
                    label="neutral", negative=0.1, reach=5, author_id="4711", handle="acme_heip",
                    name="Acme Heip")  # fmt: skip
    pieces: dict[str, object] = {
        "impostors/acme/i-1/0": seen("account", "x/4711", "x", post),
        "impostors/acme/i-2/0": msgspec.structs.replace(
            seen("account", "reddit/4711", "reddit"), urls=[]
        ),
        "impostors/acme/i-3/0": seen("domain", "acme-pay.example", "x", post),
        "impostors/acme/about": [[], 0, 0, 0, 0],
        "supporters/acme": Stored(
            {7: supporter("4711", "acme_heip"), 8: supporter("12", "badr")}, b"4711"
        ),
    }
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE state (key TEXT PRIMARY KEY, value BLOB)")
        rows = [(key, msgspec.msgpack.encode(held)) for key, held in pieces.items()]
        db.executemany("INSERT INTO state VALUES (?, ?)", rows)
        author = known_to_state(db, Author(platform="x", id="4711"))
        assert author.handles == {"acme_heip", "old_name"}
        assert author.posts == {"m1"}
        assert erase_state(db, author) == 3
        left = dict(db.execute("SELECT key, value FROM state"))
        assert erase_state(db, author) == 0
    assert left.keys() == pieces.keys() - {"impostors/acme/i-1/0"}
    domain = msgspec.msgpack.decode(left["impostors/acme/i-3/0"], type=Sighted)
    assert domain.urls == ["https://acme-pay.example"]
    assert (domain.sightings, domain.posts[0].author_id, domain.posts[0].text) == (1, None, "")
    assert b"refund here" not in left["impostors/acme/i-3/0"]
    others = Stored.read(left["supporters/acme"])
    assert list(others.accounts) == [8]
    assert others.seen == b"4711"
    for key in ("impostors/acme/i-2/0", "impostors/acme/about"):
        assert left[key] == msgspec.msgpack.encode(pieces[key])
