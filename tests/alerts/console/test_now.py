"""What happens now: how brands stand, what is open, and that it comes without reload."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import msgspec
import pytest

from alerts.console.pages.now import stand_of
from alerts.store.database import Database
from tests.alerts.calling import Engine
from tests.alerts.console.visiting import HERE, Browser, Site, text_of
from tests.alerts.responding import copies, first
from tests.alerts.serving import serving


def test_brands_and_open_alerts(site: Site, amal: Browser) -> None:
    page = amal.get("/")
    said = text_of(page)
    assert "Saqr Air Blind" in said
    assert "Rimal Bank Watch" in said
    assert first().title.en in said
    assert f'href="/alerts/{first().id}"' in page.text
    # of the sparkline, in words
    assert (
        "Last 24 hours: 1,295 mentions, 13% of them negative; 214 in the last half hour"
        in page.text
    )
    critical = msgspec.structs.replace(first(), id="a-critical", severity="critical")
    site.desk.take(critical)
    said = text_of(amal.get("/"))
    assert "Rimal Bank Crisis" in said
    assert said.index("Rimal Bank Crisis") < said.index("Saqr Air Blind")
    amal.send("/alerts/a-critical/resolve", version="1")
    assert "Rimal Bank Watch" in text_of(amal.get("/"))


def test_what_a_process_without_an_engine_does_not_know_is_said(
    site: Site, amal: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "blind", lambda self: None)
    monkeypatch.setattr(Engine, "talk", lambda self: None)
    said = text_of(amal.get("/"))
    assert "Whether mentions arrive is not known in this process" in said
    assert "How much is said is not known here" in said


def test_a_crisis_outweighs_blindness_and_blindness_a_warning() -> None:
    assert stand_of({"critical": 1, "watch": 1}, blind=True) == "crisis"
    assert stand_of({"warning": 1}, blind=True) == "blind"
    assert stand_of({"watch": 1}, blind=False) == "watch"
    assert stand_of({}, blind=True) == "blind"


def test_of_many_open_alerts_the_page_shows_the_newest(site: Site, amal: Browser) -> None:
    for alert in copies(60):
        site.desk.take(alert)
    page = amal.get("/")
    assert page.text.count('<li class="alert ') == 25
    assert "25+" in text_of(page)
    assert '/history?state=open&amp;severity=warning"' in page.text


def test_a_drill_is_marked_and_counts_for_no_brand(site: Site, amal: Browser) -> None:
    drill = msgspec.structs.replace(
        first(), id="a-drill", brand="rimal-bank~drill", severity="critical"
    )
    site.desk.take(drill)
    said = text_of(amal.get("/"))
    assert "Rimal Bank Watch" in said
    assert "Drill" in said


def test_changes_come_while_the_session_lasts(site: Site, amal: Browser) -> None:
    with serving(site.app) as address:
        headers = {"cookie": f"nadhir-session={amal.cookies['nadhir-session']}"}
        with (
            httpx.Client(base_url=address, headers=headers, timeout=30) as client,
            client.stream("GET", "/live") as stream,
        ):
            assert stream.status_code == 200
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            acting = threading.Timer(
                0.2, lambda: site.desk.comment("responder", first().id, "secret words", once=None)
            )
            acting.start()
            event = [next(lines) for _ in range(4)][1:]
            acting.join()
        number = event[0].removeprefix("id: ")
        assert event[1:] == [
            "event: changed", f'data: {{"alert":"{first().id}","action":"commented"}}',
        ]  # fmt: skip
        # and goes on where a browser left off
        back = headers | {"last-event-id": str(int(number) - 1)}
        with httpx.stream("GET", f"{address}/live", headers=back, timeout=30) as stream:
            lines = stream.iter_lines()
            assert [next(lines) for _ in range(3)][2] == f"id: {number}"
        assert httpx.get(f"{address}/live").status_code == 401


def test_the_files_of_the_page_are_served(tmp_path: Path) -> None:
    site = Site(Database(tmp_path / "r.db"))
    page = Browser(site.app, HERE).get("/login").text
    for name in ("console.css", "console.js", "htmx.min.js", "icon.svg"):
        path = next(part for part in page.split('"') if part.endswith(name))
        assert site.browser().get(path).status_code == 200


def test_what_is_the_same_for_all_is_made_once_and_never_older_than_what_people_did(
    site: Site, amal: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    standing = site.desk.standing
    monkeypatch.setattr(site.desk, "standing", lambda: made.append("board") or standing())
    omar = site.browser("viewer")
    pages = [browser.get("/").text for browser in (amal, omar, amal)]
    assert len(made) == 1
    assert ["viewer</bdi>" in page for page in pages] == [False, True, False]
    amal.send(f"/alerts/{first().id}/acknowledge", version="1")
    assert "taken by responder" in text_of(omar.get("/"))
    before = len(made)
    site.clock.now_ms += 5_000  # and what the engine knows is fresh after some seconds
    omar.get("/")
    assert len(made) == before + 1
    assert 'dir="rtl"' in site.browser("viewer", language="ar").get("/").text
