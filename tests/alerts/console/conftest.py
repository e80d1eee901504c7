"""A console over an empty SQLite database with one alert."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from alerts.store.database import Database
from tests.alerts.console.visiting import Browser, Site
from tests.alerts.responding import first


@pytest.fixture
def site(migrated_file: Path, tmp_path: Path) -> Site:
    shutil.copy(migrated_file, tmp_path / "response.db")
    made = Site(Database(tmp_path / "response.db"))
    made.desk.take(first())
    return made


@pytest.fixture
def amal(site: Site) -> Browser:
    return site.browser("responder")
