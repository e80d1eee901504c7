"""JSON Schema of the mention on the wire, made from the record the decoder uses."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import msgspec

from models.records import Mention
from streams.decode import EARLIEST

SCHEMA_ID = "urn:nadhir:schema:mention:1"

DESCRIPTIONS = MappingProxyType(
    {
        "id": "Id of the post, unique on its platform.",
        "platform": "Where it was posted, for example x, instagram or app-store.",
        "published_at": "When it was posted: RFC 3339 with an offset, from 2000 on.",
        "text": "What was written, as it was written.",
        "lang": "Language as the platform tells it, a BCP 47 tag.",
        "kind": "What it is.",
        "author": "Who posted it.",
        "author.id": "Id of the account on the platform.",
        "author.handle": "Handle, with or without @.",
        "author.name": "Displayed name.",
        "author.followers": "Number of followers.",
        "author.created_at": "When the account was made: RFC 3339 with an offset.",
        "author.verified": "Whether the platform verified the account.",
        "author.bio": "Description the account gives of itself.",
        "author.url": "Link in the account's profile.",
        "author.avatar_phash": "Perceptual hash of the profile picture.",
        "url": "Link to the post.",
        "in_reply_to": "Id of the post it replies to.",
        "repost_of": "Id of the post it repeats.",
        "rating": "Stars of a review.",
        "engagement": "Counts at the moment of collection.",
        "engagement.likes": "Number of likes.",
        "engagement.reposts": "Number of reposts.",
        "engagement.replies": "Number of replies.",
        "engagement.views": "Number of views.",
        "links": "Links in the text, expanded.",
        "media": "Hashes of its images and videos, which are the same for the same picture.",
        "country": "Country of the post, as the platform tells it.",
    }
)
"""What each key means, by its dotted name."""

EXAMPLES: tuple[dict[str, Any], ...] = (
    {
        "id": "1884512",
        "platform": "x",
        "published_at": "2026-01-31T09:30:00+03:00",
        "text": "التطبيق متوقف منذ الصباح ولا أحد يرد @acme_sa",
        "lang": "ar",
        "kind": "post",
        "author": {"id": "77", "handle": "amal_k", "name": "أمل", "followers": 1204},
        "engagement": {"likes": 18, "reposts": 5},
        "country": "SA",
    },
    {
        "id": "r-90",
        "platform": "app-store",
        "published_at": "2026-01-31T06:41:09Z",
        "text": "Cannot log in to the Acme app since this morning.",
        "lang": "en",
        "kind": "review",
        "rating": 1,
    },
)

_TIMES = ("published_at", "author.created_at")


def mention_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of a mention.

    Examples
    --------
    >>> mention_schema()["required"]
    ['id', 'platform', 'published_at', 'text']
    """
    definitions = msgspec.json.schema(Mention)["$defs"]
    for struct, prefix in (("Mention", ""), ("Author", "author."), ("Engagement", "engagement.")):
        definition = definitions[struct]
        for name, value in definition["properties"].items():
            optional = name not in definition["required"]
            definition["properties"][name] = _described(prefix + name, value, optional=optional)
    mention = definitions.pop("Mention")
    definitions["Author"]["description"] = DESCRIPTIONS["author"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        **mention,
        "description": "One public post, as Nadhir takes it in. Unknown keys are ignored, an "
        f"optional key may be null, and times before {EARLIEST:%Y-%m-%d} are rejected.",
        "$defs": definitions,
        "examples": list(EXAMPLES),
    }


def _described(key: str, value: dict[str, Any], *, optional: bool) -> dict[str, Any]:
    """The property with its description, and with null where it may be absent."""
    default = value.pop("default", None)
    kinds = value.pop("anyOf", [value])
    if key in _TIMES:
        kinds[0]["format"] = "date-time"
    if optional and {"type": "null"} not in kinds:
        kinds = [*kinds, {"type": "null"}]
    whole = {"anyOf": kinds} if len(kinds) > 1 else kinds[0]
    return {"description": DESCRIPTIONS[key], **whole} | (
        {}
        if default is None
        else {"default": list(default) if isinstance(default, tuple) else default}
    )
