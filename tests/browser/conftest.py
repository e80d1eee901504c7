"""One browser and one server for all browser tests; both end with the package's last test.

Playwright's event loop runs in the thread of the tests meanwhile, which `asyncio.run` of other
tests does not bear; so nothing here lives longer than the package.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.site import Site, running_site
from tests.browser.visiting import Visits, browsing


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The console over a short simulated stream."""
    with running_site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="package")
def visits(site: Site) -> Iterator[Visits]:
    """People with browsers."""
    with browsing(site) as made:
        yield made


@pytest.fixture(autouse=True)
def nothing_broke(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test: no dialog, no error on a console, no request to anywhere else."""
    asked = "visits" in request.fixturenames
    made: Visits | None = request.getfixturevalue("visits") if asked else None
    yield
    if made is not None:
        faults, made.faults = made.faults, []
        made.leave()
        assert not faults
