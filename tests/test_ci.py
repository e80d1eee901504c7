"""In continuous integration nothing is skipped; elsewhere tests without their data are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CONFTEST = Path(__file__).with_name("conftest.py")
TESTS = """
import pytest

def test_data(shared_data):
    assert shared_data.is_dir()

@pytest.mark.skip(reason="no wish")
def test_marked():
    pass

@pytest.mark.xfail(strict=True)
def test_expected_failure():
    assert False
"""
MODULE = 'import pytest\npytest.skip("no module", allow_module_level=True)\n'


def run(folder: Path, data: str, **environment: str) -> tuple[int, str]:
    (folder / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "test_some.py").write_text(TESTS)
    (folder / "test_module.py").write_text(MODULE)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("CI", "PYTEST"))}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(
        [*command, "--continue-on-collection-errors"],
        cwd=folder,
        env={**inherited, **environment, "NADHIR_TEST_DATA": str(folder / data)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


def test_absent_data_skips_elsewhere(tmp_path: Path) -> None:
    code, out = run(tmp_path, "none")
    assert code == 0, out
    assert "3 skipped, 1 xfailed" in out


def test_nothing_is_skipped_in_ci(tmp_path: Path) -> None:
    code, out = run(tmp_path, "none", CI="1")
    assert code == 1
    assert "1 xfailed, 3 errors" in out
    for reason in ("no test data", "no wish", "no module"):
        assert reason in out


def test_data_lies_where_the_environment_says(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    _, out = run(tmp_path, "data")
    assert "1 passed, 2 skipped, 1 xfailed" in out
