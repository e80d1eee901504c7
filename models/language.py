"""Arabic, English or another language: by script, then by function words, over whole batches.

Function words are the most frequent words of a language and nearly absent from others, which
makes short closed lists of them a strong and explainable evidence (G. Grefenstette, "Comparing
two language identification schemes", JADT 1995).

Decisions worth knowing:

- Links, e-mail addresses and handles are skipped whole; of a hashtag only the sign is.
- Persian and Urdu are written in the Arabic script, and normalisation folds most of their own
  letter forms.  They are ``other`` when their function words and remaining letters (پ چ ژ ٹ ڈ ڑ ں)
  outnumber the Arabic function words, else ``ar``: a single چ or پ is common in Gulf dialects.
- A Latin text is ``other`` by two foreign function words or more; without evidence, and when
  short, it is ``en``.  Normalisation has removed most Latin diacritics, so words must decide.
- Arabizi (Arabic in Latin letters: "3ajabni awi") is not recognised and comes out as ``en``.
"""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

from models.records import Int64, UInt32, UInt64
from models.text import TABLE_SIZE, CodeBatch

LANGUAGES = ("ar", "en", "other")
_AR, _EN, _OTHER = range(3)

UInt8 = npt.NDArray[np.uint8]

_ENGLISH_WORDS = """
    the and is are was were be been being have has had having do does did not but or if of to for
    from with without by at this that these those it its he she they them their there then than
    you your we our us my his her him who what when where why how which will would can could should
    just about after before over into out up down off all any more most some only very too now here
    i ll ve re don didn doesn isn aren wasn won new get got like good really still back see
"""
_OTHER_LATIN_WORDS = """
    que de la el los las una uno del por para con sin pero como muy esta este esto esa ese hay
    ser fue y su sus tu yo nos les lo ya en porque cuando donde todo
    le des du une et dans pour pas sur avec qui ce cette sont nous vous ils elle je au aux
    mais ou comme ne
    der das und ist nicht ein eine einen dem den auf fur von zu auch sich wie bei nach
    aus wird sind oder aber noch nur ich wir sie
    di il che della dei gli nel sono questo anche
    os uma nao ao dos seu sua isso foi
    bir bu icin ile cok daha gibi ama yok
    yang ke dari untuk ini itu dengan tidak ada akan pada juga saya kami
    het een van niet te dat ik voor zijn maar ook
    och att det som inte jag av til og
    ang ng mga ako hindi siya
"""
_ARABIC_WORDS = """
    في من علي الي عن مع هذا هذه ذلك التي الذي ما لا لم لن ان او ثم كل بعد قبل عند كان كانت هو هي
    هم انا نحن انت يا اللي مش مو ليش وش ايش شو بس لكن حتي اذا قد كما بين غير منذ اي لو الله اليوم
"""
_OTHER_ARABIC_WORDS = """
    است از را كه شده كردند براي بود هر دارد نيست شود خواهد اور تهي تها بهي
"""
_OTHER_ARABIC_LETTERS = "پچژٹڈڑں"

# Classes of characters.  A word is a run of one class of letters; foreign letters split words.
_MARK, _LATIN, _FOREIGN_LATIN, _ARABIC, _FOREIGN_ARABIC, _LETTER = range(6)
_AT, _DOLLAR, _COLON, _SLASH, _SPACE, _NEWLINE = range(6, 12)
_LONGEST_WORD = 7  # letters; the eighth byte of a key is the class
_MIN_FOREIGN = 2  # one foreign word may be a name ("los", "van")
_SLOT_BITS = 14
_MULTIPLIER = 0xCCA5A5A19E4D6E3D  # found by trial: no two function words share a slot


def detect(batch: CodeBatch) -> UInt8:
    """Language of every text.

    The script with more letters decides; Arabic does on near ties (four fifths of the Latin
    letters), since Arabic posts are full of Latin product names.  Inside a script, function words
    decide: a text is ``other`` when it has more foreign than own ones.

    Parameters
    ----------
    batch : CodeBatch
        The normalised texts.

    Returns
    -------
    uint8[n]
        Indices into `LANGUAGES`.

    Examples
    --------
    >>> from models.text import normalise
    >>> texts = ["خدمة العملاء لا ترد", "The app is down", "No puedo entrar en la cuenta", "ок"]
    >>> [LANGUAGES[i] for i in detect(normalise(texts))]
    ['ar', 'en', 'other', 'other']
    """
    kind, start, size, row = _words(batch)
    letters = _count(row, kind, size, len(batch))
    arabic = letters[:, _ARABIC] + letters[:, _FOREIGN_ARABIC]
    latin = letters[:, _LATIN] + letters[:, _FOREIGN_LATIN]
    short = np.flatnonzero(size <= _LONGEST_WORD)
    said = _function_word(batch.codes, kind[short], start[short], size[short])
    words = _count(row[short], said, None, len(batch))
    in_arabic = (arabic > 0) & (5 * arabic >= 4 * latin) & (arabic >= letters[:, _LETTER])
    own = np.where(in_arabic, words[:, _ARABIC], words[:, _LATIN])
    foreign = np.where(in_arabic, words[:, _FOREIGN_ARABIC], words[:, _FOREIGN_LATIN])
    other_script = ~in_arabic & (letters[:, _LETTER] > latin)
    language = np.where(in_arabic, np.uint8(_AR), np.uint8(_EN))
    language[other_script | ((foreign > own) & (foreign >= _MIN_FOREIGN))] = _OTHER
    return language


def _words(batch: CodeBatch) -> tuple[UInt8, Int64, Int64, Int64]:
    """Kind, start, size and row of all words outside links, addresses, handles and cashtags."""
    classes = _classes().take(batch.codes, mode="clip")
    start = np.concatenate(([0], np.flatnonzero(classes[1:] != classes[:-1]) + 1))[: len(classes)]
    kind = classes[start]
    row = np.repeat(np.arange(len(batch)), np.diff(np.searchsorted(start, batch.starts)))
    opens_link = kind == _AT
    opens_link[1:] |= (kind[1:] == _SLASH) & (kind[:-1] == _COLON)
    token = np.cumsum(kind >= _SPACE, dtype=np.int32)
    skipped = np.zeros(len(start) + 1, dtype=np.bool_)  # by token
    skipped[token[opens_link]] = True
    word = (kind > _MARK) & (kind <= _LETTER)
    word[1:] &= kind[:-1] != _DOLLAR
    kept = np.flatnonzero(word)
    kept = kept[~skipped[token[kept]]]
    # a text ends in a newline, so no word is the last run
    return kind[kept], start[kept], start[kept + 1] - start[kept], row[kept]


def _count(row: Int64, what: UInt8, weight: Int64 | None, rows: int) -> Int64:
    flat = np.bincount(row * _AT + what, weight, minlength=rows * _AT)
    return flat.astype(np.int64).reshape(rows, _AT)


def _function_word(codes: UInt32, kind: UInt8, start: Int64, size: Int64) -> UInt8:
    """Class that each word speaks for as a function word, or by its foreign letters; else 0."""
    low = np.zeros(len(codes) + 8, dtype=np.uint8)
    low[: len(codes)] = codes & 0xFF
    # every eight bytes as one integer: a word of up to seven letters is read at once
    eight = np.ndarray(len(codes), dtype="<u8", buffer=low.data, strides=(1,))
    masks = np.array([(1 << (8 * n)) - 1 for n in range(_LONGEST_WORD + 1)], dtype=np.uint64)
    key = (eight[start] & masks[size]) | (kind.astype(np.uint64) << np.uint64(56))
    keys, values = _function_words()
    slot = _slot(key)
    said = np.where(keys[slot] == key, values[slot], np.uint8(0))
    return np.where((kind == _FOREIGN_LATIN) | (kind == _FOREIGN_ARABIC), kind, said)


def _slot(key: UInt64) -> Int64:
    mixed = key * np.uint64(_MULTIPLIER)
    return (mixed >> np.uint64(64 - _SLOT_BITS)).astype(np.int64)


@cache
def _function_words() -> tuple[UInt64, UInt8]:
    """Hash table of the function words: keys and what they speak for."""
    said = {}
    for words, script, value in (
        (_OTHER_LATIN_WORDS, _LATIN, _FOREIGN_LATIN),
        (_OTHER_ARABIC_WORDS, _ARABIC, _FOREIGN_ARABIC),
        (_ENGLISH_WORDS, _LATIN, _LATIN),
        (_ARABIC_WORDS, _ARABIC, _ARABIC),
    ):
        for word in words.split():
            key = sum((ord(char) & 0xFF) << (8 * i) for i, char in enumerate(word))
            said[key | script << 56] = value
    listed = np.array(list(said), dtype=np.uint64)
    keys = np.zeros(1 << _SLOT_BITS, dtype=np.uint64)
    values = np.zeros(1 << _SLOT_BITS, dtype=np.uint8)
    keys[_slot(listed)] = listed
    values[_slot(listed)] = list(said.values())
    return keys, values


@cache
def _classes() -> UInt8:
    table = np.full(TABLE_SIZE, _MARK, dtype=np.uint8)
    for code in range(0x34000):
        char = chr(code)
        if char.isalpha():
            name = unicodedata.name(char, "")
            arabic, latin = name.startswith("ARABIC"), name.startswith("LATIN")
            table[code] = _ARABIC if arabic else _FOREIGN_LATIN if latin else _LETTER
    table[[ord(char) for char in _OTHER_ARABIC_LETTERS]] = _FOREIGN_ARABIC
    table[ord("a") : ord("z") + 1] = _LATIN
    for mark, its_class in (("@", _AT), ("$", _DOLLAR), (":", _COLON), ("/", _SLASH)):
        table[ord(mark)] = its_class
    table[ord(" ")], table[ord("\n")] = _SPACE, _NEWLINE
    return table
