"""Praise that is not meant is called neutral; thanks that are meant stay praise."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest

from models.records import LABELS, Float32, Mention
from models.sentiment import load
from models.sentiment.sarcasm import CUES_FILE, UNSURE, Cues, Sarcasm, shipped
from models.text import normalise
from streams.score import ScoreStage
from tests.observing import BRANDS

MODEL = load()
BARE = dataclasses.replace(MODEL, sarcasm=None)
CUES = msgspec.json.decode(CUES_FILE.read_bytes(), type=Cues)

# all of them positive to the bare model
MOCKING = (
    "Thanks for the delay, Acme, my weekend is perfect now",
    "Great job Acme, another outage on payday",
    "Thank you so much for the outage, I love walking home",
    "What a wonderful service, best day ever /s",
    "I just love this app, so fast #not",
    "الله يعطيكم العافية على هالتأخير 🙂",
    "شكرا لكم على الانقطاع، ليلة جميلة",
    "ما شاء الله تبارك الله، عطل جديد كل أسبوع",
    "خدمة رائعة وسريعة #سخرية",
    "كفو والله على تعطل النظام",
)
MEANT = (
    "Thank you for fixing the outage so fast, great support",
    "Thanks a lot, the delay was sorted in minutes, great team",
    "Congratulations on the award, well deserved",
    "شكرا على حل المشكلة بسرعة، خدمة ممتازة",
    "شكرا لكم على إصلاح العطل بسرعة، ممتازين",
    "وصل الطلب بدون تأخير، شكرا",
    "ما شاء الله تبارك الله، خدمة رائعة",
)


def doubted(texts: list[str], *probabilities: tuple[float, float, float]) -> Float32:
    said = np.array(probabilities, dtype=np.float32)
    shipped().doubt(normalise(texts), said)
    return said


@pytest.mark.parametrize("text", MOCKING)
def test_praise_that_mocks_is_uncertain(text: str) -> None:
    assert LABELS[int(BARE.predict(normalise([text])).argmax())] == "positive"
    assert MODEL.predict(normalise([text]))[0].tolist() == pytest.approx(UNSURE)


@pytest.mark.parametrize("text", MEANT)
def test_praise_that_is_meant_stays_praise(text: str) -> None:
    batch = normalise([text])
    assert (MODEL.predict(batch) == BARE.predict(batch)).all()
    assert LABELS[int(MODEL.predict(batch).argmax())] == "positive"


def test_the_stage_labels_it_neutral() -> None:
    texts = [f"@acme Acme أكمي {text}" for text in MOCKING]
    mentions = [
        msgspec.convert(
            {"id": str(i), "platform": "x", "published_at": "2026-11-21T08:00:00Z", "text": text},
            Mention,
        )
        for i, text in enumerate(texts)
    ]
    stages = (ScoreStage(BRANDS[:1], model) for model in (MODEL, BARE))
    doubted_, plain = (stage.score(mentions).label.tolist() for stage in stages)
    assert 2 not in doubted_
    assert plain.count(2) >= 8


def test_a_model_that_is_sure_outweighs_a_face_or_a_word_alone() -> None:
    texts = ["so much fun 😒", "the most awful fun"]
    unsure, sure = (0.2, 0.2, 0.6), (0.1, 0.15, 0.75)
    assert doubted(texts, unsure, unsure)[:, 2].tolist() == pytest.approx([UNSURE[2]] * 2)
    assert doubted(texts, sure, sure)[:, 2].tolist() == pytest.approx([0.75] * 2)


def test_what_is_not_positive_is_left_alone() -> None:
    every = [(0.6, 0.1, 0.3), (0.2, 0.5, 0.3), (0.52, 0.0, 0.48)]
    left = doubted(["thanks for the delay #sarcasm"] * 3, *every)
    assert left == pytest.approx(np.array(every))


def test_the_second_thought_is_neutral_too() -> None:
    # the stage would call it positive, since negative is not likelier than not
    (left,) = doubted(["thanks for the delay"], (0.45, 0.15, 0.4))
    assert left.tolist() == pytest.approx([0.45, 0.4, 0.15])


def test_each_text_answers_for_itself() -> None:
    texts = [*MOCKING, *MEANT, "", "😒", "بكم؟"]
    whole = MODEL.predict(normalise(texts))
    assert whole.sum(axis=1) == pytest.approx(1.0)
    for text, row in zip(texts, whole):
        assert MODEL.predict(normalise([text]))[0] == pytest.approx(row, abs=1e-6)
    assert len(MODEL.predict(normalise([]))) == 0


def test_every_mark_is_found_and_stands_once() -> None:
    finds = Sarcasm(CUES)
    relieved = {normalise([w]).text(0) for w in CUES.relief}
    for kind in ("tag", "complaint", "thanks", "relief"):
        words = [normalise([w]).text(0) for w in getattr(CUES, kind)]
        assert len(set(words)) == len(words), kind
        assert kind == "relief" or not relieved & set(words)
    for word in (*CUES.tag, *CUES.face, *CUES.complaint):
        said = np.array([[0.2, 0.3, 0.5]], dtype=np.float32)
        finds.doubt(normalise([f"well {word} yes"]), said)
        assert said[0].tolist() == pytest.approx(UNSURE), word
    for word in CUES.thanks:
        said = np.array([[0.0, 0.1, 0.9]], dtype=np.float32)
        finds.doubt(normalise([f"{word} outage"]), said)
        assert said[0].tolist() == pytest.approx(UNSURE), word
    for word in CUES.relief:
        said = np.array([[0.2, 0.3, 0.5]], dtype=np.float32)
        finds.doubt(normalise([f"outage {word} yes"]), said)
        assert said[0, 2] == 0.5, word
