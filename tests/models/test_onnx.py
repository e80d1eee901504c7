"""A sentiment model of the user's own: answers, batches, and whatever may be wrong with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from models.records import LABELS
from models.sentiment import load
from models.sentiment.model import EMPTY
from models.sentiment.onnx import OnnxModelError, OnnxSentiment, load_onnx
from models.sentiment.predictor import TextPredictor, predict
from models.text import normalise
from tests.tiny_onnx import WORDS, TinyModel

ROOT = Path(__file__).resolve().parents[2]
TINY = TinyModel()
TEXTS = [
    "good app", "bad", "Good", "good good bad app . ?", "أكمي down", "اكمي down", "nobody knows",
    "app " * 40, "down ? ? ?", "bad bad app", "good", "؟ !",
]  # fmt: skip


def opened(model: TinyModel, folder: Path, **options: Any) -> OnnxSentiment:
    return load_onnx(model.write(folder), folder / "tokenizer.json", **options)


@pytest.fixture
def tiny(tmp_path: Path) -> OnnxSentiment:
    return opened(TINY, tmp_path)


def expected(texts: list[str], most: int = 128, model: TinyModel = TINY) -> np.ndarray:
    return np.array([model.probabilities(text.split()[:most]) for text in texts])


class TestAnswers:
    def test_are_those_of_the_network(self, tiny: OnnxSentiment) -> None:
        found = tiny.predict_texts(TEXTS)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected(TEXTS), atol=1e-6)
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)

    def test_texts_are_read_as_they_were_written(self, tiny: OnnxSentiment) -> None:
        lower, upper, plain, hamza = tiny.predict_texts(["good", "Good", "اكمي", "أكمي"])
        assert abs(lower - upper).max() > 0.01, "case"
        assert abs(plain - hamza).max() > 0.01, "normalisation"

    @pytest.mark.parametrize("batch_size", [1, 2, 3, 5, 1024])
    def test_are_the_same_in_any_batch(self, tmp_path: Path, batch_size: int) -> None:
        model = opened(TINY, tmp_path, batch_size=batch_size)
        texts = TEXTS * 3
        np.testing.assert_allclose(model.predict_texts(texts), expected(texts), atol=1e-6)
        alone = np.concatenate([model.predict_texts([text]) for text in TEXTS])
        np.testing.assert_allclose(alone, model.predict_texts(TEXTS), atol=1e-6)
        assert not np.diff(model.predict_texts(["bad", "good", "bad"])[::2], axis=0).any()

    def test_no_batch_is_larger_than_asked_for_and_lengths_are_together(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        model = opened(TINY, tmp_path, batch_size=3)
        seen: list[list[int]] = []
        run = model._network.run
        monkeypatch.setattr(
            model._network, "run", lambda rows: (seen.append([len(r) for r in rows]), run(rows))[1]
        )
        model.predict_texts([*TEXTS, "", *TEXTS])
        assert [len(batch) for batch in seen] == [3] * (len(TEXTS) // 3)
        lengths = [length for batch in seen for length in batch]
        assert lengths == sorted(lengths)

    def test_more_texts_than_are_sorted_together(
        self, tiny: OnnxSentiment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("models.sentiment.onnx._WINDOW", 5)
        monkeypatch.setattr("models.sentiment.onnx_files._TOKENISED", 2)
        np.testing.assert_allclose(tiny.predict_texts(TEXTS), expected(TEXTS), atol=1e-6)

    @pytest.mark.parametrize(
        "labels",
        [("negative", "neutral", "positive"), ("positive", "negative", "neutral"),
         ("neutral", "positive", "negative")],
    )  # fmt: skip
    def test_labels_are_put_in_order(self, tmp_path: Path, labels: tuple[str, ...]) -> None:
        found = opened(TINY, tmp_path, labels=labels).predict_texts(TEXTS)
        columns = [labels.index(label) for label in LABELS]
        np.testing.assert_allclose(found, expected(TEXTS)[:, columns], atol=1e-6)

    def test_long_texts_are_truncated(self, tmp_path: Path) -> None:
        model = opened(TINY.but(positions=9), tmp_path, max_tokens=9)
        text = "good " * 8 + "bad " * 5_000
        np.testing.assert_allclose(model.predict_texts([text]), expected([text], 9), atol=1e-6)
        gap = "good" + " " * 19_000 + "bad"  # more than it reads: what lies behind is not seen
        np.testing.assert_allclose(model.predict_texts([gap]), expected(["good"]), atol=1e-6)

    def test_truncation_and_padding_of_the_tokenizer_do_not_matter(self, tmp_path: Path) -> None:
        from tokenizers import Tokenizer

        path = TINY.write(tmp_path)
        file = str(tmp_path / "tokenizer.json")
        tokenizer = Tokenizer.from_file(file)
        tokenizer.enable_truncation(2)
        tokenizer.enable_padding(length=30, pad_id=5, pad_token="app")
        tokenizer.save(file)
        found = load_onnx(path, Path(file)).predict_texts(TEXTS)
        np.testing.assert_allclose(found, expected(TEXTS), atol=1e-6)

    def test_other_ways_to_write_a_network(self, tmp_path: Path) -> None:
        three = ("input_ids", "token_type_ids", "attention_mask")
        model = TINY.but(input_type=TensorProto.INT32, inputs=three)
        found = opened(model, tmp_path, threads=2).predict_texts(TEXTS)
        np.testing.assert_allclose(found, expected(TEXTS), atol=1e-6)


class TestStrangeTexts:
    @pytest.mark.parametrize("text", ["", " ", "\n\t", "\u200b\u202e", "\u0651"])
    def test_without_content_are_neutral(self, tiny: OnnxSentiment, text: str) -> None:
        found = tiny.predict_texts(["bad", text, "good"])
        assert found[1].tolist() == pytest.approx(EMPTY)
        np.testing.assert_allclose(found[::2], expected(["bad", "good"]), atol=1e-6)
        if not normalise([text]).text(0):
            np.testing.assert_array_equal(found[1:2], load().predict(normalise([text])))

    def test_none_at_all(self, tiny: OnnxSentiment) -> None:
        assert tiny.predict_texts([]).shape == (0, 3)

    @pytest.mark.parametrize(
        "text",
        ["\ud800 bad", "a" * 20_000, "👩‍👩‍👧‍👦" * 3_000, "bad\0bad", "[PAD] [UNK]", "ﷺ" * 999],
    )
    def test_hostile(self, tiny: OnnxSentiment, text: str) -> None:
        found = tiny.predict_texts([text, "good"])
        assert np.isfinite(found).all()
        np.testing.assert_allclose(found[1:], expected(["good"]), atol=1e-6)

    @pytest.mark.filterwarnings("error")
    def test_without_a_finite_answer_are_neutral(self, tmp_path: Path) -> None:
        embedding = TINY.embedding.copy()
        embedding[WORDS.index("down"), 0] = np.inf
        found = opened(TINY.but(embedding=embedding), tmp_path).predict_texts(["down", "good"])
        assert found[0].tolist() == pytest.approx(EMPTY)
        np.testing.assert_allclose(found[1:], expected(["good"]), atol=1e-6)


class TestMistakes:
    def refuses(self, folder: Path, key: str, said: str, **options: Any) -> str:
        with pytest.raises(OnnxModelError, match=said) as caught:
            load_onnx(folder / "model.onnx", folder / "tokenizer.json", **options)
        message = str(caught.value)
        file = "tokenizer.json" if caught.value.path.suffix == ".json" else "model.onnx"
        assert message.startswith(str(folder / file))
        assert message.endswith(f"(sentiment.onnx.{key})")
        assert len(message.splitlines()) == 1
        return message

    def test_files_that_are_not_there(self, tmp_path: Path) -> None:
        self.refuses(tmp_path, "tokenizer", "no such file")
        TINY.write(tmp_path)
        (tmp_path / "model.onnx").unlink()
        self.refuses(tmp_path, "path", "no such file")

    @pytest.mark.parametrize("content", [b"", b"{}", b"\xff\x00", b'{"model": 3}'])
    def test_a_file_that_is_no_tokenizer(self, tmp_path: Path, content: bytes) -> None:
        TINY.write(tmp_path)
        (tmp_path / "tokenizer.json").write_bytes(content)
        self.refuses(tmp_path, "tokenizer", "not a tokenizer.json")

    @pytest.mark.parametrize("content", [b"", b"no model", b"\x08\x09"])
    def test_a_file_that_is_no_model(
        self, tmp_path: Path, content: bytes, capfd: pytest.CaptureFixture[str]
    ) -> None:
        TINY.write(tmp_path).write_bytes(content)
        self.refuses(tmp_path, "path", "not an ONNX model")
        assert capfd.readouterr().err == ""

    @pytest.mark.parametrize(
        ("changes", "key", "said"),
        [
            ({"inputs": ("input_ids",)}, "path", "has no input attention_mask; its inputs are"),
            ({"inputs": ("input_ids", "attention_mask", "speed")}, "path", "wants the input speed"),
            ({"input_shape": (1, "t")}, "path", r"\[1, 't'\]; export it with dynamic axes"),
            ({"input_shape": ("n", 128)}, "path", "dynamic axes"),
            ({"last": "Unsqueeze"}, "path", r"output logits is float32\[1, 1, 3\] .* \[1, 3\]"),
            ({"weights": TINY.weights[:, :2]}, "labels", "gives 2 numbers a text"),
            ({"last": "Softmax"}, "path", "gives probabilities; export it without"),
            ({"weights": TINY.weights * np.nan}, "path", "not finite"),
            ({"positions": 20}, "max_tokens", "cannot read 128 tokens; set fewer"),
            ({"embedding": TINY.embedding[:9]}, "tokenizer", "token 10 of .*another model's"),
        ],
    )  # fmt: skip
    def test_a_model_that_does_not_fit(
        self, tmp_path: Path, changes: dict[str, Any], key: str, said: str,
        capfd: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        TINY.but(**changes).write(tmp_path)
        self.refuses(tmp_path, key, said)
        assert capfd.readouterr().err == "", "said once"

    @pytest.mark.parametrize(
        "labels",
        [("negative", "positive"), ("negative", "neutral", "neutral"), ("neg", "neu", "pos")],
    )
    def test_labels_that_are_not_ours(self, tmp_path: Path, labels: tuple[str, ...]) -> None:
        TINY.write(tmp_path)
        self.refuses(tmp_path, "labels", "once each", labels=labels)

    @pytest.mark.parametrize(
        ("package", "key"), [("onnxruntime", "path"), ("tokenizers", "tokenizer")]
    )
    def test_a_package_that_is_not_installed(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, key: str
    ) -> None:
        TINY.write(tmp_path)
        monkeypatch.setitem(sys.modules, package, None)
        message = self.refuses(tmp_path, key, "not installed")
        assert "pip install 'nadhir[onnx]'" in message
        assert package in message

    def test_a_run_that_fails_raises_and_makes_nothing_up(
        self, tiny: OnnxSentiment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> Iterator[object]:
            raise RuntimeError("out of\nmemory")

        monkeypatch.setattr(tiny._network._session, "run", fail)
        with pytest.raises(OnnxModelError, match=r"cannot run \(out of memory\)"):
            tiny.predict_texts(["good"])


def test_each_model_gets_what_it_reads(tiny: OnnxSentiment) -> None:
    normalised = normalise(["good"])
    np.testing.assert_array_equal(predict(tiny, ["Good"], normalised), tiny.predict_texts(["Good"]))
    shipped = load()
    np.testing.assert_array_equal(
        predict(shipped, ["Good"], normalised), shipped.predict(normalised)
    )
    assert isinstance(tiny, TextPredictor)
    assert not isinstance(shipped, TextPredictor)


def test_nothing_optional_is_imported_without_need() -> None:
    code = (
        "import sys; import streams.pipeline, streams.cli.common, models.sentiment.onnx;"
        "print([m for m in ('onnxruntime', 'tokenizers') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
