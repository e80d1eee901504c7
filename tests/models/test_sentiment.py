"""Sentiment: features, artefact, training, and what the shipped model gets right."""

from __future__ import annotations

import gzip
import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models.records import LABELS
from models.sentiment import SentimentArtefactError, SentimentModel, load
from models.sentiment.features import CHUNK_CHARS, NULL_BUCKET, FeatureSpec, chunks, clean
from models.sentiment.model import EMPTY, SHIPPED, VERSION
from models.text import normalise

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "sentiment"
needs_data = pytest.mark.skipif(not (DATA / "dev.jsonl.gz").exists(), reason="no sentiment data")
SMALL = FeatureSpec(char_bits=12, word_bits=11)

# Customers as they write; none of these is in the training data (see test_seed_holds_no_probe).
CUSTOMERS = {
    "negative": [
        "the app is down again",
        "my transfer is stuck for 3 hours",
        "refund my money",
        "worst customer service ever, nobody replies",
        "you double charged me and refuse to give it back",
        "the website keeps crashing when I try to pay",
        "I've been waiting for my delivery since Monday, this is ridiculous",
        "no one answers the phone at the branch",
        "My internet has been cut for two days. Fix it!",
        "I will never fly with you again, lost my luggage",
        "your new update is terrible",
        "not satisfied at all, the product stopped working after a week",
        "التطبيق لا يعمل",
        "خدمة سيئة جدا ولا أحد يرد",
        "تم خصم المبلغ مرتين",
        "التطبيق واقف من الصبح وما أقدر أحول",
        "أسوأ شركة تعاملت معها في حياتي",
        "لي أسبوع أنتظر الشحنة وما وصلت",
        "الخدمة عندكم مو حلوة أبدا",
        "ما عجبني المنتج وأبي فلوسي",
        "خدمة العملاء مش بترد على حد",
        "النت بطيء جدا والشركة لا تستجيب",
        "حسبي الله عليكم سرقتوا فلوسنا",
        "انقطعت الخدمة للمرة الثانية هذا الأسبوع",
    ],
    "neutral": [
        "what time does the mall branch close today?",
        "how do I reset my password",
        "the company will publish its annual report on Thursday",
        "is the store open on Friday",
        "do you ship to Kuwait?",
        "ما هي ساعات عمل فرع الدوحة؟",
        "كيف أقدر أفتح حساب جديد",
        "أعلنت الشركة موعد انعقاد الجمعية العمومية",
        "هل التوصيل متاح في الشارقة؟",
        "وين موقع الفرع الجديد",
    ],
    "positive": [
        "thank you for the fast delivery, great service",
        "the staff were lovely and helped me right away",
        "love the new app, so easy to use",
        "best coffee in town, will come back",
        "my problem was solved in minutes, thanks a lot",
        "very happy with my new phone 😍",
        "شكرا لكم على الخدمة الممتازة",
        "التطبيق رائع وسهل جدا",
        "أفضل تجربة تسوق، أنصح به الجميع",
        "الموظفة كانت لطيفة وخلصت معاملتي بسرعة",
        "ما شاء الله خدمة سريعة ومحترمة ❤️",
        "بصراحة أحسن مطعم جربته",
    ],
}
HOSTILE = [
    "", " ", "\n\n", "\x00", "a" * 20_000, "م" * 20_000, "ab" * 10_000, "@" * 20_000,
    "http" * 5_000, "@a http://x @b " * 1_000, "\ud800\udfff lone", "\U0010ffff", "\ue000\ue001",
    "😡" * 5_000, "{{7*7}}", "\x1b[31mred", "\u202eabc\u2066", "www.", "http", "h", "@",
    "'" * 1_000, "_#_#", "x\ny", "ﷺ" * 3_000, "\U000e0041",
]  # fmt: skip


@pytest.fixture(scope="module")
def model() -> SentimentModel:
    return load()


def samples(n: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    words = ["the app", "is", "down", "سيئة", "الخدمة", "😡😡", "not", "good", "@user", "!!"]
    words += ["http://t.co/x", "مو", "حلو", "#tag_two", "12", "\n", "جداااا"]
    return [" ".join(rng.choices(words, k=rng.randrange(0, 30))) for _ in range(n)]


def features(text: str, spec: FeatureSpec = SMALL) -> list[list[int]]:
    (chunk,) = chunks(normalise([text]), spec)
    return [[b for b in block.tolist() if b != NULL_BUCKET] for block, _ in chunk.blocks]


def cleaned(*texts: str) -> list[str]:
    batch = normalise(texts)
    buffer, begins = clean(batch.codes, batch.starts)
    codes = (buffer & 0xFFFFFF).tolist()
    return [
        "".join(chr(c).replace("\ue000", "<handle>").replace("\ue001", "<url>") for c in codes[a:b])
        for a, b in zip(begins[:-1] + 1, begins[1:])
    ]


# --- cleaning


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@user see http", "<handle> see <url>"),
        ("@AcmeBank see https://t.co/Ab1?x=@y", "<handle> see <url>"),
        ("@one@two.three, ok", "<handle>, ok"),
        ("@acmeخدمة www.acme.com/x سيئة", "<handle>خدمه <url> سييه"),
        ("اقرأhttps://t.co/x", "اقرا<url>"),
        ("http://a@b http://c", "<url> <url>"),
        ("sooooo جداااااا !!!!", "soo جداا !!"),
        ("don't #so_bad 2024", "dont  so bad 00"),
        ("", ""),
    ],
)
def test_cleaning(text: str, expected: str) -> None:
    assert cleaned(text) == [expected]


def test_cleaning_keeps_texts_apart() -> None:
    texts = ["aa", "aaa", "", "@x", "http://t", "", "a"]
    assert cleaned(*texts) == [cleaned(t)[0] for t in texts]


def test_names_of_accounts_and_links_carry_no_weight(model: SentimentModel) -> None:
    pair = [
        "@acme the app is slow http://bad.example/hate",
        "@love_it the app is slow http://t.co/x",
    ]
    a, b = model.predict(normalise(pair))
    assert a.tolist() == b.tolist()


# --- features


def test_as_many_ngrams_as_there_should_be() -> None:
    """Windows count the newlines before and after the text as characters."""
    three, four, five, one, two = features("not good at all")
    assert [len(three), len(four), len(five)] == [15, 14, 13]
    assert [len(one), len(two)] == [4, 5]  # pairs: with the start and the end of the text


def test_equal_words_share_buckets_wherever_they_stand() -> None:
    spec = FeatureSpec(char_bits=20, word_bits=20, char_orders=(), word_orders=(1, 2))
    one, two = features("bad app bad app", spec)
    assert one[0] == one[2] != one[1] == one[3]
    assert two[1] == two[3] != two[2]
    assert features("really bad app", spec)[0][1:] == one[:2]


def test_pairs_with_a_gap_stay_inside_the_text() -> None:
    spec = FeatureSpec(word_bits=20, char_orders=(), word_orders=(0,))
    assert len(features("a b c d", spec)[0]) == 4  # start-b, a-c, b-d, c-end
    assert len(features("", spec)[0]) == 0


def test_words_are_told_apart() -> None:
    spec = FeatureSpec(char_bits=20, word_bits=20, char_orders=(), word_orders=(1,))
    words = [f"{a}{b}{c}" for a in "abcdefghij" for b in "klmnopqrst" for c in "سشصضطظعغفق"]
    buckets = {features(word, spec)[0][0] for word in words}
    assert len(buckets) > 990  # 1,000 words in a million buckets: a collision or two


# --- prediction


def test_batch_equals_one_by_one(model: SentimentModel) -> None:
    texts = [*samples(300, seed=3), *HOSTILE, *samples(300, seed=4)]
    assert sum(map(len, texts)) > 3 * CHUNK_CHARS
    together = model.predict(normalise(texts))
    alone = np.concatenate([model.predict(normalise([text])) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_probabilities(model: SentimentModel) -> None:
    p = model.predict(normalise([*HOSTILE, *samples(100, seed=5)]))
    assert p.dtype == np.float32
    assert np.isfinite(p).all()
    assert (p > 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-5)


def test_no_text_is_neutral(model: SentimentModel) -> None:
    np.testing.assert_allclose(model.predict(normalise(["", "\u200b"])), [EMPTY] * 2)
    assert model.predict(normalise([])).shape == (0, 3)


def test_customers_are_understood(model: SentimentModel) -> None:
    pairs = [(label, text) for label, texts in CUSTOMERS.items() for text in texts]
    p = model.predict(normalise([text for _, text in pairs]))
    got = [LABELS[i] for i in p.argmax(axis=1)]
    wrong = [(text, label, g) for (label, text), g in zip(pairs, got) if g != label]
    assert len(wrong) <= 0.1 * len(pairs), wrong
    assert not [w for w in wrong if {w[1], w[2]} == {"negative", "positive"}]


@pytest.mark.parametrize(
    ("better", "worse"),
    [("good", "not good"), ("حلو", "مو حلو"), ("عجبني", "ما عجبني"), ("great 😍", "great 😡")],
)
def test_negation_and_emoji(model: SentimentModel, better: str, worse: str) -> None:
    good, bad = model.predict(normalise([better, worse]))
    assert bad[0] > good[0]
    assert bad[2] < good[2]


# --- the artefact


def test_shipped_artefact_is_of_this_version(model: SentimentModel) -> None:
    assert model.version.startswith(f"{VERSION}+")
    assert SHIPPED.stat().st_size < 4_000_000


def test_loading_needs_no_scikit_learn() -> None:
    code = (
        "import sys; from models.sentiment import load; load();"
        "print([m for m in ('sklearn', 'scipy') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def damaged(path: Path, **changes: object) -> Path:
    with np.load(SHIPPED) as archive:
        header, weights = json.loads(archive["header"].tobytes()), archive["weights"]
    if changes.pop("weights", None) == "altered":
        weights[5, 0] += 1
    header.update(changes)
    raw = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
    with path.open("wb") as file:
        np.savez(file, header=raw, weights=weights)
    return path


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": "altered"}, "checksum"),
        ({"format": 99}, "format 99"),
        ({"version": "0.0.1"}, "version 0.0.1"),
        ({"arabic": {"scale": 1}}, "header lacks or garbles"),
        ({"features": {}}, "header lacks or garbles"),
        ({"features": {"char_bits": 3, "word_bits": 3, "char_orders": [3], "word_orders": [1]}},
         "weights are"),
    ],
)  # fmt: skip
def test_damaged_artefact(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    path = damaged(tmp_path / "s.npz", **changes)
    with pytest.raises(SentimentArtefactError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "nadhir train sentiment" in str(caught.value)


@pytest.mark.parametrize("data", [b"", b"not a zip", b"PK\x03\x04 cut"])
def test_unreadable_artefact(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "s.npz"
    path.write_bytes(data)
    with pytest.raises(SentimentArtefactError, match="not an artefact of weights"):
        load(path)


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path: Path, model: SentimentModel) -> None:
    raw = SHIPPED.read_bytes()
    rng = random.Random(11)
    for _ in range(12):
        at = rng.randrange(len(raw))
        path = tmp_path / "s.npz"
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 0x55]) + raw[at + 1 :])
        try:
            again = load(path)
        except SentimentArtefactError:
            continue
        assert again.version == model.version


def test_missing_artefact(tmp_path: Path) -> None:
    with pytest.raises(SentimentArtefactError, match="no such file"):
        load(tmp_path / "absent.npz")


# --- training


def write_rows(folder: Path, rows: list[dict[str, str]]) -> Path:
    folder.mkdir(exist_ok=True)
    with gzip.open(folder / "train.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return folder


def test_training_is_deterministic_and_learns(tmp_path: Path) -> None:
    from models.sentiment.train import train

    rng = random.Random(1)
    cue = {"negative": "zig زيغ", "neutral": "zag زاغ", "positive": "zog زوغ"}
    rows = [
        {"text": f"{rng.choice('abcdefgh')} {cue[label]} {i}", "label": label, "source": "made"}
        for i, label in enumerate(LABELS * 60)
    ]
    folder = write_rows(tmp_path / "data", rows)
    reports = [train(folder, tmp_path / name, SMALL) for name in ("a.npz", "b.npz")]
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert reports[0] == reports[1]
    assert reports[0]["rows"]["made"] == 180
    p = load(tmp_path / "a.npz").predict(normalise(list(cue.values())))
    assert p.argmax(axis=1).tolist() == [0, 1, 2]


def test_bad_training_rows_are_named(tmp_path: Path) -> None:
    from models.sentiment.train import train

    rows = [{"text": "x", "label": "neutral", "source": "s"}, {"text": "x", "label": "meh"}]
    with pytest.raises(ValueError, match=r"line 2: bad row"):
        train(write_rows(tmp_path, rows), tmp_path / "out.npz", SMALL)


def test_seed_holds_no_probe() -> None:
    from models.sentiment.rows import read_seed
    from models.sentiment.train import SEED_FILE, SEED_SOURCE

    seed = read_seed(SEED_FILE, SEED_SOURCE)
    batch = normalise([t for texts in CUSTOMERS.values() for t in texts])
    probes = {batch.text(i) for i in range(len(batch))}
    known = normalise(seed.text)
    assert not probes & {known.text(i) for i in range(len(known))}


def test_calibration_error_of_known_case() -> None:
    from models.sentiment.measure import measure

    p = np.array([[0.8, 0.1, 0.1]] * 10, dtype=np.float32)
    figures = measure(p, np.array([0] * 6 + [1] * 4))
    assert figures["accuracy"] == 0.6
    assert figures["ece"] == pytest.approx(0.2, abs=1e-4)
    assert figures["macro_recall"] == 0.5


@needs_data
def test_dev_figures(model: SentimentModel) -> None:
    """What was promised of each set, by language, and elsewhere a little below the card."""
    from models.sentiment.measure import measure
    from models.sentiment.rows import read_rows

    rows = read_rows(DATA / "dev.jsonl.gz")
    p = model.predict(normalise(rows.text))
    figures = {
        str(s): measure(p[rows.source == s], rows.label[rows.source == s])
        for s in np.unique(rows.source)
    }
    assert figures["umsab-ar"]["macro_f1"] >= 0.60
    assert figures["tweeteval-test"]["macro_recall"] >= 0.64
    assert figures["arsas-test"]["macro_f1"] >= 0.78
    assert figures["umsab-en"]["macro_f1"] >= 0.68
    arabic = np.isin(rows.source, ("arsas-test", "umsab-ar"))
    for of in (arabic, ~arabic):
        assert measure(p[of], rows.label[of])["ece"] <= 0.05
