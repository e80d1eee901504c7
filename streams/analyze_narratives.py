"""Narratives and rumours in a file of mentions: what ``nadhir analyze narratives`` does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from alerts.narratives import explain_narrative
from alerts.texts import load_phrases
from models.language import LANGUAGES, detect
from models.narratives.detector import Narratives
from models.narratives.record import records
from models.records import LABELS, Brand, Carrier, Mention, NarrativeRecord
from models.sentiment import load
from models.sentiment.predictor import Sentiment, predict
from models.text import normalise
from streams.analyze_files import BATCH, ignore, moment, read_mentions
from streams.score import ScoreStage

_NEGATIVE = LABELS.index("negative")


def find_narratives(
    lines: Iterable[bytes],
    name: str = "input",
    tell: Callable[[str], None] = ignore,
    *,
    brand: Brand | None = None,
    sentiment: Sentiment | None = None,
) -> list[NarrativeRecord]:
    """Read mentions of one topic in order of time, and find narratives as a stream would.

    Parameters
    ----------
    lines : iterable of bytes
        Mentions, a JSON object a line (docs/mention.md); blank lines are passed over.
    name : str
        What errors call the input.
    tell : callable
        Is told of each line that is no mention, which is passed over.
    brand : Brand, optional
        Only mentions of it count, and its accounts and domains are official sources.
    sentiment : Predictor or TextPredictor, optional
        The model that ships with Nadhir by default.

    Returns
    -------
    list of NarrativeRecord
        Rumours first, then by number of mentions.
    """
    model = load() if sentiment is None else sentiment
    stage = None if brand is None else ScoreStage([brand], model)
    found, mentions = Narratives(brand), read_mentions(lines, name, tell)
    for first in range(0, len(mentions), BATCH):
        batch = mentions[first : first + BATCH]
        if stage is None:
            _observe_all(found, batch, model)
        else:
            _observe_scored(found, batch, stage)
    return records(found)


def as_lines(found: Iterable[NarrativeRecord]) -> Iterator[bytes]:
    """Narratives with their explanation, one JSON object a line."""
    phrases = load_phrases()
    for narrative in found:
        explanation = explain_narrative(narrative, phrases)
        yield msgspec.json.encode(
            {
                "id": narrative.id,
                "kind": narrative.kind,
                "score": narrative.score,
                "first_seen": moment(narrative.first_ms),
                "last_seen": moment(narrative.last_ms),
                "found_at": None if narrative.found_ms is None else moment(narrative.found_ms),
                "mentions": narrative.mentions,
                "accounts": narrative.accounts,
                "speed": {
                    "now": narrative.speed_now,
                    "before": narrative.speed_before,
                    "peak": narrative.speed_peak,
                },
                "languages": narrative.languages,
                "platforms": narrative.platforms,
                "negative_share": narrative.negative_share,
                "claims": narrative.claims,
                "questions": narrative.questions,
                "denials": narrative.denials,
                "sources": narrative.sources,
                "terms": narrative.terms,
                "top_texts": narrative.texts,
                "first_carriers": list(map(_carrier, narrative.carriers)),
                "parts": narrative.parts,
                "explanation": {"ar": explanation.ar, "en": explanation.en},
            }
        )


def _carrier(carrier: Carrier) -> dict[str, object]:
    shown = msgspec.structs.asdict(carrier)
    at_ms = shown.pop("published_ms")
    return {**shown, "published_at": moment(at_ms)}


def _observe_all(found: Narratives, batch: Sequence[Mention], model: Sentiment) -> None:
    written = [mention.text for mention in batch]
    texts = normalise(written)
    negative = predict(model, written, texts).argmax(axis=1) == _NEGATIVE
    found.observe(batch, [LANGUAGES[i] for i in detect(texts)], negative.tolist())


def _observe_scored(found: Narratives, batch: Sequence[Mention], stage: ScoreStage) -> None:
    scored = stage.score(batch)
    mentions = [m for m in scored.mention if isinstance(m, Mention)]
    negative = (scored.label == _NEGATIVE).tolist()
    found.observe(mentions, scored.lang, negative, scored.own.tolist())
