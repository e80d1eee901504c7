"""A sentiment model of the user's own in the pipeline: from the configuration to the alert."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.records import LABELS, Float32
from models.sentiment import SentimentModel
from models.sentiment.onnx import OnnxModelError, OnnxSentiment
from streams.config import Config, load
from streams.config.sentiment import SentimentSettings
from streams.pace import Pace
from streams.pipeline import open_pipeline
from streams.replay import ReplayResult, replay
from streams.score import ScoreStage
from streams.sentiment import open_sentiment
from streams.sources import Batch, open_source
from streams.store import Store
from tests.running import crisis, mention, nadhir, write_config, write_lines
from tests.tiny_onnx import WORDS, TinyModel

HAPPY = TinyModel(  # whatever it reads
    embedding=np.ones((len(WORDS), 1), dtype=np.float32),
    weights=np.array([[-3, 0, 3]], dtype=np.float32),
)
OWN = {"model": "onnx", "onnx": {"path": "own/model.onnx"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own").mkdir()
    HAPPY.write(tmp_path / "own")
    return tmp_path


def config(folder: Path, **sentiment: Any) -> Config:
    return load(write_config(folder, sentiment=sentiment), {})


def run(file: Path, config: Config, path: Path, **options: Any) -> ReplayResult:
    with closing(open_source(str(file))) as source:
        return replay(source, config, path, **options)


def negative_signals(config: Config, file: Path, path: Path) -> tuple[set[str], int]:
    """The kinds of signals of a replay, and the negative mentions of its alerts."""
    run(file, config, path)
    store = Store(path)
    try:
        kinds = {json.loads(signal)["kind"] for signal in store.signals()}
        return kinds, sum(case.alert.negative for case in store.cases())
    finally:
        store.close()


def test_a_replay_believes_it(folder: Path) -> None:
    file = write_lines(folder / "m.jsonl", crisis())
    shipped, angry = negative_signals(config(folder), file, folder / "a.db")
    assert "negative_share" in shipped
    assert angry > 100
    own, angry = negative_signals(config(folder, **OWN), file, folder / "b.db")
    assert own == {"volume"}
    assert angry == 0


def test_analyze_uses_it_when_the_configuration_says_so(folder: Path) -> None:
    texts = folder / "t.jsonl"
    texts.write_text('{"id": "1", "text": "terrible, broken, the worst"}\n')
    config(folder, **OWN)
    shipped = nadhir("analyze", "sentiment", "t.jsonl", cwd=folder)
    own = nadhir("analyze", "sentiment", "t.jsonl", "--config", "nadhir.yaml", cwd=folder)
    assert [json.loads(r.stdout)["label"] for r in (shipped, own)] == ["negative", "positive"]


def test_analyze_tells_what_is_wrong_with_a_configuration(folder: Path) -> None:
    (folder / "bad.yaml").write_text("brands: [\n")
    (folder / "t.jsonl").write_text('{"id": "1", "text": "fine"}\n')
    done = nadhir("analyze", "sentiment", "t.jsonl", "--config", "bad.yaml", cwd=folder)
    assert done.returncode == 2
    assert b"bad.yaml" in done.stderr
    assert b"Traceback" not in done.stderr


def test_settings_reach_the_model(folder: Path) -> None:
    own = {**OWN["onnx"], "labels": ["positive", "neutral", "negative"], "max_tokens": 9}
    model = open_sentiment(config(folder, model="onnx", onnx=own).sentiment)
    assert isinstance(model, OnnxSentiment)
    assert LABELS[int(model.predict_texts(["good"]).argmax())] == "negative"
    assert isinstance(open_sentiment(SentimentSettings()), SentimentModel)


def test_the_tokenizer_may_lie_elsewhere(folder: Path) -> None:
    (folder / "own" / "tokenizer.json").rename(folder / "t.json")
    own = {**OWN["onnx"], "tokenizer": "t.json"}
    settings = config(folder, model="onnx", onnx=own).sentiment
    assert settings.files == (folder / "own" / "model.onnx", folder / "t.json")
    open_sentiment(settings)


def test_the_kafka_worker_has_it_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from streams.kafka.worker import run_stage

    stages: list[ScoreStage] = []

    class Worker:
        def __init__(self, stage: ScoreStage, *_: object, **__: object) -> None:
            stages.append(stage)

        async def run(self) -> None: ...

    monkeypatch.setattr("streams.kafka.score.ScoreWorker", Worker)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    asyncio.run(run_stage("score", config(folder, **OWN), ("127.0.0.1", 0)))
    assert isinstance(stages[0]._sentiment, OnnxSentiment)


def test_a_broken_model_is_told_in_a_sentence(folder: Path) -> None:
    write_config(folder, sentiment=OWN)
    (folder / "own" / "model.onnx").write_bytes(b"no model")
    write_lines(folder / "m.jsonl", crisis()[:10])
    done = nadhir("replay", "m.jsonl", cwd=folder)
    assert done.returncode == 1
    said = done.stderr.decode().splitlines()
    assert len(said) == 1
    assert "model.onnx: not an ONNX model" in said[0]
    assert "sentiment.onnx.path" in said[0]


def test_a_check_names_file_line_and_key(folder: Path) -> None:
    text = "brands: [{id: a, names: [Acme]}]\nsentiment:\n  model: onnx\n  onnx: {path: no.onnx}\n"
    (folder / "nadhir.yaml").write_text(text)
    done = nadhir("config", "check", cwd=folder)
    assert done.returncode == 2
    assert done.stdout.decode().startswith(
        "nadhir.yaml:4:16: error: sentiment.onnx.path: 'no.onnx'"
    )


OWN_YAML = """\
brands: [{id: a, names: [Acme]}]
sentiment:
  model: onnx
  onnx:
    path: own/model.onnx
    max_tokens: 64
"""


def checked(folder: Path, text: str = OWN_YAML) -> tuple[int, list[str]]:
    (folder / "nadhir.yaml").write_text(text)
    done = nadhir("config", "check", cwd=folder)
    assert b"Traceback" not in done.stderr
    return done.returncode, done.stdout.decode().splitlines()


def test_a_check_opens_the_model(folder: Path) -> None:
    assert checked(folder) == (0, [])
    (folder / "own" / "model.onnx").write_bytes(b"no model")
    code, (said,) = checked(folder)
    assert code == 2
    assert said.startswith("nadhir.yaml:5:11: error: sentiment.onnx.path: own/model.onnx: not an")


@pytest.mark.parametrize(
    ("model", "place", "said"),
    [
        (HAPPY.but(positions=32), "6:17: error: sentiment.onnx.max_tokens", "cannot read 64"),
        (
            HAPPY.but(weights=np.ones((1, 2), dtype=np.float32)),
            "5:5: error: sentiment.onnx.labels",
            "gives 2 numbers",
        ),
    ],
    ids=["max_tokens", "labels"],
)
def test_a_check_names_the_setting_that_does_not_fit(
    folder: Path, model: TinyModel, place: str, said: str
) -> None:
    model.write(folder / "own")
    code, (line,) = checked(folder)
    assert code == 2
    assert line.startswith(f"nadhir.yaml:{place}: own/model.onnx: ")
    assert said in line
    assert line.count("sentiment.onnx") == 1


def test_a_check_names_other_mistakes_beside_it_and_none_twice(folder: Path) -> None:
    (folder / "own" / "tokenizer.json").write_text("{}")
    code, lines = checked(folder, OWN_YAML.replace("[Acme]", "[Acme, acme, A]"))
    assert code == 2
    keys = [line.split(": ")[2] for line in lines if ": error: " in line]
    assert "sentiment.onnx.tokenizer" in keys
    assert any(key.startswith("brands[0].names") for key in keys)
    _, lines = checked(folder, OWN_YAML.replace("own/model", "own/no"))
    assert [line.split(": ")[2] for line in lines] == ["sentiment.onnx.path"]


def test_a_failure_loses_no_mention(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, path = write_lines(folder / "m.jsonl", crisis()[:200]), folder / "r.db"
    settings = config(folder, **OWN)
    predict, calls = OnnxSentiment.predict_texts, iter(range(3))

    def fail(self: OnnxSentiment, texts: Sequence[str]) -> Float32:
        if next(calls, None) is None:
            raise OnnxModelError(Path("model.onnx"), "path", "cannot run")
        return predict(self, texts)

    with monkeypatch.context() as patched:
        patched.setattr(OnnxSentiment, "predict_texts", fail)
        with pytest.raises(OnnxModelError):
            run(file, settings, path, commit_s=0)
    done = run(file, settings, path)
    assert done.resumed
    assert 0 < done.counters.mentions < 200
    store = Store(path)
    position = store.position(str(file))
    assert position is not None
    assert position.startswith(f"{file.stat().st_size}:")
    store.close()


def test_an_interrupted_replay_begins_anew_with_another_model(folder: Path) -> None:
    file, path = write_lines(folder / "m.jsonl", crisis()[:99]), folder / "r.db"
    settings = config(folder, **OWN)

    class Stop(Exception):
        """Stands for the end of the process."""

    def stop(*_: object) -> None:
        raise Stop

    for changed, resumed in ((False, True), (True, False)):
        with pytest.raises(Stop):
            run(file, settings, path, fresh=True, progress=stop, commit_s=0)
        if changed:
            os.utime(folder / "own" / "model.onnx", (1, 1))
        assert run(file, settings, path).resumed is resumed


def test_texts_with_stars_are_not_read(folder: Path) -> None:
    seen: list[str] = []

    class Spy:
        def predict_texts(self, texts: Sequence[str]) -> Float32:
            seen.extend(text for text in texts if text)
            return np.tile(np.float32([0.0, 1.0, 0.0]), (len(texts), 1))

    store = Store(folder / "s.db")
    pipeline = open_pipeline(config(folder), store)
    pipeline._score._sentiment = Spy()
    lines = [mention("1", "Rimal Bank, BAD"), mention("2", "Rimal Bank, Good", rating=1)]
    pipeline.feed("test", Batch(lines, 0, "2"))
    assert seen == ["Rimal Bank, BAD"]
    store.close()


class TestPace:
    def test_it_grows_while_that_is_quick(self) -> None:
        pace = Pace(300)
        found = []
        for _ in range(4):
            found.append(pace.most)
            pace.took(pace.most, 10)
        assert found == [64, 128, 256, 300]

    def test_it_shrinks_to_a_second(self) -> None:
        pace = Pace(4096)
        for _ in range(20):
            pace.took(pace.most, pace.most * 20)  # 50 a second
        assert 25 <= pace.most <= 50

    @pytest.mark.parametrize("duration_ms", [0, -5_000, 499])
    def test_a_little_says_nothing(self, duration_ms: int) -> None:
        pace = Pace(4096)
        pace.took(63, duration_ms)
        assert pace.most == 64

    def test_it_never_stands_still(self) -> None:
        pace = Pace(4096)
        pace.took(1, 10**9)
        assert pace.most == 1
        pace.took(1, 1)
        assert pace.most == 2
