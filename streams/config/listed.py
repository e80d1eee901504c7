"""Allow and block lists of a brand; part of :mod:`streams.config.schema`."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field

from models.records import Listed
from streams.config.base import Settings
from streams.config.document import Document, entries
from streams.config.fields import Domain, Handle, IsoDate, Platform, Text, domain_ascii
from streams.config.problems import KeyPath, shown

_ONE_OF = ("handle", "account", "domain")
_LISTS = ("allow", "block")


class ListedSettings(Settings):
    """An account or domain that somebody has judged."""

    owner: Text = Field(description="Who says so, to be asked later.")
    reason: Text = Field(description="Why.")
    handle: Handle | None = Field(
        None, description="A handle; with `platform` on that platform alone."
    )
    platform: Platform | None = Field(None, description="Platform of the account, such as `x`.")
    account: Text | None = Field(
        None, description="The account's id on that platform, in quotes; survives a new handle."
    )
    domain: Domain | None = Field(None, description="A domain and all below it.")
    until: IsoDate | None = Field(
        None, description="Last day on which it holds; `null` is for good."
    )

    def record(self, timezone: str) -> Listed:
        """The entry as the stages know it; a day ends in the brand's time zone."""
        until_ms = None
        if self.until is not None:
            after = date.fromisoformat(self.until) + timedelta(days=1)
            ends = datetime.combine(after, time(), tzinfo=ZoneInfo(timezone))
            until_ms = round(ends.timestamp() * 1000)
        return Listed(
            owner=self.owner,
            reason=self.reason,
            handle=self.handle and self.handle.removeprefix("@"),
            platform=self.platform,
            account=self.account,
            domain=self.domain,
            until_ms=until_ms,
        )


def check_lists(document: Document, brands: list[tuple[int, dict[str, Any]]]) -> None:
    """Add a problem for every entry that names nothing, too much, or what another list says."""
    for i, brand in brands:
        judged: dict[tuple[str, ...], str] = {}
        own = _official(brand)
        for key in _LISTS:
            for j, entry in entries(brand, key):
                path: KeyPath = ("brands", i, key, j)
                named = [name for name in _ONE_OF if isinstance(entry.get(name), str)]
                if len(named) != 1:
                    document.add(path, "names none or several; give handle, account or domain")
                    continue
                if named == ["account"] and entry.get("platform") is None:
                    document.add((*path, "account"), "needs its platform; ids are a platform's own")
                what = _canonical(named[0], entry)
                if judged.setdefault(what, key) != key:
                    message = f"{shown(entry[named[0]])} is allowed too; keep it in one list"
                    document.add((*path, named[0]), message)
                if key == "block" and what in own:
                    message = f"{shown(entry[named[0]])} is the brand's own; it cannot be blocked"
                    document.add((*path, named[0]), message)


def _canonical(name: str, entry: dict[str, Any]) -> tuple[str, ...]:
    text, platform = str(entry[name]), str(entry.get("platform") or "").casefold()
    if name == "domain":
        return name, _domain(text)
    return name, platform, text.removeprefix("@").lower() if name == "handle" else text


def _official(brand: dict[str, Any]) -> set[tuple[str, ...]]:
    def texts(key: str) -> list[str]:
        held = brand.get(key)
        return [text for text in (held if isinstance(held, list) else ()) if isinstance(text, str)]

    found: set[tuple[str, ...]] = {("domain", _domain(text)) for text in texts("domains")}
    found |= {("handle", "", text.removeprefix("@").lower()) for text in texts("handles")}
    for _, account in entries(brand, "accounts"):
        found.add(("account", str(account.get("platform")).casefold(), str(account.get("id"))))
    return found


def _domain(text: str) -> str:
    try:
        return domain_ascii(text)
    except ValueError:
        return text  # the schema has said so
