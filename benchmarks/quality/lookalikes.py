"""Accounts that look like a brand's, made by every trick that is known, in both scripts."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterator
from typing import NamedTuple

from models.records import Author, Brand

BRANDS = (
    Brand(id="alrajhi", names=("Al Rajhi Bank", "مصرف الراجحي"), handles=("AlrajhiBank",)),
    Brand(id="jarir", names=("Jarir Bookstore", "مكتبة جرير"), handles=("JarirBookstore",)),
    Brand(id="mobily", names=("Mobily", "موبايلي"), handles=("Mobily",)),
    Brand(id="saudia", names=("Saudia Airlines", "الخطوط السعودية"), handles=("Saudi_Airlines",)),
    Brand(id="talabat", names=("Talabat", "طلبات"), handles=("talabat",)),
    Brand(id="microsoft", names=("Microsoft", "مايكروسوفت"), handles=("Microsoft",)),
    Brand(id="paypal", names=("PayPal", "باي بال"), handles=("PayPal",)),
    Brand(id="netflix", names=("Netflix", "نتفليكس"), handles=("netflix",)),
    Brand(id="emirates", names=("Emirates NBD", "بنك الإمارات دبي الوطني"),
          handles=("EmiratesNBD_AE",)),
    Brand(id="etisalat", names=("Etisalat", "اتصالات"), handles=("etisalat",)),
)  # fmt: skip

_CYRILLIC = str.maketrans("aceopxyiABCEHKMOPTX", "асеорхуіАВСЕНКМОРТХ")
_LEET = str.maketrans("oleastOLEAST", "013457013457"[0:6] + "013457")
_ARABIC = str.maketrans("يكهأإاة", "یکەااآه")
_SUPPORT = ("support", "help", "care", "Official", "customercare", "helpdesk", "team_support")
_SUPPORT_AR = ("خدمة_العملاء", "رسمي", "الدعم", "الدعم_الفني", "خدمات_العملاء")
_SUPPORT_NAMES = ("{} Support", "{} Help Center", "{} Customer Care", "Official {}", "{} - Help")
_SUPPORT_NAMES_AR = ("خدمة عملاء {}", "{} الرسمي", "الدعم الفني {}", "دعم {}", "{} | خدمة العملاء")
_SUPPORT_ARABIZI = ("5edma", "da3m", "rasmi", "khedmet_3omala", "5edmet_el3omala", "mosa3ada")
_DESKS = ("Customer Care", "Customer Support", "خدمة العملاء", "الدعم الفني")
_BIOGRAPHIES = ("Official support of {}, here to help 24/7", "We help the customers of {}. DM us",
                "الحساب الرسمي لخدمة عملاء {}", "نخدم عملاء {}، راسلنا على الخاص")  # fmt: skip
_BANK = {"بنك": "مصرف", "مصرف": "بنك"}
_LINKS = ("https://{}-support.com", "https://{}.login-id.top/help", "help-{}.net")
_ARABIZI = {"alrajhi": "el rajhi", "jarir": "gareer", "talabat": "6alabat", "mobily": "mobaily"}

Trick = Callable[[str, random.Random], str]


class LookAlike(NamedTuple):
    """An account, the trick it was made by and the brand it poses as."""

    trick: str
    brand: str
    author: Author


def _doubled(text: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(text))
    return text[:at] + text[at - 1] + text[at:]


def _added(text: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(text) + 1)
    return text[:at] + rng.choice("abcdefghiklmnorstuy") + text[at:]


def _left_out(text: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(text))
    return text[:at] + text[at + 1 :]


def _swapped(text: str, rng: random.Random) -> str:
    places = [i for i in range(1, len(text) - 1) if text[i].lower() != text[i + 1].lower()]
    at = rng.choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def _hidden(text: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(text))
    return text[:at] + rng.choice("\u200b\u200d\u2060\u00ad\u200e\u200f\ufeff") + text[at:]


def _stretched(text: str, rng: random.Random) -> str:
    joining = [i for i in range(1, len(text)) if text[i - 1] in "بتثجحخسشصضطظعغفقكلمنهي"]
    at = rng.choice(joining)
    return text[:at] + "ـ" * rng.randrange(1, 4) + text[at:]


def _presented(text: str, rng: random.Random) -> str:
    """In the presentation forms of letters (isolated ones)."""
    forms = {
        unicodedata.normalize("NFKC", chr(c)): chr(c)
        for c in range(0xFE80, 0xFEFD)
        if "ISOLATED" in unicodedata.name(chr(c), "")
    }
    return "".join(forms.get(c, c) for c in text)


def _bold(text: str, rng: random.Random) -> str:
    start = rng.choice((0x1D41A, 0x1D5BA, 0x1D68A))
    return "".join(chr(start + ord(c) - 97) if "a" <= c <= "z" else c for c in text.lower())


def _repeated(text: str, rng: random.Random) -> str:
    at = rng.choice([i for i, c in enumerate(text) if c.isalpha()])
    return text[:at] + text[at] * rng.randrange(2, 5) + text[at:]


def _framed(text: str, rng: random.Random) -> str:
    """In letters in squares or circles."""
    start = rng.choice((0x1F130, 0x1F150, 0x1F170, 0x24D0))
    return "".join(chr(start + ord(c) - 97) if "a" <= c <= "z" else c for c in text.lower())


def _flagged(text: str, rng: random.Random) -> str:
    """In letters of which two would be a flag, kept apart."""
    letters = (chr(0x1F1E6 + ord(c) - 97) if "a" <= c <= "z" else c for c in text.lower())
    return "\u200b".join(letters)


def _reordered(text: str, rng: random.Random) -> str:
    """With the last word in front."""
    *words, last = text.split()
    return " ".join((last, *words))


def _articled(text: str, rng: random.Random) -> str:
    """One word with the article that it has not, or without the one it has."""
    words = text.split()
    at = rng.randrange(len(words))
    bare = words[at].removeprefix("ال")
    words[at] = bare if bare != words[at] else f"ال{bare}"
    return " ".join(words)


def _wide(text: str, rng: random.Random) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


# of handles and Latin names alike
LATIN: dict[str, Trick] = {
    "letter doubled": _doubled,
    "letter added": _added,
    "letter left out": _left_out,
    "letters swapped": _swapped,
    "letter repeated": _repeated,
    "digits for letters": lambda text, rng: text.translate(_LEET),
    "capital I for l": lambda text, rng: text.replace("l", "I").replace("i", "l"),
}
HANDLES: dict[str, Trick] = {
    "support affix": lambda text, rng: f"{text}_{rng.choice(_SUPPORT)}",
    "support prefix": lambda text, rng: f"{rng.choice(_SUPPORT)}{text}",
    "underscores": lambda text, rng: rng.choice((f"_{text}_", f"{text}__", f"{text}_")),
    "digits added": lambda text, rng: f"{text}{rng.randrange(1, 9999)}",
    "Arabic affix": lambda text, rng: f"{text}_{rng.choice(_SUPPORT_AR)}",
    "Arabizi affix": lambda text, rng: f"{text}_{rng.choice(_SUPPORT_ARABIZI)}",
    "support and digits": lambda text, rng: f"{text}_{rng.choice(_SUPPORT)}{rng.randrange(1, 999)}",
}
NAMES: dict[str, Trick] = {
    "same name": lambda text, rng: text,
    "support in name": lambda text, rng: rng.choice(_SUPPORT_NAMES).format(text),
    "Cyrillic letters": lambda text, rng: text.translate(_CYRILLIC),
    "mathematical letters": _bold,
    "full width": _wide,
    "hidden characters": _hidden,
    "bidi override": lambda text, rng: f"\u202e\u202d{text}\u202c",
    "text turned": lambda text, rng: f"\u202e{text[::-1]}\u202c",
    "squares and circles": _framed,
    "flag letters": _flagged,
    "support and digits in name": lambda text, rng: f"{text} Support {rng.randrange(1, 999)}",
}
ARABIC: dict[str, Trick] = {
    "same Arabic name": lambda text, rng: text,
    "support in Arabic name": lambda text, rng: rng.choice(_SUPPORT_NAMES_AR).format(text),
    "Arabic letter variants": lambda text, rng: text.translate(_ARABIC),
    "tatweel": _stretched,
    "presentation forms": _presented,
    "hidden characters (Arabic)": _hidden,
    "letters swapped (Arabic)": _swapped,
    "letter doubled (Arabic)": _doubled,
    "letter repeated (Arabic)": _repeated,
    "article": _articled,
    "text turned (Arabic)": lambda text, rng: f"\u202d{text[::-1]}\u202c",
    "support and digits (Arabic)": lambda text, rng: f"خدمة عملاء {text} {rng.randrange(1, 999)}",
    "tashkeel": lambda text, rng: "".join(c + rng.choice(("", "َ", "ِ")) for c in text),
}


# of names in either script, where they change anything
WORDS: dict[str, Trick] = {
    "words in another order": _reordered,
    "the other word for bank": lambda text, rng: " ".join(_BANK.get(w, w) for w in text.split()),
}


def look_alikes(rounds: int = 4, seed: int = 0) -> Iterator[LookAlike]:
    """Accounts by every trick for every brand, so often; the same for a seed."""
    rng = random.Random(seed)
    for brand in BRANDS:
        latin, arabic, handle = brand.names[0], brand.names[1], brand.handles[0]
        for number in range(rounds):
            for trick, change in (LATIN | HANDLES).items():
                yield _made(trick, brand, handle=change(handle, rng), rng=rng)
            for trick, change in (LATIN | NAMES).items():
                yield _made(f"{trick}, in the name", brand, name=change(latin, rng), rng=rng)
            for trick, change in ARABIC.items():
                yield _made(trick, brand, name=change(arabic, rng), rng=rng)
            for trick, change in WORDS.items():
                for text in (latin, arabic):
                    if (name := change(text, rng)) != text:
                        yield _made(trick, brand, name=name, rng=rng)
            both = rng.choice(("{0} {1}", "{1} {0}", "{1} | {0}", "{0} - {1}"))
            yield _made("both names", brand, name=both.format(latin, arabic), rng=rng)
            bio = rng.choice(_BIOGRAPHIES).format(rng.choice((latin, arabic)))
            yield _made("desk with biography", brand, name=rng.choice(_DESKS), bio=bio, rng=rng)
            link = rng.choice(_LINKS).format(handle.lower().replace("_", ""))
            yield _made("desk with link", brand, name=rng.choice(_DESKS), url=link, rng=rng)
            if brand.id in _ARABIZI and not number:
                name = f"{_ARABIZI[brand.id]} support"
                yield _made("other transliteration", brand, name=name, rng=rng)


def _made(
    trick: str,
    brand: Brand,
    *,
    rng: random.Random,
    handle: str | None = None,
    name: str = "",
    bio: str | None = None,
    url: str | None = None,
) -> LookAlike:
    """An account with one trick; what the trick does not touch says nothing of the brand."""
    author = Author(
        id=str(rng.randrange(10**9)),
        handle=handle or f"user{rng.randrange(10**6)}",
        name=name or rng.choice(("", "Help", "Customer Service", "خدمة العملاء")),
        followers=rng.randrange(500),
        verified=False,
        bio=bio,
        url=url,
    )
    return LookAlike(trick, brand.id, author)
