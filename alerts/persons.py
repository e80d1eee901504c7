"""Whom alerts and signals speak of: the parts of a record that name people, and who they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeAlias, TypeVar

import msgspec

from alerts.naming import plain
from alerts.records import Alert
from models.records import AccountGroup, Defence, Evidence, Impostor, NarrativeRecord, Signal

ERASED = "erased"
Holder = TypeVar("Holder", Alert, Signal)
Part: TypeAlias = Evidence | AccountGroup | NarrativeRecord | Defence | Impostor
PARTS = (Evidence, AccountGroup, NarrativeRecord, Defence, Impostor)


class Author(msgspec.Struct, frozen=True, kw_only=True):
    """Whose data it is: an account of a platform.

    ``handles`` are names by which others speak of it, ``posts`` ids of its mentions: both lead to
    it, wherever they stand.
    """

    platform: str
    id: str
    handles: frozenset[str] = frozenset()
    posts: frozenset[str] = frozenset()

    def wrote(self, platform: str, author_id: str | None, handle: str | None) -> bool:
        """Whether an author of a mention is meant."""
        if platform.casefold() != self.platform.casefold():
            return False
        return author_id == self.id or (handle is not None and plain(handle) in self.handles)

    def poses_as(self, impostor: Impostor) -> bool:
        """Whether it is the account of an impostor, under a handle of now or before."""
        handles = (impostor.handle, *impostor.earlier_handles)
        platform = impostor.platform or ""
        return any(self.wrote(platform, impostor.account, handle) for handle in handles)


class Person(NamedTuple):
    """Somebody whom a record names: the account, its names, and the mentions it shows of theirs."""

    platform: str
    account: str | None
    handles: tuple[str, ...]
    name: str | None = None
    posts: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """By what a sentence may call it."""
        return tuple(filter(None, (*self.handles, self.account, self.name)))


def people(holder: Alert | Signal) -> Iterator[tuple[str, tuple[Part, ...]]]:
    """Fields of a record that hold what people wrote or who they are, with what is in them."""
    for name in holder.__struct_fields__:
        held = getattr(holder, name)
        if isinstance(held, PARTS):
            yield name, (held,)
        elif isinstance(held, tuple) and held and isinstance(held[0], PARTS):
            yield name, held


def with_parts(holder: Holder, change: Callable[[Part], Part]) -> Holder:
    """A record with every part in which there are people changed."""
    fields: dict[str, Part | tuple[Part, ...]] = {}
    for name, held in people(holder):
        changed = tuple(map(change, held))
        fields[name] = changed if isinstance(getattr(holder, name), tuple) else changed[0]
    return msgspec.structs.replace(holder, **fields)


def persons(holder: Alert | Signal) -> Iterator[Person]:
    """Everybody whom a record names together with the platform."""
    for _, held in people(holder):
        for part in held:
            yield from _persons_of(part)


def _persons_of(part: Part) -> Iterator[Person]:
    if isinstance(part, Evidence):
        yield Person(part.platform, part.author_id, _some(part.handle), part.name, (part.id,))
    elif isinstance(part, NarrativeRecord):
        for one in part.carriers:
            handles = _some(one.handle)
            yield Person(one.platform, one.account, handles, posts=(one.mention,))
    elif isinstance(part, Defence):
        for advocate in part.advocates:
            yield Person(advocate.platform, advocate.account, _some(advocate.handle))
    elif isinstance(part, Impostor) and part.kind == "account":
        handles = (*_some(part.handle), *part.earlier_handles)
        yield Person(part.platform or "", part.account, handles, part.name)


def _some(handle: str | None) -> tuple[str, ...]:
    return (handle,) if handle else ()


def theirs(author: Author, holder: Alert | Signal) -> list[Person]:
    """As whom a record names the author."""
    return [
        person
        for person in persons(holder)
        if any(
            author.wrote(person.platform, person.account, handle)
            for handle in (None, *person.handles)
        )
    ]


def known(author: Author, holders: Iterable[Alert | Signal]) -> Author:
    """The author with the handles and posts that some records give."""
    named = [person for holder in holders for person in theirs(author, holder)]
    posts = {post for person in named for post in person.posts}
    return msgspec.structs.replace(
        author,
        handles=author.handles | {plain(handle) for person in named for handle in person.handles},
        posts=author.posts | {post for post in posts if post.partition(":")[0] != ERASED},
    )
