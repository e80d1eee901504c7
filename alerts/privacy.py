"""Personal data in alerts and signals: one author's erased on request, old data pruned.

What an author wrote and who that was is in the evidence, in groups of accounts, in narratives,
among advocates and impostors, in what others passed on, and where our own sentences name them.
Counts hold no accounts and stay: what was erased still counted.
"""

from __future__ import annotations

import msgspec

from alerts.erased_parts import digest as digest
from alerts.erased_parts import erased_part, nameless
from alerts.erased_parts import without_handles as without_handles
from alerts.naming import Naming, renamed
from alerts.naming import plain as plain
from alerts.persons import ERASED as ERASED
from alerts.persons import Author as Author
from alerts.persons import Holder, Part, persons, theirs, with_parts
from alerts.persons import known as known
from alerts.playbook.records import Bilingual
from alerts.records import Alert
from models.records import Defence, Impostor, Signal


def erase(holder: Holder, author: Author) -> Holder:
    """An alert or a signal without one author's data; itself if it holds none.

    The evidence keeps its time, label and reach, and has a hash for its id; handles in what others
    wrote become ``@erased``, and what they passed on of the author's is dropped.  Of an impostor
    its figures and the hash that is its id are kept.
    """
    author = known(author, [holder])
    naming = named_as(author, holder)
    erased = with_parts(holder, lambda part: erased_part(part, author))
    terms = tuple(term for term in holder.terms if plain(term) not in author.handles)
    erased = msgspec.structs.replace(erased, terms=terms)
    erased = without_names(holder, erased, naming)
    return holder if erased == holder else erased


def named_as(author: Author, holder: Alert | Signal) -> Naming:
    """Puts ``erased`` for every name of the author's that a record shows into texts of ours."""
    names = author.handles.union(*(person.names for person in theirs(author, holder)))
    return Naming(dict.fromkeys(names, ERASED))


def stripped(holder: Holder) -> Holder:
    """An alert or a signal without anything that people wrote, or who they are.

    Figures and sentences stay, and the domain of an impostor: it is no person.
    """
    named = {name for person in persons(holder) for name in person.names}
    told = {term for story in holder.narratives for term in story.terms}
    bare = msgspec.structs.replace(
        with_parts(holder, _bare), evidence=(), groups=(), narratives=(), terms=()
    )
    naming = Naming(dict.fromkeys(named | told | {*holder.terms}, ERASED))
    bare = without_names(holder, bare, naming)
    return _without_strangers_words(bare)


def _without_strangers_words(bare: Holder) -> Holder:
    """Sentences that are mostly words of strangers, and whom they come from, go whole."""
    if not isinstance(bare, Alert):
        return bare
    # what is asked of people is told in words of ours
    about = bare.explanation.about if bare.subject else None
    said = msgspec.structs.replace(bare.explanation, narratives=(), about=about)
    return msgspec.structs.replace(bare, explanation=said)


def _bare(part: Part) -> Part:
    if isinstance(part, Defence):
        return msgspec.structs.replace(part, advocates=())
    return nameless(part) if isinstance(part, Impostor) else part


def without_names(before: Holder, after: Holder, naming: Naming) -> Holder:
    """A record whose sentences name nobody of these, nor quote what an impostor has lost."""
    if not isinstance(after, Alert):
        return after
    quiet = renamed(after, naming)
    kept = unquoted(before.impostor, after.impostor, quiet.explanation.reasons)
    said = msgspec.structs.replace(quiet.explanation, reasons=kept)
    return msgspec.structs.replace(
        after, title=quiet.title, explanation=said, playbook=quiet.playbook
    )


def unquoted(
    before: Impostor | None, after: Impostor | None, sentences: tuple[Bilingual, ...]
) -> tuple[Bilingual, ...]:
    """Sentences about the reasons without those that quote what the impostor has lost.

    They tell in what its spelling differs from the brand's, from which it can be read as well.
    """
    if before is None or after is None:
        return sentences
    old, new = ((*each.reasons, *each.intents) for each in (before, after))
    gone = {i for i, (had, has) in enumerate(zip(old, new)) if had.what != has.what}
    return tuple(said for i, said in enumerate(sentences) if i not in gone)
