"""What all tests share: hypothesis profiles, the test data, and that CI skips nothing."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]

# the same examples for everyone; --hypothesis-profile=search (make soak) looks for new ones
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("search", deadline=None, max_examples=1000, print_blob=True)
settings.load_profile("ci")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Directory of the test data; where it is absent, tests that ask for it are skipped."""
    path = Path(os.environ.get("NADHIR_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not path.is_dir():
        pytest.skip("no test data; set NADHIR_TEST_DATA")
    return path


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=1 turn a skip into a failure: what does not run there is not checked anywhere."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for a module that is skipped as a whole."""
    report = yield
    if os.environ.get("CI") and report.skipped:
        report.outcome = "failed"
        reason = f"was skipped, which CI does not allow: {report.longrepr}"
        report.longrepr = f"{collector.nodeid} {reason}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of simulated scenarios that tests/acceptance/test_scenarios.py measured."""
    reports = [r for key in ("passed", "failed") for r in terminalreporter.stats.get(key, [])]
    rows = [str(v) for r in reports for name, v in r.user_properties if name == "scenario"]
    if rows:
        from tests.acceptance.scenarios import HEAD

        terminalreporter.section("simulated scenarios")
        terminalreporter.write_line("\n".join([HEAD, *rows]))
