"""Language identification: cases, figures on real data, and properties over batches."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import language
from models.language import LANGUAGES, detect
from models.text import normalise

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def language_of(text: str) -> str:
    return LANGUAGES[detect(normalise([text]))[0]]


CASES = [
    ("ar", "التطبيق لا يعمل منذ الصباح"),
    ("ar", "خدمة سيئة"),
    ("ar", "#بنك_الراجحي متعطل https://t.co/abcdefghijklmnop @AlRajhiBank_Support_Team"),
    ("ar", "RT @s_s_o0: $AAPL $GOOG $FB $AMZN هذا الأسبوع"),
    ("ar", "تحديث iPhone بطيء"),
    ("ar", "شلونچ اليوم"),
    ("ar", "پيتزا لذيذة"),
    ("ar", "abcdefghij ابتثجحخد"),  # a near tie
    ("en", "The app has been down since morning"),
    ("en", "Terrible service!!!"),
    ("en", "ok"),
    ("en", "Los Angeles branch closed"),
    ("en", "I don't know what happened at بنك"),
    ("en", "3ajabni awi"),
    ("en", "$AAPL 7:1 split"),
    ("en", "@أكمي_السعودية please help"),
    ("other", "No puedo entrar en la cuenta desde ayer"),
    ("other", "Je ne peux pas me connecter à mon compte"),
    ("other", "Ich kann mich nicht mit der App anmelden"),
    ("other", "Hesabıma giriş yapamıyorum, bu çok kötü bir uygulama"),
    ("other", "Aplikasi ini tidak bisa dibuka"),
    ("other", "این برنامه از دیروز که به روز شده است کار نمی کند و پشتیبانی چیزی نمی گوید"),
    ("other", "میں اپنے اکاؤنٹ میں لاگ ان نہیں کر پا رہا"),
    ("other", "Приложение не работает"),
    ("other", "アプリが動かない"),
    ("other", "앱이 안 열려요"),
    ("en", ""),
    ("en", "😀 123 !!!"),
    ("en", "https://t.co/x @acme"),
]


@pytest.mark.parametrize(("expected", "text"), CASES)
def test_cases(expected: str, text: str) -> None:
    assert language_of(text) == expected


def test_links_handles_addresses_and_cashtags_do_not_count() -> None:
    arabic = "لا يعمل"
    for noise in ("https://example.com/a/long/path", "@a_long_english_handle", "$ABCDEFGHIJKL"):
        assert language_of(f"{arabic} {noise}") == "ar"
        assert language_of(noise.replace("a", "أ") + " the app") == "en"
    assert language_of(f"{arabic} someone@example.com") == "ar"
    assert language_of("#TheAppIsDownAgain لا") == "en"  # a hashtag counts, its sign does not


def test_every_function_word_has_its_own_slot() -> None:
    words = {(1, w) for w in (language._ENGLISH_WORDS + language._OTHER_LATIN_WORDS).split()}
    words |= {(3, w) for w in (language._ARABIC_WORDS + language._OTHER_ARABIC_WORDS).split()}
    keys, values = language._function_words()
    assert np.count_nonzero(keys) == np.count_nonzero(values) == len(words)
    assert max(len(word) for _, word in words) <= language._LONGEST_WORD


def test_function_words_are_in_normal_form_and_in_one_list() -> None:
    lists = (
        language._ENGLISH_WORDS,
        language._OTHER_LATIN_WORDS,
        language._ARABIC_WORDS,
        language._OTHER_ARABIC_WORDS,
    )
    words = [word for words in lists for word in words.split()]
    assert normalise(words).joined().split() == words
    assert len(set(words)) == len(words)


def test_empty_batch() -> None:
    assert detect(normalise([])).tolist() == []
    assert detect(normalise([])).dtype == np.uint8


def share_right(name: str, lang: str) -> float:
    path = DATA / name
    if not path.exists():
        pytest.skip("shared data is absent")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    texts = [row["text"] for row in rows if row.get("lang") == lang]
    right = LANGUAGES.index(lang if lang in LANGUAGES else "other")
    return float(np.mean(detect(normalise(texts)) == right))


@pytest.mark.parametrize(
    ("name", "lang", "at_least"),
    [
        ("sentiment/dev.jsonl.gz", "ar", 0.99),
        ("sentiment/dev.jsonl.gz", "en", 0.998),
        ("mentions/stocknet-2014.jsonl.gz", "en", 0.998),
        ("mentions/stocknet-2014.jsonl.gz", "es", 0.88),
    ],
)
def test_accuracy_on_real_texts(name: str, lang: str, at_least: float) -> None:
    assert share_right(name, lang) >= at_least


ANY_TEXT = st.text(st.characters(codec=None), max_size=60)
MIXED = st.lists(st.sampled_from([text for _, text in CASES]), max_size=3).map(" ".join)


@given(st.lists(ANY_TEXT | MIXED, max_size=8))
def test_a_batch_is_its_texts(texts: list[str]) -> None:
    assert detect(normalise(texts)).tolist() == [int(detect(normalise([t]))[0]) for t in texts]


@pytest.mark.parametrize("char", ["a", "ا", "@", "$", ":", "/", "پ", "ß", "的", " ", "\x00", "é"])
def test_twenty_thousand_of_one_character(char: str) -> None:
    assert language_of(char * 20_000) in LANGUAGES
    assert detect(normalise([char * 20_000, "the end"])).tolist()[1] == LANGUAGES.index("en")
