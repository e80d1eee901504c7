"""Accounts and links judged alone, on a file: what two commands of ``nadhir analyze`` do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from models.impersonation.findings import Finding
from models.impersonation.impostor import ImpostorChecker
from models.impersonation.links import LinkChecker
from models.impersonation.urls import parse_url
from models.records import Author, Brand
from streams.analyze_files import numbered

_MAX_LINE_BYTES = 1 << 20
_REMEMBERED = 1 << 20  # handles, of some hundred bytes each


class Account(Author, frozen=True, kw_only=True):
    """A line of the file: an author of a mention, and what is known of the account besides."""

    platform: str | None = None
    seen_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    earlier_handle: str | None = None
    author: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET  # a mention's: the line is no account


def analyze_accounts(
    lines: Iterable[bytes],
    brands: Sequence[Brand],
    name: str = "input",
    *,
    on_error: Callable[[str], None],
) -> Iterator[bytes]:
    """Judge accounts, JSON Lines ``{"id", "handle", "name", ...}``; one answer each, in order.

    Keys are those of a mention's author (docs/mention.md), and ``platform``, ``seen_at`` and
    ``earlier_handle``; without the last it is the handle under which the account stood in the line
    before that named it.  Official accounts among the lines are learnt from: avatars and
    biographies of the later ones are compared with theirs.

    Parameters
    ----------
    lines : iterable of bytes
        Blank ones are passed over.
    brands : sequence of Brand
    name : str
        What errors call the input.
    on_error : callable
        Told of every line that cannot be read, by file and number; the rest is answered.

    Returns
    -------
    iterator of bytes
        JSON objects ``{"id", "brand", "score", "reasons"}``; ``brand`` is null where nothing
        resembles one.
    """
    checker = ImpostorChecker(brands, links=LinkChecker(brands))
    decoder = msgspec.json.Decoder(Account)
    handles: dict[tuple[str | None, str], str] = {}
    for number, line in numbered(lines):
        try:
            account = decoder.decode(line[:_MAX_LINE_BYTES])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            on_error(f'{name}, line {number}: not an account {{"id": "...", ...}} ({error})')
            continue
        if account.author is not msgspec.UNSET:
            on_error(f'{name}, line {number}: is a mention; write its "author" alone')
            continue
        if account.id is None:
            on_error(f'{name}, line {number}: the account has no "id"')
            continue
        if checker.is_official(account, account.platform):
            checker.learn(account)
        who = account.platform, account.id
        earlier = account.earlier_handle
        if account.handle is not None:
            earlier = earlier or handles.get(who)
            if len(handles) >= _REMEMBERED:
                handles.clear()
            handles[who] = account.handle
        found = checker.check(
            account,
            platform=account.platform,
            at=account.seen_at,
            earlier_handle=earlier,
        )
        yield _answer("id", account.id, found)


def analyze_links(
    lines: Iterable[bytes],
    brands: Sequence[Brand],
    name: str = "input",
    *,
    on_error: Callable[[str], None],
) -> Iterator[bytes]:
    """Judge links, one URL or host a line; one answer each, in order.

    Parameters and errors are those of `analyze_accounts`.

    Returns
    -------
    iterator of bytes
        JSON objects ``{"url", "brand", "score", "reasons"}``.
    """
    checker = LinkChecker(brands)
    for number, line in numbered(lines):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            on_error(f"{name}, line {number}: is not UTF-8 ({error.reason})")
            continue
        url = parse_url(text)
        if url is None:
            on_error(f"{name}, line {number}: {text[:60]!a} is no URL or host")
            continue
        yield _answer("url", text, checker.judge(url))


def _answer(key: str, of: str, found: Finding) -> bytes:
    shown = {key: of, "brand": found.brand, "score": found.score, "reasons": found.reasons}
    return msgspec.json.encode(shown)
