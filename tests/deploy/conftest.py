"""A pipeline that a real Prometheus watches, started once for each process of the test run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.prometheus import Watched
from tests.prometheus import watched as watched_in


@pytest.fixture(scope="session")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Ask it: ``watched.prometheus.query(expression)``."""
    with watched_in(tmp_path_factory.mktemp("watched")) as found:
        yield found
