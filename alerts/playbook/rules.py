"""Wording rules: what one text of a playbook may say, read word by word."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

from alerts.playbook.records import Language
from alerts.playbook.text import BIDI_OVERRIDES

_MIN_SHARE = 0.75  # of the letters, in the script of the language
_ALLOWED_FORMAT = frozenset("\u200c\u200e\u200f")  # Persian joins, and marks of direction

LINK = re.compile(r"https?://[!-~]+|(?<![\w@.])@\w+|(?<![\w@.])[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*"
                  r"\.[A-Za-z]{2,}(?![\w@])")  # fmt: skip
_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_PLACEHOLDER = re.compile(
    r"\b(?:TODO|TBD|TBC|FIXME|X{2,}|lorem ipsum)\b|\{\{|\}\}|\{[^}\n]*\}|\[[^\]\n]*\]|<[^>\n]*>"
    r"|_{3,}|«\s*(?:[….\s_]*|(?:اسم|أدخل|اكتب|رابط|تاريخ|وقت|رقم|insert|name|link|date)\b[^»]*)»"
)
_FOREIGN_DIGIT = re.compile(r"[٠-٩۰-۹]")

_UNPROVEN = "say 'suspected coordination': who is behind it is not proven"
_BLAME = "never blame customers"
_PROMISE = "nobody can keep this promise"
_SILENCE = "say what is known and when the next update comes"
_INSULT = "answer the matter, do not attack people"
_AR = r"(?<!\w)[وف]?(?:[بلك]?(?:ال)?|لل)"  # the particles that Arabic writes onto a word
_FORBIDDEN: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), why)
    for pattern, why in (
        (r"\b(?:ro)?bots?\b|\bbotnets?\b|\btrolls?\b|\btroll (?:farm|army)|\bastroturf\w*",
         _UNPROVEN),
        (_AR + r"(?:بوت(?:ات)?|روبوت(?:ات)?|ذباب (?:ال)?الكتروني|لجان (?:ال)?الكترونيه)(?!\w)",
         _UNPROVEN),
        (r"\byour (?:own )?(?:fault|mistake|error|negligence)\b|\buser error\b"
         r"|\byou should(?: not|n't)? have\b|\b(?:customers?|users?) (?:are|were|is) to blame\b",
         _BLAME),
        (r"(?<!\w)(?:خط[اؤئ]كم|اهمالكم|تقصيركم|كان (?:يجب )?عليكم|انتم السبب"
         r"|(?:خطا|اهمال|تقصير) (?:من )?(?:العميل|العملاء|المستخدم(?:ين)?))(?!\w)", _BLAME),
        (r"\bguarantee[sd]?\b|\bnever happen again\b|\b100 ?%|\b(?:completely|fully|totally) "
         r"(?:safe|secure)\b|\bno risk\b", _PROMISE),
        (r"(?<!\w)(?:نضمن|لن [يت]تكرر|امن[هة]? تماما|لا (?:يوجد )?(?:اي )?خطر)(?!\w)",
         _PROMISE),
        (r"\bno comment\b|(?<!\w)لا تعليق(?!\w)", _SILENCE),
        (r"\bfake news\b|\bhaters?\b|\bliars?\b|\bsmear campaign\b|\bwe will sue\b", _INSULT),
        (_AR + r"(?:مغرض(?:ه|ين|ون)?|حاقد(?:ين|ون)?|ماجور(?:ين|ون)?|كاذبون|كاذبين|سنقاضي)(?!\w)",
         _INSULT),
    )
)  # fmt: skip

_SECRET = re.compile(
    r"\bcard (?:numbers?|details?|data)\b|\bcv[vc]\b|\bpins?\b|\bpass(?:words?|codes?)\b"
    r"|\bone[- ]time (?:code|password)s?\b|\botps?\b|\bverification codes?\b"
    r"|(?:رقم|ارقام|بيانات) (?:ال)?بطاق\w+|كلم\w+ (?:ال)?(?:مرور|سر)\w*"
    r"|رم(?:ز|وز) (?:ال)?تحقق|(?:ال)?رقم (?:ال)?سري",
    re.IGNORECASE,
)
_REQUEST = re.compile(
    r"\b(?:send|share|provide|give|enter|submit|confirm|verify|tell|need|type|reply with)\b"
    r"|(?<!\w)[وف]?(?:ارسلوا?|ارسال|زودونا|تزويدنا|شاركونا|شاركوا|ادخلوا?|ادخال|اكتبوا|اذكروا"
    r"|افيدونا|موافاتنا|اكدوا|نحتاج|نطلب|يرجي|نرجو)(?!\w)",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:never|not|no|nor|without|\w+n['’]t)\b|(?<!\w)[وف]?(?:لا|لن|لم|دون|بدون|عدم)(?!\w)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?؟;؛\n]+")


class Fault(NamedTuple):
    """What is wrong, and where in the text."""

    offset: int
    message: str


def words(template: str) -> str:
    """Give a template's own words: its expressions become blanks of the same length.

    Examples
    --------
    >>> words("At {{ since }}.")
    'At            .'
    """
    return _EXPRESSION.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), template)


def wording(template: str, language: Language, *, spoken: bool) -> Iterator[Fault]:
    """Check one text.

    Parameters
    ----------
    template : str
        Text of the file.
    language : {"ar", "en"}
        The language it should be in.
    spoken : bool
        Whether it is meant to be said; only then the list of forbidden words applies.
    """
    text = words(template)
    yield from _characters(template)
    yield from placeholders(text)
    for match in _FOREIGN_DIGIT.finditer(text):
        yield Fault(match.start(), "write numbers in ASCII digits (0-9), alike in both languages")
        break
    yield from _script(text, language)
    if spoken:
        folded, offsets = _fold(text)
        for fault in (*_forbidden(folded), *_secrets(folded)):
            yield fault._replace(offset=offsets[fault.offset])


def placeholders(text: str) -> Iterator[Fault]:
    """Find what somebody left to fill in."""
    for match in _PLACEHOLDER.finditer(text):
        yield Fault(match.start(), f"'{match.group()}' is left to fill in")


def _characters(text: str) -> Iterator[Fault]:
    for offset, char in enumerate(text):
        category = unicodedata.category(char)
        hidden = category in ("Cc", "Cf", "Co", "Cs") and char not in "\n\t"
        if char in BIDI_OVERRIDES or (hidden and char not in _ALLOWED_FORMAT):
            yield Fault(offset, f"invisible character U+{ord(char):04X}")


def _script(text: str, language: Language) -> Iterator[Fault]:
    letters = [c for c in LINK.sub(" ", text) if c.isalpha()]
    arabic = sum("\u0600" <= c <= "\u077f" or "\u08a0" <= c <= "\u08ff" for c in letters)
    latin = sum(c < "\u0250" for c in letters)
    share = (arabic if language == "ar" else latin) / max(1, len(letters))
    if letters and share < _MIN_SHARE:
        script = "Arabic" if language == "ar" else "Latin"
        yield Fault(0, f"only {share:.0%} of the letters are {script}; is it '{language}'?")


def _forbidden(folded: str) -> Iterator[Fault]:
    for pattern, why in _FORBIDDEN:
        for match in pattern.finditer(folded):
            yield Fault(match.start(), f"'{match.group()}' is not to be said: {why}")


def _secrets(folded: str) -> Iterator[Fault]:
    """Sentences that ask for a secret; to say that we never ask is right."""
    for sentence in _SENTENCE.finditer(folded):
        secret = _SECRET.search(sentence.group())
        request = _REQUEST.search(sentence.group())
        if secret and request:
            negation = _NEGATION.search(sentence.group())
            if not negation or negation.start() > max(request.start(), secret.start()):
                message = f"asks for '{secret.group()}': never ask for secrets or card data"
                yield Fault(sentence.start() + secret.start(), message)


_LETTERS = str.maketrans("أإآٱىة", "ااااية".replace("ة", "ه"))


def _fold(text: str) -> tuple[str, list[int]]:
    """Fold Arabic spelling; also gives each character's place in the text."""
    kept = [
        (char, offset)
        for offset, char in enumerate(text)
        if char != "ـ" and unicodedata.category(char) not in ("Mn", "Cf")
    ]
    folded = "".join(char for char, _ in kept).translate(_LETTERS)
    return folded, [offset for _, offset in kept]
