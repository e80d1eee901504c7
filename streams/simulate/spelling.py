"""How people spell: a template in eight spellings, slots untouched.

0 plain, with a full stop, 1 casual, 2 stretched, 3 respelled (Arabic marks and tatweel, English
shorthand); and the small edits of a campaign's copies: 4 a word dropped, 5 two words swapped,
6 louder, 7 a word added.
"""

from __future__ import annotations

import re
from typing import Any

_SPACE = re.compile(r"(\s+)")
_HAMZA = str.maketrans("أإآةى", "اااهي")
_JOINS = set("بتثجحخسشصضطظعغفقكلمنهي")  # letters a tatweel may follow
_LAM_ALEF = ("لا", "لأ", "لإ", "لآ")
_TATWEEL_MIN = 6


def respell(template: str, lang: int, style: int, text: dict[str, Any]) -> str:
    """Return a template in one spelling.

    Parameters
    ----------
    template : str
        With slots as ``{name}``.
    lang : int
        Index into `rows.LANGS`: 0 for Arabic.
    style : int
        0 to 7, see the module.
    text : dict
        The language's texts, for its ``respelled`` and ``stretched`` words.
    """
    if style == 1:
        return _casual(template, lang)
    if style == 2:
        return _replace(template, text["stretched"], at_most=2)
    if style == 3:
        marked = _replace(template, text["respelled"], at_most=6)
        return _tatweel(marked) if lang == 0 else marked
    if style >= 4:
        return _edited(template, lang, style)
    return template if template[-1] in "؟?!." else template + "."


def _casual(template: str, lang: int) -> str:
    words = _SPACE.split(template)
    casual = [
        word if "{" in word else (word.translate(_HAMZA) if lang == 0 else word.lower())
        for word in words
    ]
    return "".join(casual).replace("،", "").rstrip(".")


def _replace(template: str, table: dict[str, str], *, at_most: int) -> str:
    words = _SPACE.split(template)
    left = at_most
    for i, word in enumerate(words):
        bare = word.strip("،,.:؟?!").lower()
        if bare in table and "{" not in word and left:
            words[i] = re.sub(re.escape(bare), table[bare], word, flags=re.IGNORECASE)
            left -= 1
    if left == at_most and at_most == 2:  # nobody stretches a word here: shout instead
        words.append("!!")
    return "".join(words)


def _tatweel(template: str) -> str:
    words = _SPACE.split(template)
    for i, word in enumerate(words):
        if len(word) >= _TATWEEL_MIN and "{" not in word:
            words[i] = tatweel(word)
            break
    return "".join(words)


def tatweel(text: str) -> str:
    """Stretch the first join between two Arabic letters, from the second letter on.

    Examples
    --------
    >>> tatweel("رمال")
    'رمــال'
    """
    for cut in range(2, len(text)):
        pair = text[cut - 1 : cut + 1]
        if pair[0] in _JOINS and pair not in _LAM_ALEF and pair[1].isalpha():
            return f"{text[:cut]}ــ{text[cut:]}"
    return text


def _edited(template: str, lang: int, style: int) -> str:
    words = template.split()
    free = [i for i in range(1, len(words)) if "{" not in words[i]]
    if style == 4 and len(free) > 3:
        del words[free[len(free) // 2]]
    elif style == 5 and len(free) > 3:
        i = free[-2]
        words[i : i + 2] = reversed(words[i : i + 2])
    elif style == 6:
        words[-1] += " !!"
    elif style == 7:
        words.append("الآن" if lang == 0 else "now")
    return " ".join(words)
