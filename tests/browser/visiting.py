"""People who visit the console with a browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

from tests.browser.site import Site

Language = Literal["ar", "en"]
Theme = Literal["light", "dark"]
WIDE, PHONE = (1280, 900), (390, 844)
TIMEOUT_MS = 20_000


@dataclass
class Visits:
    """Browser windows, and everything that went wrong in them.

    Attributes
    ----------
    faults : list of str
        Dialogs, errors of scripts, breaches of the policy, requests to other places.
    """

    site: Site
    browser: Browser
    faults: list[str] = field(default_factory=list)
    _open: list[BrowserContext] = field(default_factory=list)
    _known: dict[str, StorageState] = field(default_factory=dict)

    def window(
        self,
        name: str | None,
        *,
        language: Language = "en",
        theme: Theme = "light",
        size: tuple[int, int] = WIDE,
    ) -> Page:
        """A window of somebody who is logged in (None: nobody), in a language."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=theme,
            locale={"ar": "ar-SA", "en": "en-GB"}[language],
            base_url=self.site.url,
            storage_state=self._known.get(name or ""),
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(TIMEOUT_MS)
        self._open.append(context)
        page = context.new_page()
        self._watch(page)
        if name is not None and name not in self._known:
            self.log_in(page, name)
            self._known[name] = context.storage_state()
        return page

    def log_in(self, page: Page, name: str) -> None:
        """Show a token at the door."""
        page.goto("/login")
        page.locator("input[name=token]").fill(self.site.tokens[name])
        page.locator("main form button").click()
        page.wait_for_url("**/")

    def leave(self) -> None:
        """Close all windows."""
        for context in self._open:
            context.close()
        self._open.clear()

    def _watch(self, page: Page) -> None:
        def told(what: str) -> None:
            self.faults.append(f"{what} at {page.url}")

        page.on("dialog", lambda dialog: (told(f"dialog {dialog.message}"), dialog.dismiss()))
        page.on("pageerror", lambda error: told(f"script: {error}"))
        page.on("console", lambda said: told(said.text) if _matters(said.type, said.text) else None)
        page.on("request", lambda asked: None if self._ours(asked.url) else told(asked.url))
        page.on("popup", lambda _: told("popup"))

    def _ours(self, url: str) -> bool:
        return urlsplit(url).netloc == urlsplit(self.site.url).netloc


def _matters(kind: str, text: str) -> bool:
    # Chromium notes every answer of 4xx as an error, also those that the tests ask for
    return kind in ("error", "warning") and "the server responded with a status of 4" not in text


@contextmanager
def browsing(site: Site) -> Iterator[Visits]:
    """A browser meanwhile, which reaches this machine alone."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    assert program, "install Debian's chromium: `make chromium`"
    flags = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--disable-gpu"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")  # which root cannot have
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=flags)
        try:
            yield Visits(site, browser)
        finally:
            browser.close()
