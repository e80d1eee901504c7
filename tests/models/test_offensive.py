"""Offensive language: the second head's artefact, training, command, and what it gets right."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from models.sentiment import OffensiveModel, SentimentArtefactError, load, load_offensive
from models.sentiment.features import FeatureSpec
from models.sentiment.model import EMPTY_OFFENSIVE, OFFENSIVE, SENTIMENT
from models.text import normalise
from streams.analyze import analyze_sentiment
from streams.cli import main
from tests.models.test_sentiment import DATA, HOSTILE, samples

needs_data = pytest.mark.skipif(
    not (DATA / OFFENSIVE.data).exists(), reason="no data about offensive language"
)
SMALL = FeatureSpec(char_bits=12, word_bits=14)
LINES = [
    b'{"id":"1","text":"you stupid idiots"}\n',
    '{"id":"2","text":"الخدمة سيئة جدا"}\n'.encode(),
    b'{"id":"3","text":""}\n',
]

# None of these is in the training data (see test_our_sentences_hold_no_probe).
INSULTS = {
    "Gulf": [
        "يا كلب رد على الناس",
        "انقلع يا حمار أنت وبنكك",
        "مدير الفرع غبي وحقير",
        "كل تبن أنت وشركتك",
        "الله يلعنكم يا سفلة",
    ],
    "Egyptian": [
        "انتو ولاد كلب وحرامية",
        "يا ابن الوسخة رجع فلوسي",
        "خدمة عملاء شوية معرصين",
        "غور في داهية يا متخلف",
    ],
    "Levantine": [
        "يلعن أبوكم شو حيوانات",
        "كس أختكم على هالخدمة",
        "واحد أهبل وواطي ما بيفهم",
        "سكر تمك يا جحش",
    ],
    "English": [
        "you are a bunch of fucking idiots",
        "shut up you stupid moron",
        "your agents are brainless pigs",
        "go to hell, scumbags",
        "what an asshole your branch manager is",
        "this bank is run by retarded clowns",
        "piss off you worthless parasite",
    ],
}
COMPLAINTS = {
    "Gulf": [
        "خدمتكم سيئة جدا وأطالب بتعويض",
        "حسبي الله ونعم الوكيل فيكم ضيعتوا حقي",
        "صار لي شهر أراجعكم وما لقيت حل، هذا إهمال",
        "أسوأ تجربة مريت فيها، ما أنصح أحد يتعامل معكم",
        "اعتذروا للعملاء وأعيدوا المبالغ المخصومة فورا",
    ],
    "Egyptian": [
        "بقالي أسبوع بكلمكم ومحدش بيرد، حرام عليكم",
        "الخدمة وحشة جدا وأنا هقفل حسابي",
        "إنتو بتستغلوا الناس ودي مش أول مرة",
    ],
    "Levantine": [
        "والله عيب هالتعامل مع الزبون، بدي مصرياتي",
        "شو هالخدمة السيئة، كل يوم النت مقطوع",
        "ما حدا بيرد علينا وقرفنا من الوعود",
    ],
    "English": [
        "this is the worst bank I have ever dealt with, close my account",
        "absolutely unacceptable, three hours on hold and no answer",
        "I am furious, you lost my luggage and nobody apologised",
        "shame on you for charging pensioners twice",
        "your app is a disaster and your support is useless",
        "stop ignoring us and give our money back",
        "disgusting food and rude staff, never again",
        "you lied to me about the contract and I will sue you",
        "the manager refused to help and hung up on my mother",
    ],
    "animals": [
        "كلبنا أكل الشحنة قبل ما أفتحها",
        "هل يوجد عندكم طعام للقطط والحمير",
        "the dog bit the courier",
        "خروف كامل مشوي بكم؟",
    ],
}
# Written after the sentences that the model learns from: nothing was changed because of these.
FRESH_INSULTS = [
    "you are nothing but filthy rats",
    "burn in hell you crooks and your mothers",
    "this moron of a driver nearly killed me",
    "hey dumbass, the link you sent is broken",
    "only retards bank with you",
    "your cashier is a fat ugly cow",
    "shove your loyalty card up your ass",
    "you bloody fools cannot even count",
    "الله ياخذكم يا قليلين الحيا",
    "يا تافه يا نصاب",
    "وش هالبهايم اللي في الاستقبال",
    "أنت حمار ولا تستحمر علينا",
    "يا عيال الكلب متى توصل الشحنة",
    "انت عبيط ولا بتستعبط",
    "شركة بنت وسخة",
    "يا بهيمة افهم بقى",
    "يا حقير ليش سكرت الخط",
    "الموظف حيوان ما بيعرف يحكي",
    "انقبروا كلكم يا زبالة",
    "تفو على هيك ناس واطية",
]
FRESH_COMPLAINTS = [
    "your technician never came and I lost a day of work",
    "honestly the worst customer support I have ever met",
    "you overcharged me and now you pretend it never happened",
    "your parking app is awful, it fined me for nothing",
    "I am sick of being transferred from one person to another",
    "the flight was delayed nine hours and you gave us a sandwich",
    "this insurance company refuses every claim, avoid them",
    "you keep promising and nothing changes, enough",
    "why are my children without electricity for the third night",
    "you cannot treat pregnant women like that",
    "خدمة التوصيل عندكم من سيء إلى أسوأ",
    "والله تعبنا منكم، كل شهر فاتورة غلط",
    "ليش ما تحترمون وقت الناس",
    "حسابي موقوف بدون سبب والبنك يتهرب",
    "انتوا ليه بتعملوا كده في العملاء",
    "الأكل جه بارد وناقص والمندوب زعقلي",
    "أنا مستاء جدا من تصرف موظفكم",
    "دفعت دم قلبي والغرفة مليانة رطوبة",
    "صرلي شهر عم ناطر التصليح وما حدا سأل",
    "هيدي آخر مرة بتعامل معكم",
]


@pytest.fixture(scope="module")
def model() -> OffensiveModel:
    return load_offensive()


def offensive_of(model: OffensiveModel, texts: list[str]) -> dict[str, float]:
    return dict(zip(texts, model.predict(normalise(texts)).tolist()))


# --- prediction


@pytest.mark.parametrize("dialect", INSULTS)
def test_insults_are_offensive(model: OffensiveModel, dialect: str) -> None:
    missed = {t: p for t, p in offensive_of(model, INSULTS[dialect]).items() if p < 0.5}
    assert not missed


@pytest.mark.parametrize("dialect", COMPLAINTS)
def test_complaints_are_not(model: OffensiveModel, dialect: str) -> None:
    blamed = {t: p for t, p in offensive_of(model, COMPLAINTS[dialect]).items() if p >= 0.5}
    assert not blamed


def test_what_nothing_was_fitted_to(model: OffensiveModel) -> None:
    """Two of these forty are wrong today, each by little (docs/models/offensive.md)."""
    missed = [t for t, p in offensive_of(model, FRESH_INSULTS).items() if p < 0.5]
    blamed = {t: p for t, p in offensive_of(model, FRESH_COMPLAINTS).items() if p >= 0.5}
    assert len(missed) + len(blamed) <= 3, (missed, blamed)
    assert all(p < 0.7 for p in blamed.values()), blamed


def test_spelling_hides_no_insult(model: OffensiveModel) -> None:
    p = offensive_of(model, ["يا كلب", "يا كـلـب", "يا كَلْب", "يا كللللللب", "يا ك\u200bلب"])
    assert min(p.values()) > 0.9, p


def test_batch_equals_one_by_one(model: OffensiveModel) -> None:
    texts = [*samples(200, seed=3), *HOSTILE]
    together = model.predict(normalise(texts))
    alone = np.concatenate([model.predict(normalise([text])) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert together.dtype == np.float32
    assert ((together > 0) & (together < 1)).all()


def test_no_text_is_not_offensive(model: OffensiveModel) -> None:
    np.testing.assert_allclose(model.predict(normalise(["", "\u200b"])), EMPTY_OFFENSIVE)
    assert model.predict(normalise([])).shape == (0,)


# --- the artefact


def test_shipped_artefact_is_of_this_version(model: OffensiveModel) -> None:
    assert model.version.startswith(f"{OFFENSIVE.version}+")
    assert OFFENSIVE.shipped.stat().st_size < 3_000_000


def test_loading_needs_no_scikit_learn() -> None:
    code = (
        "import sys; from models.sentiment import load_offensive; load_offensive();"
        "print([m for m in ('sklearn', 'scipy') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    with np.load(OFFENSIVE.shipped) as archive:
        header, weights = archive["header"], archive["weights"]
    weights[5, 0] += 1
    path = tmp_path / "o.npz"
    np.savez(path, header=header, weights=weights)
    with pytest.raises(SentimentArtefactError, match="checksum") as caught:
        load_offensive(path)
    assert str(path) in str(caught.value)
    assert f"nadhir train sentiment --data <folder with {OFFENSIVE.data}>" in str(caught.value)


def test_cut_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "o.npz"
    path.write_bytes(OFFENSIVE.shipped.read_bytes()[:100_000])
    with pytest.raises(SentimentArtefactError, match="not an artefact of weights"):
        load_offensive(path)


def test_each_head_refuses_the_weights_of_the_other() -> None:
    with pytest.raises(SentimentArtefactError, match=r"answers .*negative.*offensive"):
        load_offensive(SENTIMENT.shipped)
    with pytest.raises(SentimentArtefactError, match=r"answers .*offensive.*negative"):
        load(OFFENSIVE.shipped)


# --- training


def write_rows(folder: Path, rows: list[dict[str, object]]) -> Path:
    folder.mkdir(exist_ok=True)
    with gzip.open(folder / OFFENSIVE.data, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return folder


def made_rows(count: int) -> list[dict[str, object]]:
    cue = {True: ("zig", "زيغ"), False: ("zag", "زاغ")}
    rows: list[dict[str, object]] = []
    for i in range(count):
        bad, arabic = i % 3 == 0, i % 2
        text = f"{cue[bad][arabic]} {'word' if not arabic else 'كلمه'} {i}"
        rows.append({"text": text, "offensive": bad, "source": ("made-en", "made-ar")[arabic]})
    return rows


def test_training_is_deterministic_and_learns(tmp_path: Path) -> None:
    from models.sentiment.train import train_offensive

    folder = write_rows(tmp_path / "data", made_rows(240))
    reports = [train_offensive(folder, tmp_path / name, SMALL) for name in ("a.npz", "b.npz")]
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert reports[0] == reports[1]
    assert set(reports[0]["test"]) == {"ar", "en", "made-ar", "made-en"}
    learnt = reports[0]["rows"]["made-ar"] + reports[0]["rows"]["made-en"]
    assert 150 < learnt < 230  # the others are held out
    texts = ["zig word 7", "زيغ كلمه 7", "zag word 7", "زاغ كلمه 7"]
    p = load_offensive(tmp_path / "a.npz").predict(normalise(texts))
    assert (p > 0.5).tolist() == [True, True, False, False]


@needs_data
def test_a_subset_of_the_data_gives_equal_bytes(tmp_path: Path) -> None:
    from models.sentiment.train import train_offensive

    with gzip.open(DATA / OFFENSIVE.data, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][::12]
    folder = write_rows(tmp_path / "data", rows)
    found = [train_offensive(folder, tmp_path / name, SMALL)["sha256"] for name in "ab"]
    assert found[0] == found[1]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_other_rows_change_no_draw() -> None:
    from models.sentiment.rows import drawn

    texts = [f"text {i}" for i in range(1000)]
    assert drawn(texts)[::-1].tolist() == drawn(texts[::-1]).tolist()
    assert 0.15 < (drawn(texts) < 0.2).mean() < 0.25


@pytest.mark.parametrize("bad", [{"text": "x", "source": "s"}, {"offensive": "yes"}])
def test_bad_training_rows_are_named(tmp_path: Path, bad: dict[str, object]) -> None:
    from models.sentiment.train import train_offensive

    rows: list[dict[str, object]] = [{"text": "x", "offensive": True, "source": "s"}, bad]
    with pytest.raises(ValueError, match=r"line 2: bad row"):
        train_offensive(write_rows(tmp_path, rows), tmp_path / "out.npz", SMALL)


def test_our_sentences_hold_no_probe() -> None:
    from models.sentiment.train import _abuse_and_complaints

    tables = [*INSULTS.values(), *COMPLAINTS.values(), FRESH_INSULTS, FRESH_COMPLAINTS]
    batch = normalise([text for texts in tables for text in texts])
    known = normalise(_abuse_and_complaints().text)
    probes = {batch.text(i) for i in range(len(batch))}
    assert not probes & {known.text(i) for i in range(len(known))}


def test_insults_are_listed_once_and_hashed() -> None:
    from models.sentiment.design import GRAVITY, INSULTS_FILE, insults
    from models.sentiment.rows import data_lines

    pairs = [line.split("\t") for line in data_lines(INSULTS_FILE)]
    words = [word for word, _ in pairs]
    assert len(set(words)) == len(words)
    assert {kind for _, kind in pairs} == set(GRAVITY)
    assert max(len(word.split()) for word in words) <= 2  # longer n-grams are not hashed
    table = insults(FeatureSpec(word_bits=23))
    assert (table.getnnz(axis=0) > [500, 100, 100]).all()


def test_figures_of_a_known_case() -> None:
    from models.sentiment.measure import measure_offence

    p = np.array([0.9, 0.9, 0.9, 0.4, 0.2, 0.2], dtype=np.float32)
    figures = measure_offence(p, np.array([1, 1, 0, 1, 0, 0]))
    assert figures["precision"] == figures["recall"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["auc"] == pytest.approx((2 * 2.5 + 2) / 9, abs=1e-4)
    assert figures["macro_f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["ece"] == pytest.approx((0.7 + 0.6 + 0.4) / 6, abs=1e-4)


@needs_data
def test_figures_of_held_out_rows(model: OffensiveModel) -> None:
    """Floors a little below the figures of the model card, on rows the weights have not seen."""
    from models.sentiment.measure import measure_offence
    from models.sentiment.rows import read_offensive
    from models.sentiment.train import TEST

    rows, draw = read_offensive(DATA / OFFENSIVE.data)
    test = rows.where(draw < TEST)
    p = model.predict(normalise(test.text))
    arabic = np.char.startswith(test.source, "mpold")
    ar, en = (measure_offence(p[at], test.label[at]) for at in (arabic, ~arabic))
    assert ar["macro_f1"] >= 0.74
    assert ar["auc"] >= 0.86
    assert ar["ece"] <= 0.05
    assert en["macro_f1"] >= 0.71
    assert en["auc"] >= 0.79
    assert en["ece"] <= 0.04


# --- commands


def test_lines_say_how_offensive_they_are() -> None:
    plain = list(analyze_sentiment(LINES))
    asked = [json.loads(line) for line in analyze_sentiment(LINES, offensive=True)]
    assert [list(row)[-1] for row in asked] == ["offensive"] * 3
    p = [row.pop("offensive") for row in asked]
    assert asked == [json.loads(line) for line in plain]
    assert p[0] > 0.9
    assert p[1] < 0.2
    assert p[2] == EMPTY_OFFENSIVE
    assert p == [round(x, 4) for x in p]


def test_the_option_adds_one_key_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "m.jsonl"
    file.write_bytes(b"".join(LINES))
    run = CliRunner().invoke
    plain = run(main, ["analyze", "sentiment", str(file)]).stdout.splitlines()
    asked = run(main, ["analyze", "sentiment", "--offensive", str(file)]).stdout.splitlines()
    assert len(plain) == len(asked) == 3
    for before, after in zip(plain, asked):
        assert "offensive" not in before
        assert after.startswith(before[:-1] + ',"offensive":')


def test_training_names_the_file_that_is_missing(tmp_path: Path) -> None:
    options = ["--data", str(tmp_path), "--out", str(tmp_path / "s.npz")]
    options += ["--out-offensive", str(tmp_path / "o.npz")]
    (tmp_path / SENTIMENT.data).touch()
    done = CliRunner().invoke(main, ["train", "sentiment", *options])
    assert done.exit_code == 1
    assert "offensive.jsonl.gz is missing" in " ".join(done.stderr.split())
    assert not (tmp_path / "s.npz").exists()


def test_one_head_is_trained_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.sentiment.train.OFFENCE_SPEC", SMALL)
    write_rows(tmp_path, made_rows(90))
    out = tmp_path / "o.npz"
    options = ["--head", "offensive", "--data", str(tmp_path), "--out-offensive", str(out)]
    done = CliRunner().invoke(main, ["train", "sentiment", *options])
    assert done.exit_code == 0, done.stderr
    assert list(json.loads(done.stdout)) == ["offensive"]
    assert load_offensive(out).spec == SMALL
