"""What is kept of mentions: packed one by one, and as pieces of state with a row for each."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from models.records import Kind, Mention

TEXT_CHARS = 400
MOST_LINKS, LINK_CHARS = 4, 200
ROW = np.dtype(
    [
        ("brand", "<i4"),
        ("key", "<u8"),
        ("reach", "<i8"),
        ("published_ms", "<i8"),
        ("negative", "<f4"),
        ("label", "u1"),
        ("lang", "u1"),
        ("saved", "?"),
    ]
)
Rows = npt.NDArray[np.void]


class Kept(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The part of a mention that evidence shows and compares; held packed, as it is stored."""

    id: str
    platform: str
    text: str
    author_id: str | None
    handle: str | None
    name: str | None
    followers: int | None
    url: str | None
    kind: Kind
    created_ms: int | None = None  # of the account
    repost_of: str | None = None
    in_reply_to: str | None = None
    links: tuple[str, ...] = ()
    media: tuple[str, ...] = ()


_PACK = msgspec.msgpack.Encoder().encode
_UNPACK = msgspec.msgpack.Decoder(Kept).decode


def kept(mention: Mention | bytes) -> Kept:
    """What evidence shows of a mention, whole or packed."""
    return _UNPACK(mention if isinstance(mention, bytes) else packed(mention))


def packed(mention: Mention) -> bytes:
    """What evidence shows of a mention, packed: memory is bounded whatever is sent."""
    text, author = mention.text, mention.author
    created = author.created_at if author else None
    return _PACK(
        Kept(
            mention.id,
            mention.platform,
            text if len(text) <= TEXT_CHARS else text[:TEXT_CHARS],
            author.id if author else None,
            author.handle if author else None,
            author.name if author else None,
            author.followers if author else None,
            mention.url,
            mention.kind,
            int(created.timestamp() * 1000) if created else None,
            mention.repost_of,
            mention.in_reply_to,
            tuple(link[:LINK_CHARS] for link in mention.links[:MOST_LINKS]),
            tuple(media[:LINK_CHARS] for media in mention.media[:MOST_LINKS]),
        )
    )


def unpacked(mention: bytes) -> Kept:
    """What evidence shows of a mention."""
    return _UNPACK(mention)


def pack(rows: Rows, mentions: list[bytes]) -> bytes:
    """Rows and mentions as one piece."""
    return _PACK((rows.tobytes(), mentions))


def unpack(piece: bytes) -> tuple[Rows, list[bytes]]:
    """Rows and mentions of a stored piece."""
    packed, mentions = msgspec.msgpack.decode(piece, type=tuple[bytes, list[bytes]])
    return np.frombuffer(packed, dtype=ROW).copy(), mentions


def moved(piece: bytes, move: dict[int, int]) -> bytes:
    """A stored piece for another list of brands; ``move`` tells the new index of each old one."""
    rows, mentions = unpack(piece)
    at = [i for i, brand in enumerate(rows["brand"].tolist()) if brand in move]
    rows = rows[at]
    rows["brand"] = [move[b] for b in rows["brand"].tolist()]
    return pack(rows, [mentions[i] for i in at])


def rewritten(piece: bytes, rewrite: Callable[[Kept], Kept]) -> bytes:
    """A stored piece with other words: what is counted, and where it stands, is unchanged."""
    rows, mentions = unpack(piece)
    return pack(rows, [_PACK(rewrite(_UNPACK(mention))) for mention in mentions])


def kept_of(piece: bytes) -> list[Kept]:
    """What a stored piece holds of its mentions."""
    return [_UNPACK(mention) for mention in unpack(piece)[1]]
