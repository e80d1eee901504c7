"""Pictures of the console for its documentation: ``python -m tools.pictures [FOLDER]``.

Every page in both languages, and the two that matter at night on a dark phone; of the same short
simulated stream as the browser tests, so that they show what the pipeline really says.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from tests.browser.pages import pages
from tests.browser.site import running_site
from tests.browser.visiting import PHONE, Language, browsing

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "pictures" / "console"
SIZE = (1200, 800)
_COLOURS = 64
_LANGUAGES: tuple[Language, ...] = ("ar", "en")
_AT_NIGHT = ("now", "alert")


def main() -> None:
    """Take every picture anew."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as data,
        running_site(Path(data)) as site,
        browsing(site) as visits,
    ):
        for language in _LANGUAGES:
            day = visits.window("amal", language=language, size=SIZE)
            night = visits.window("amal", language=language, theme="dark", size=PHONE)
            door = visits.window(None, language=language, size=SIZE)
            _take(door, "/login", folder / f"login-{language}.png")
            for name, path in pages(site).items():
                _take(day, path, folder / f"{name}-{language}.png")
                if name in _AT_NIGHT:
                    _take(night, path, folder / f"{name}-{language}-phone.png")
        assert not visits.faults, visits.faults
    size = sum(path.stat().st_size for path in folder.glob("*.png"))
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder.name}, {size:,} bytes")


def _take(window: Page, path: str, to: Path) -> None:
    """One picture, with few colours: pages are flat, and the pictures stand in the repository."""
    window.goto(path)
    picture = Image.open(io.BytesIO(window.screenshot(animations="disabled")))
    few = picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    few.save(to, optimize=True)


if __name__ == "__main__":
    main()
