"""One author's data in the stored state of the detectors: samples, impostors and advocates."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import msgspec

from alerts.erased_parts import erased_part
from alerts.privacy import ERASED, Author, digest, plain, without_handles
from models.impersonation.sighted import Sighted
from models.kept import Kept, kept_of, rewritten
from models.narratives.supporters import Stored
from models.records import Evidence

_SAMPLES = "SELECT key, value FROM state WHERE key LIKE 'evidence/%' OR key LIKE 'posts/%'"
_IMPOSTORS = "SELECT key, value FROM state WHERE key LIKE 'impostors/%/0'"
_ADVOCATES = "SELECT key, value FROM state WHERE key LIKE 'supporters/%'"


def known_to_state(db: sqlite3.Connection, author: Author) -> Author:
    """The author with the handles and posts that stored state gives."""
    handles, posts = set(author.handles), set(author.posts)
    for _, piece in db.execute(_SAMPLES):
        for kept in kept_of(piece):
            if author.wrote(kept.platform, kept.author_id, kept.handle):
                handles |= {plain(kept.handle)} if kept.handle else set()
                posts.add(kept.id)
    for _, seen in _impostors(db):
        if _poses(seen, author):
            handles |= {plain(handle) for handle in seen.handles}
            posts |= {post.id for post in seen.posts}
    for _, stored in _advocates(db):
        for held in stored.accounts.values():
            if held.handle and author.wrote(held.platform, held.shown, held.handle):
                handles.add(plain(held.handle))
    return msgspec.structs.replace(author, handles=frozenset(handles), posts=frozenset(posts))


def erase_state(db: sqlite3.Connection, author: Author) -> int:
    """Rewrite stored state without the author; how many pieces changed.

    An impostor or advocate is forgotten whole: seen again, it is known anew under the same id.
    """
    changed: dict[str, bytes | None] = {}
    for key, piece in db.execute(_SAMPLES):
        if (new := rewritten(piece, lambda kept: _without(kept, author))) != piece:
            changed[key] = new
    for key, seen in _impostors(db):
        if _poses(seen, author):
            changed[key] = None
        elif (bare := _seen_without(seen, author)) is not None:
            changed[key] = msgspec.msgpack.encode(bare)
    for key, stored in _advocates(db):
        others = {
            k: a
            for k, a in stored.accounts.items()
            if not author.wrote(a.platform, a.shown, a.handle)
        }
        if len(others) < len(stored.accounts):
            changed[key] = Stored(others, stored.seen).piece()
    for key, blob in changed.items():
        if blob is None:
            db.execute("DELETE FROM state WHERE key = ?", (key,))
        else:
            db.execute("UPDATE state SET value = ? WHERE key = ?", (blob, key))
    return len(changed)


def _impostors(db: sqlite3.Connection) -> Iterator[tuple[str, Sighted]]:
    for key, piece in db.execute(_IMPOSTORS).fetchall():
        yield key, msgspec.msgpack.decode(piece, type=Sighted)


def _advocates(db: sqlite3.Connection) -> Iterator[tuple[str, Stored]]:
    for key, piece in db.execute(_ADVOCATES).fetchall():
        yield key, Stored.read(piece)


def _poses(seen: Sighted, author: Author) -> bool:
    handles = (seen.handle, *seen.handles)
    platform = seen.platform or ""
    return seen.kind == "account" and any(author.wrote(platform, seen.account, h) for h in handles)


def _seen_without(seen: Sighted, author: Author) -> Sighted | None:
    """Somebody else, or a domain, without what the author posted of it; None if that is nothing."""
    posts = [erased_part(post, author) for post in seen.posts]
    urls = [url for url in seen.urls if not any(h in url.casefold() for h in author.handles)]
    if (posts, urls) == (seen.posts, seen.urls):
        return None
    bare = [post for post in posts if isinstance(post, Evidence)]
    return msgspec.structs.replace(seen, posts=bare, urls=urls)


def _without(held: Kept, author: Author) -> Kept:
    if author.wrote(held.platform, held.author_id, held.handle):
        name = f"{ERASED}:{digest(held)}"
        return Kept(name, held.platform, "", None, None, None, None, None, held.kind)
    if held.repost_of in author.posts:  # their words, passed on
        return msgspec.structs.replace(held, text="", repost_of=None, in_reply_to=None)
    answered = None if held.in_reply_to in author.posts else held.in_reply_to
    text = without_handles(held.text, author)
    return msgspec.structs.replace(held, text=text, in_reply_to=answered)
