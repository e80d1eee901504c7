"""A mention as it comes, and one that could not be read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

Kind = Literal["post", "reply", "repost", "quote", "review", "message"]
MAX_TEXT_CHARS = 20_000

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]


class Author(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who posted a mention; everything the platform did not give is ``None``."""

    id: Id | None = None
    handle: Annotated[str, msgspec.Meta(max_length=256)] | None = None
    name: Annotated[str, msgspec.Meta(max_length=1024)] | None = None
    followers: Count | None = None
    created_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    verified: bool | None = None
    bio: Annotated[str, msgspec.Meta(max_length=10_000)] | None = None
    url: Annotated[str, msgspec.Meta(max_length=4096)] | None = None
    avatar_phash: Annotated[str, msgspec.Meta(max_length=256)] | None = None


class Engagement(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Counts at the moment of collection."""

    likes: Count = 0
    reposts: Count = 0
    replies: Count = 0
    views: Count = 0


class Mention(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One public post, as decoded from the wire (docs/mention.md)."""

    id: Id
    platform: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    published_at: Annotated[datetime, msgspec.Meta(tz=True)]
    text: Annotated[str, msgspec.Meta(max_length=MAX_TEXT_CHARS)]
    lang: Annotated[str, msgspec.Meta(max_length=35)] | None = None
    kind: Kind = "post"
    author: Author | None = None
    url: Annotated[str, msgspec.Meta(max_length=4096)] | None = None
    in_reply_to: Id | None = None
    repost_of: Id | None = None
    rating: Annotated[float, msgspec.Meta(ge=1, le=5)] | None = None
    engagement: Engagement | None = None
    links: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=4096)], ...], msgspec.Meta(max_length=100)
    ] = ()
    media: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=256)], ...], msgspec.Meta(max_length=32)
    ] = ()
    country: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """A mention that could not be read: a stable reason code, a sentence, and the raw bytes."""

    reason: str
    detail: str
    source: str
    position: str
    raw: bytes
