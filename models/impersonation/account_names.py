"""How a handle or display name is like a brand's: the same, misspelt, with words beside it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, chain
from typing import NamedTuple

import numpy as np
from ahocorasick_rs import AhoCorasick

from models.impersonation.brand_names import names_of
from models.impersonation.confusables import fold, letters_only
from models.impersonation.distance import edits
from models.impersonation.likeness import Inside, Name, NameIndex, names_for, telling
from models.impersonation.prefilter import lines_with
from models.impersonation.roles import desks, is_desk, role_beside, strongest, word_role
from models.impersonation.translit import MIN_KEY, is_arabic, latin_keys, sound_key
from models.impersonation.words import lists, may_have_role
from models.records import Brand

MAX_CHARS = 100  # of a handle or display name; what follows nobody sees
_SPLIT = re.compile(r"[\W_]+")
_WORDS = re.compile(r"[^\W_]+")
_SIGNS = [code for code in range(128) if not chr(code).isalnum() and code != ord("\n")]
_NO_SIGNS: dict[int, str | None] = dict.fromkeys(_SIGNS)
_SPACED = dict.fromkeys(_SIGNS, " ")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_TURNED = re.compile("([\u202d\u202e])([^\u202a-\u202e]+)")
_REMEMBERED = 1 << 14
_WORTH_A_BATCH = 8  # texts from which on looking at them together is quicker
_MIN_INSIDE = 3
_MIN_SAID = 4  # letters of a name in a biography
_TO = "لب"  # of, to: written with the word that follows
_MIN_HEARD = 5  # consonants of an Arabic name that Latin letters may spell
_MOST_INSIDE = 12  # names in a handle
_SURE_SPELLING = 6


class Seen(NamedTuple):
    """A brand's name in a handle or display name.

    Attributes
    ----------
    name : Name
    how : str
        ``same``, ``shape``, ``typo``, ``typos``, ``sound``, or ``faint``: it sounds like the name,
        but three consonants are all that says so.
    role : str
        Of the words beside it (`role_of`); ``digits``, ``names`` of the same brand, ``other`` or
        empty.
    """

    name: Name
    how: str
    role: str


class AccountNames:
    """Finds names of brands in handles and display names.

    Parameters
    ----------
    brands : sequence of Brand
        Their names, handles and accounts are read.
    index : NameIndex, optional
        Of `names_of` these brands, where there is one.

    Examples
    --------
    >>> names = AccountNames([Brand(id="acme", names=("Acmezon", "أكميزون"))])
    >>> seen = names.read("acmezzon_help", is_handle=True)[0]
    >>> seen.name.text, seen.how, seen.role
    ('acmezon', 'typo', 'support')
    """

    def __init__(self, brands: Sequence[Brand], index: NameIndex | None = None) -> None:
        texts = fold([text for brand in brands for text in _texts(brand)])
        may_have_role(texts)  # its tables are built at first use
        self._index = NameIndex(names_of(brands)) if index is None else index
        self._written = {_letters(text) for b in brands for text in _texts(b)}
        self._remembered: dict[tuple[str, bool], tuple[Seen, ...]] = {}
        self._own_words = frozenset(_own_words(brands))
        spellings = list(_spellings(brands))
        letters = names_for([(letters_only(spelt), i) for spelt, i in spellings])
        self._sounds: dict[str, list[tuple[Name, bool]]] = {}
        for (spelt, _), name in zip(spellings, letters):
            if key := sound_key(spelt):
                self._sounds.setdefault(key, []).append((name, is_arabic(spelt)))
        in_latin = {name.brand for name in self._index.names if name.text.isascii()}
        alike = {
            (key, name.brand)
            for key, entries in self._sounds.items()
            for name, name_is_arabic in entries
            if not name_is_arabic
        }
        self._all_sounds = _automaton(self._sounds)
        # Latin text is like the Latin names of a brand, where it has some, by its letters; unless
        # the Arabic name sounds otherwise: it may mean the same
        self._latin_sounds = _automaton(
            key
            for key, entries in self._sounds.items()
            if any(
                name.brand not in in_latin
                or (len(key) >= _MIN_HEARD and (key, name.brand) not in alike)
                for name, _ in entries
            )
        )

    def is_as_written(self, text: str) -> bool:
        """Whether these are the very letters in which a brand writes one of its names."""
        return _letters(text) in self._written

    def read(self, text: str, *, is_handle: bool) -> tuple[Seen, ...]:
        """Names in one handle or display name; what was found lately is remembered."""
        text = text[:MAX_CHARS]
        known = self._remembered.get((text, is_handle))
        if known is not None:
            return known
        found = self._read(text, is_handle)
        if found:  # nobody's names are told in a moment, and are the most by far
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[text, is_handle] = found
        return found

    def near(self, texts: Sequence[str]) -> set[int]:
        """Indexes of handles and names that may be like a brand's; `read` finds nothing in others.

        Parameters
        ----------
        texts : sequence of str
            Those of a batch: ruling them out together costs a tenth of reading each.
        """
        texts = list(texts)
        found: set[int] = set()
        if "\n".join(texts).count("\n") >= len(texts) or len(max(texts, key=len)) > MAX_CHARS:
            found.update(i for i, text in enumerate(texts) if "\n" in text or len(text) > MAX_CHARS)
            texts = ["" if i in found else text for i, text in enumerate(texts)]
        folded = self._folded(texts)
        others = [i for i, text in enumerate(folded) if not text.isascii()]
        found.update(others[i] for i in self._near_others([folded[i] for i in others]))
        for i in others:
            folded[i] = ""
        joined = "\n".join(folded)
        found.update(i for i in lines_with(desks(), joined) if is_desk(folded[i]))
        words = joined.translate(_NO_SIGNS).split("\n")
        found |= self._near_words(words, self._cores_in(joined))
        if self._latin_sounds is not None:
            heard = lines_with(self._latin_sounds, latin_keys(joined)) - found
            spelt = ((i, self._spelt(_WORDS.findall(folded[i]))) for i in heard)
            found.update(i for i, each in spelt if any(map(self._may_be_heard, each)))
        return found

    def is_desk(self, text: str) -> bool:
        """Whether a display name says no more than that somebody helps or speaks for a brand."""
        return is_desk(self._folded([text[:MAX_CHARS]])[0])

    def named_in(self, text: str) -> dict[int, Name]:
        """The longest name of each brand that stands in a longer text, by index of the brand."""
        words = _WORDS.findall(self._folded([text])[0])
        whole, ends = "".join(words), set(accumulate(map(len, words), initial=0))
        found: dict[int, Name] = {}
        for inside in chain.from_iterable(map(self._index.named, self._index.hits(whole))):
            name, size = inside.name, len(inside.name.text)
            if size < _MIN_SAID or name.is_plain or not {inside.start, inside.end} <= ends:
                continue
            if name.brand not in found or size > len(found[name.brand].text):
                found[name.brand] = name
        return found

    def _near_others(self, folded: Sequence[str]) -> set[int]:
        """The same of folded texts that are not ASCII."""
        spelt = [self._spelt(_WORDS.findall(text)) for text in folded]
        cores = ((i, core.replace(" ", "")) for i, each in enumerate(spelt) for core in each[1:])
        found = self._near_words([each[0].replace(" ", "") for each in spelt], cores)
        helping = lines_with(desks(), "\n".join([each[0] for each in spelt]))
        found.update(i for i in helping if is_desk(spelt[i][0]))
        if self._all_sounds is not None:
            heard = lines_with(self._all_sounds, "\n".join(map(sound_key, folded))) - found
            found.update(i for i in heard if any(map(self._may_be_heard, spelt[i])))
        return found

    def _spelt(self, words: list[str]) -> list[str]:
        """All words, and what is left without those that say what an account does."""
        return [" ".join(words), *(core for core, _ in self._cores(words, joint=" "))]

    def _may_be_heard(self, text: str) -> bool:
        """Whether `_read` may find a name in a text that is near none but by its sound."""
        return sound_key(text) in self._sounds or self._index.has_shape(text.replace(" ", ""))

    def _near_words(self, words: list[str], cores: Iterable[tuple[int, str]]) -> set[int]:
        """Which of the words are near a name, themselves or by one of the cores of their texts."""
        asked, owners = list(words), list(range(len(words)))
        for i, core in cores:
            asked.append(core)
            owners.append(i)
        return {owners[i] for i in self._index.prefilter.near(asked)}

    def _cores_in(self, joined: str) -> Iterator[tuple[int, str]]:
        """The `_cores` of each line that has any, and its number."""
        lines = joined.translate(_SPACED).split("\n")
        several = [i for i, line in enumerate(lines) if " " in line.strip()]
        for which in may_have_role([lines[i] for i in several]):
            i = several[which]
            yield from ((i, core) for core, _ in self._cores(lines[i].split()))

    def _folded(self, texts: Sequence[str]) -> list[str]:
        """Texts folded as a reader sees them: turned round if they say so, nothing stretched."""
        joined = "\n".join(texts)
        if "\u202e" in joined or "\u202d" in joined:
            texts = [_TURNED.sub(_as_seen, text) for text in texts]
        folded = fold(texts)
        for i in _stretched(folded):
            folded[i] = _WORDS.sub(self._unstretched, folded[i])
        return folded

    def _unstretched(self, word: re.Match[str]) -> str:
        """A word with one letter for three and more, unless a brand writes its name so."""
        return word[0] if word[0] in self._own_words else _STRETCHED.sub(r"\1", word[0])

    def _read(self, text: str, is_handle: bool) -> tuple[Seen, ...]:
        folded = self._folded([text])[0]
        words = _WORDS.findall(folded)
        whole = "".join(words)
        if len(whole) < 2 or not self._may_be(folded, whole, words):
            return ()
        is_odd = not text.isascii() and letters_only(text.lower()) != whole
        has_initial = any(len(word) == 1 for word in words)  # k_smith is a person, not a slip
        found = dict.fromkeys(
            Seen(name, how, "")
            for name, how in self._index.like(whole, odd=is_odd)
            if how == "same" or not has_initial
        )
        whose: set[int] = set()  # brands whose name is left over as it is: what fewer words say
        for core, role in self._cores(words):
            like = [
                Seen(name, how, role)
                for name, how in self._index.like(core, odd=is_odd)
                if name.brand not in whose or role == "support"
            ]
            found |= dict.fromkeys(like)
            whose |= {seen.name.brand for seen in like if seen.how == "same"}
        if is_handle or len(words) == 1:
            found |= dict.fromkeys(self._inside(whole, words))
        else:
            for core, role in ((whole, "names"), *self._cores(words)):
                found |= dict.fromkeys(Seen(name, "same", role) for name in self._made_of(core))
        found |= dict.fromkeys(self._sounding(folded, words))
        return tuple(found)

    def _may_be(self, folded: str, whole: str, words: list[str]) -> bool:
        """Whether the text is worth reading: most are nobody's, and this says so in a moment."""
        if self._index.has_inside(whole) or self._index.may_be_like(whole):
            return True
        if len(words) > 1:
            for core, _ in self._cores(words):
                if self._index.may_be_like(core):
                    return True
        return self._may_sound(folded)

    def _may_sound(self, folded: str) -> bool:
        """Whether a name in the other script may be in it by its sound."""
        automaton = self._latin_sounds if folded.isascii() else self._all_sounds
        key = sound_key(folded) if automaton is not None else ""
        return bool(automaton is not None and key and automaton.find_matches_as_indexes(key))

    def _inside(self, whole: str, words: list[str]) -> Iterator[Seen]:
        hits = self._index.hits(whole)
        if len(hits) > _MOST_INSIDE:
            ends = set(accumulate(map(len, words), initial=0))
            hits = telling(hits, ends, _MOST_INSIDE)
        for inside in _outermost(chain.from_iterable(map(self._index.named, hits))):
            if len(inside.name.text) >= _MIN_INSIDE and inside.end - inside.start < len(whole):
                yield Seen(inside.name, "same", role_beside(whole, words, inside))

    def _made_of(self, text: str) -> Iterator[Name]:
        """The first name of each brand whose names, laid end to end, make the text."""
        reached: dict[int, set[int]] = {}
        firsts: dict[int, Name] = {}
        for hit in self._index.hits(text):
            for name, start, end in self._index.named(hit):
                if start == 0:
                    firsts.setdefault(name.brand, name)
                if end - start < len(text) and (start == 0 or start in reached.get(name.brand, ())):
                    reached.setdefault(name.brand, set()).add(end)
        yield from (firsts[brand] for brand, ends in reached.items() if len(text) in ends)

    def _sounding(self, folded: str, words: list[str]) -> Iterator[Seen]:
        """Names written in the other script, or in Latin by other rules."""
        arabic = not folded.isascii() and is_arabic(folded)
        for text, role in ((" ".join(words), ""), *self._cores(words, joint=" ")):
            key = sound_key(text)
            for name, name_is_arabic in self._sounds.get(key, ()):
                if name_is_arabic != arabic or (
                    role != "company" and _is_spelling(text, name.text)
                ):
                    yield Seen(name, "sound" if len(key) > MIN_KEY else "faint", role)

    def _cores(self, words: list[str], joint: str = "") -> Iterator[tuple[str, str]]:
        """What is left without the words that say what an account does, and what those say.

        Words of the brands' own names, and those that end many names, are tried both ways.
        """
        if len(words) < 2:
            return
        words = [w[1:] if w[0] in _TO and w[1:] in self._own_words else w for w in words]
        roles = list(map(word_role, words))
        if not any(roles) and not any(map(str.isdigit, words)):
            return
        before: list[str] = []
        for keep in (self._own_words, lists().kind, frozenset[str]()):
            kept = [
                word
                for word, role in zip(words, roles)
                if word in keep or not (role or word.isdigit())
            ]
            said = [role for word, role in zip(words, roles) if role and word not in keep]
            if kept and said and kept != before:
                yield joint.join(kept), strongest(said)
            before = kept
        named = [word for word in words if not word.isdigit()]
        if named and len(named) < len(words):
            yield joint.join(named), "digits"


def _outermost(found: Iterable[Inside]) -> list[Inside]:
    """Names that are no part of another of the same brand that stands there."""
    by_size = sorted(found, key=lambda inside: inside.start - inside.end)
    kept: list[Inside] = []
    for one in by_size:
        if not any(
            other.start <= one.start and one.end <= other.end and other.name != one.name
            for other in kept
            if other.name.brand == one.name.brand
        ):
            kept.append(one)
    return kept


def _as_seen(turned: re.Match[str]) -> str:
    """Text that is shown from the right, or from the left, whatever its letters are."""
    from_left, text = turned[1] == "\u202d", turned[2]
    return text[::-1] if from_left is is_arabic(text) else text


def _stretched(texts: Sequence[str]) -> list[int]:
    """Indexes of texts in which a character stands three times running."""
    if len(texts) < _WORTH_A_BATCH:
        return [i for i, text in enumerate(texts) if _STRETCHED.search(text)]
    codes = np.frombuffer("\n".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    same = codes[1:] == codes[:-1]
    at = np.flatnonzero(same[1:] & same[:-1])
    if not len(at):
        return []
    breaks = np.flatnonzero(codes == ord("\n"))
    return [int(i) for i in np.unique(np.searchsorted(breaks, at)) if i < len(texts)]


def _automaton(keys: Iterable[str]) -> AhoCorasick | None:
    patterns = list(keys)
    return AhoCorasick(patterns) if patterns else None


def _is_spelling(text: str, name: str) -> bool:
    """Whether a word in the name's own script is that name by other rules, not merely like it."""
    return len(name) > _SURE_SPELLING and 0 < edits(letters_only(text), name, 2) <= 2


def _spellings(brands: Sequence[Brand]) -> Iterator[tuple[str, int]]:
    """Names as they are spelt, folded, with and without words such as *bank*."""
    for i, brand in enumerate(brands):
        handles = {*brand.handles, *(account.handle for account in brand.accounts)}
        for text in _texts(brand):
            folded = fold([text])[0]
            if text in handles:  # a country at its end is no part of the name
                words = _SPLIT.split(folded)
                folded = " ".join(w for w in words if len(words) < 2 or word_role(w) != "place")
            bare = " ".join(_words_without(folded, lists().kind))
            yield from ((spelt, i) for spelt in dict.fromkeys((folded, bare)))


def _texts(brand: Brand) -> Iterator[str]:
    yield from (*brand.names, *brand.handles)
    for account in brand.accounts:
        yield from (text for text in (account.handle, account.name) if text)


def _own_words(brands: Sequence[Brand]) -> Iterator[str]:
    """Words of the brands' names, folded; of handles those that do not say what an account does."""
    for brand in brands:
        accounts = [(a.handle or "", a.name or "") for a in brand.accounts]
        for text in fold([*brand.names, *(name for _, name in accounts)]):
            yield from _SPLIT.split(text)
        for text in fold([*brand.handles, *(handle for handle, _ in accounts)]):
            yield from (word for word in _SPLIT.split(text) if not word_role(word))


def _letters(text: str) -> str:
    return letters_only(unicodedata.normalize("NFC", text).casefold())


def _words_without(folded: str, dropped: frozenset[str]) -> list[str]:
    return [word for word in _SPLIT.split(folded) if word and word not in dropped]
