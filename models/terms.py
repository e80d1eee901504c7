"""What a window is about: terms that stand out against the brand's usual talk, and topics.

Terms are ranked by the log-odds ratio with an informative Dirichlet prior (Monroe, Colaresi &
Quinn, "Fightin' Words", *Political Analysis* 16, 2008) over how many mentions use them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from math import log, sqrt
from pathlib import Path
from typing import Generic, TypeVar

import orjson

from models.text import normalise

# marks on a letter, which \w leaves out: accents, and Arabic short vowels and shadda
_MARKS = r"[\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4]{0,3}"
_WORD = re.compile(rf"#?[^\W_]{_MARKS}(?:[\w']{_MARKS}){{2,30}}")
_LINK = re.compile(r"(?:https?://|www\.)\S+|@\w+")
_SPACE = re.compile(r"\s+")
_PRIOR = 0.5
MAX_TERMS = 8
_MOST_NOTES = 1 << 15

_Note = TypeVar("_Note")

# in the form that normalise gives
STOP_WORDS = frozenset(
    """
    the and for you your are was were with this that have has had not but all any can our out his
    her its they them what when why how who will just get got from been too very now then than
    there here about after again more some one two because would could should need want
    i'm it's don't can't isn't amp via still even
    علي الي من في عن مع هذا هذه ذلك التي الذي كان كانت يكون ليس لكن وانا انا انت هو هي نحن هم ما لا
    لم لن قد كل بعد قبل عند حتي اذا لو او ثم ايضا جدا يا اي وش ايش شو بس لما فيه فيها منه منها عليه
    عليها لكم الله احد خارج داخل نفس كذا كذلك لنا لي وهو وهي كيف متي وين ليش هل غير بين صباح مساء
    ساعه يوم اليوم الان احتاج ابي ابغي
    """.split()  # noqa: SIM905
)


class _PerText(Generic[_Note]):
    """What was found in a text, kept while there is room: mentions are read again and again."""

    def __init__(self, read: Callable[[list[str]], Iterable[_Note]]) -> None:
        self._read = read
        self._notes: dict[str, _Note] = {}

    def __call__(self, texts: Sequence[str]) -> list[_Note]:
        """The note of each text."""
        if len(self._notes) > _MOST_NOTES:
            self._notes.clear()
        new = list(dict.fromkeys(t for t in texts if t not in self._notes))
        if new:
            self._notes.update(zip(new, self._read(new)))
        return [self._notes[t] for t in texts]


class Terms:
    """Terms that stand out in some texts against others.

    Examples
    --------
    >>> Terms().top(["refund please", "my refund", "a refund!"], ["hello", "please"], frozenset())
    ['refund']
    """

    def __init__(self) -> None:
        self._words = _PerText(_words)

    def top(self, texts: Sequence[str], usual: Sequence[str], ignore: frozenset[str]) -> list[str]:
        """Terms of ``texts`` against ``usual``, strongest first, as they were written.

        Parameters
        ----------
        texts, usual : sequence of str
            Sampled mentions of the window, and of the time before it.
        ignore : frozenset of str
            Normalised words that say nothing here, such as the brand's names.
        """
        words = self._words(texts)
        now = Counter(chain.from_iterable(words))
        before = Counter(chain.from_iterable(self._words(usual)))
        n, m = max(len(texts), 1), max(len(usual), 1)
        scored = []
        for word, count in now.items():
            if count < 2 or count < 0.03 * n or word in ignore:
                continue
            other = before[word]
            odds = log((count + _PRIOR) / (n - count + _PRIOR))
            odds -= log((other + _PRIOR) / (m - other + _PRIOR))
            z = odds / sqrt(1 / (count + _PRIOR) + 1 / (other + _PRIOR))
            if z > 0.8:
                scored.append((-z, word))
        best = [word for _, word in sorted(scored)[:MAX_TERMS]]
        return [_most_common(Counter(w[word] for w in words if word in w)) for word in best]


def _words(texts: list[str]) -> list[dict[str, str]]:
    """Words of each text that may say something: normal form, and as it was written."""
    found = [set(_WORD.findall(_LINK.sub(" ", text))) for text in texts]
    every = sorted(set().union(*found))
    plain = normalise(every)
    key_of = {word: plain.text(i).strip().lstrip("#") for i, word in enumerate(every)}
    says = {word for word, key in key_of.items() if len(key) >= 3 and not _says_nothing(key)}
    return [{key_of[w]: w.lower() for w in sorted(words & says)} for words in found]


def _says_nothing(word: str) -> bool:
    # the conjunction و is written onto the next word
    return word in STOP_WORDS or word.removeprefix("و") in STOP_WORDS


def _most_common(written: Counter[str]) -> str:
    return min(written, key=lambda word: (-written[word], word))


class Topics:
    """Shares of mentions that speak of a topic, by a bilingual word list.

    Parameters
    ----------
    lexicon : mapping of str to sequence of str
        Topic to phrases (models/artifacts/topics.json).

    Examples
    --------
    >>> Topics({"outage": ["down"]}).shares(["the app is DOWN", "hi"])
    {'outage': 0.5}
    """

    def __init__(self, lexicon: Mapping[str, Sequence[str]]) -> None:
        self._patterns = {}
        for topic, phrases in lexicon.items():
            plain = normalise(list(phrases))
            words = sorted({plain.text(i).strip() for i in range(len(plain))})
            joined = "|".join(map(re.escape, words))
            # Arabic words carry prefixes such as و and ال
            self._patterns[topic] = re.compile(rf"(?<!\w)(?:و|ف)?(?:ال)?(?:{joined})(?!\w)")
        self._topics = _PerText(self._read)

    def shares(self, texts: Sequence[str]) -> dict[str, float]:
        """Share of the texts that each topic occurs in; topics that do not occur are left out."""
        counts = Counter(chain.from_iterable(self._topics(texts)))
        return {t: round(counts[t] / len(texts), 3) for t in self._patterns if counts[t]}

    def _read(self, texts: list[str]) -> list[tuple[str, ...]]:
        plain = normalise([_SPACE.sub(" ", t) for t in texts])
        lines = [plain.text(i) for i in range(len(plain))]
        return [tuple(t for t, p in self._patterns.items() if p.search(line)) for line in lines]


def load_topics() -> dict[str, list[str]]:
    """The word lists that ship with Nadhir, by topic."""
    path = Path(__file__).parent / "artifacts" / "topics.json"
    topics: dict[str, list[str]] = orjson.loads(path.read_bytes())
    return topics
