"""Alerts and signals as they may leave the house: accounts under pseudonyms."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from alerts.erased_parts import nameless
from alerts.naming import HANDLE, Naming, plain
from alerts.persons import Holder, Part, persons, with_parts
from alerts.privacy import without_names
from models.records import (
    AccountGroup,
    Advocate,
    Carrier,
    Defence,
    Evidence,
    GroupPost,
    GroupTrace,
    Impostor,
    NarrativeRecord,
    NarrativeText,
)

_SHOWN = ("text", "tag", "tags", "link")  # kinds of traces that show words, not the id of a post


def pseudonymous(holder: Holder, key: bytes) -> Holder:
    """An alert or a signal with accounts under pseudonyms.

    The same account has the same pseudonym under the same key.  Names, links and the ids of
    mentions, which lead to the account, go; words that people wrote stay, without handles.

    Parameters
    ----------
    holder : Alert or Signal
    key : bytes
        Secret; a new one for each export ties no two exports together.
    """
    names = Pseudonyms(key)
    naming = Naming(
        {
            name: names.account(person.account or person.handles[0])
            for person in persons(holder)
            if person.account or person.handles
            for name in person.names
        }
    )
    told = with_parts(holder, lambda part: names.part(part, naming))
    told = msgspec.structs.replace(told, terms=tuple(map(naming.word, holder.terms)))
    if told.impostor is not None and told.impostor.kind == "account":
        told = msgspec.structs.replace(told, subject=told.impostor.id)
    return without_names(holder, told, naming)


class Pseudonyms:
    """Names that only the holder of a key can find again.

    Parameters
    ----------
    key : bytes

    Raises
    ------
    ValueError
        If the key is empty.

    Examples
    --------
    >>> here, there = Pseudonyms(b"k"), Pseudonyms(b"l")
    >>> here.account("42") == here.account("42") != there.account("42")
    True
    """

    def __init__(self, key: bytes) -> None:
        if not key:
            raise ValueError("key is empty: a pseudonym without a key can be found by trying")
        self._key = key[:64]

    def account(self, name: str) -> str:
        """Of an account, by its id or handle; groups do not say of which platform theirs are."""
        return self._of("account", plain(name))

    def mention(self, mention: str) -> str:
        """Of a mention."""
        return self._of("mention", mention)

    def text(self, words: str) -> str:
        """A text with pseudonyms for handles."""
        return HANDLE.sub(lambda found: "@" + self.account(found[1]), words)

    def part(self, part: Part, naming: Naming) -> Part:
        """A part of a record; ``naming`` is for words that are names of accounts."""
        if isinstance(part, Evidence):
            return self._evidence(part)
        if isinstance(part, AccountGroup):
            return self._group(part)
        if isinstance(part, NarrativeRecord):
            return self._narrative(part, naming)
        return self._defence(part) if isinstance(part, Defence) else self._impostor(part)

    def _of(self, kind: str, name: str) -> str:
        keyed = blake2b(f"{kind}\0{name}".encode(), key=self._key, digest_size=8)
        return f"p-{keyed.hexdigest()}"

    def _evidence(self, held: Evidence) -> Evidence:
        who = held.author_id or held.handle
        return msgspec.structs.replace(
            held,
            id=self.mention(held.id),
            author_id=None if who is None else self.account(who),
            handle=None,
            name=None,
            url=None,
            text=self.text(held.text),
        )

    def _group(self, held: AccountGroup) -> AccountGroup:
        return msgspec.structs.replace(
            held,
            accounts=tuple(map(self.account, held.accounts)),
            mentions=tuple(map(self.mention, held.mentions)),
            evidence=tuple(map(self._trace, held.evidence)),
        )

    def _trace(self, held: GroupTrace) -> GroupTrace:
        return msgspec.structs.replace(
            held,
            shown=self.text(held.shown) if held.kind in _SHOWN else "",
            posts=tuple(map(self._post, held.posts)),
            differs=(
                tuple(map(self.text, held.differs[0])),
                tuple(map(self.text, held.differs[1])),
            ),
        )

    def _post(self, held: GroupPost) -> GroupPost:
        return GroupPost(
            id=self.mention(held.id),
            account=self.account(held.account),
            published_ms=held.published_ms,
            text=self.text(held.text),
        )

    def _narrative(self, held: NarrativeRecord, naming: Naming) -> NarrativeRecord:
        def carrier(one: Carrier) -> Carrier:
            return msgspec.structs.replace(
                one,
                account=self.account(one.account),
                handle=None,
                mention=self.mention(one.mention),
                text=self.text(one.text),
            )

        def text(one: NarrativeText) -> NarrativeText:
            return NarrativeText(id=self.mention(one.id), text=self.text(one.text), times=one.times)

        return msgspec.structs.replace(
            held,
            carriers=tuple(map(carrier, held.carriers)),
            texts=tuple(map(text, held.texts)),
            terms=tuple(map(naming.word, held.terms)),
        )

    def _defence(self, held: Defence) -> Defence:
        def advocate(one: Advocate) -> Advocate:
            return msgspec.structs.replace(one, account=self.account(one.account), handle=None)

        return msgspec.structs.replace(held, advocates=tuple(map(advocate, held.advocates)))

    def _impostor(self, held: Impostor) -> Impostor:
        bare = nameless(held)
        who = held.account or held.handle
        if held.kind == "domain" or who is None:
            return bare
        id_ = self._of("subject", held.id)  # the id itself is a hash without a key
        return msgspec.structs.replace(bare, id=id_, account=self.account(who))
