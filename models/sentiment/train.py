"""Training of the sentiment model: reads the labelled sets, writes the artefact.

The only part of ``models`` that touches files and scikit-learn; nothing imports it at run time.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import warnings
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from models.records import LABELS, Bool, Float32, Float64, Int64
from models.sentiment.features import NULL_BUCKET, FeatureSpec, chunks
from models.sentiment.model import SHIPPED, Calibration, dump, softmax
from models.text import normalise

SEED_FILE = SHIPPED.with_name("sentiment_seed.tsv")
LEXICON_FILE = SHIPPED.with_name("sentiment_lexicon.tsv")
SEED_SOURCE = "nadhir-seed"

PENALTY = 0.3  # inverse strength of the L2 penalty
ITERATIONS = 50  # stopping early regularises, too
RARITY = 1.5  # exponent of the inverse document frequency
HOLDOUT = 0.12  # share of the rows on which scores are calibrated
SOURCE_WEIGHT = {SEED_SOURCE: 8.0}  # others: 1
MIN_TEXTS = 2  # n-grams of fewer texts get no weight
CAUTION = 0.9  # shrinks calibrated logits: topics and times to come are not those of the holdout
NEGATORS = ("مو", "مب", "مش", "مهو", "ما", "لا", "ليس", "ليست", "غير", "لم",
            "not", "isnt", "wasnt", "never", "dont", "didnt")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled texts as columns; ``label`` indexes ``LABELS``."""

    text: list[str]
    label: Int64
    source: npt.NDArray[np.str_]

    def where(self, mask: Bool) -> Rows:
        """Return the rows where ``mask`` holds."""
        text = [self.text[i] for i in np.flatnonzero(mask)]
        return Rows(text, self.label[mask], self.source[mask])


@dataclass(frozen=True, slots=True)
class Design:
    """Feature matrix: counts over the square root of the length."""

    counts: sparse.csr_matrix  # float32[n, spec.size]
    arabic: Bool  # by main script, as in prediction


def train(data_dir: Path, out: Path, spec: FeatureSpec | None = None) -> dict[str, Any]:
    """Train on ``train.jsonl.gz``, write the artefact, report on ``dev.jsonl.gz`` if present.

    Parameters
    ----------
    data_dir : Path
        Folder with the labelled sets: JSON lines with text, label, source.
    out : Path
        The artefact; replaced.  Same data, same bytes.
    spec : FeatureSpec, optional
        What to hash; smaller tables make smaller artefacts.

    Returns
    -------
    dict
        ``rows`` by source, ``sha256``, ``bytes``, ``holdout`` and ``dev``: by source, the number
        of rows, macro-F1, macro-recall, accuracy and expected calibration error.

    Raises
    ------
    FileNotFoundError
        ``train.jsonl.gz`` is not in the folder.
    ValueError
        A row has no text, or a label other than negative, neutral and positive.
    """
    spec = spec or FeatureSpec()
    rows = _concatenate(read_rows(data_dir / "train.jsonl.gz"), read_seed(SEED_FILE))
    held = _held_out(rows)
    design = build_design(rows.text, spec)
    polarity = _polarity(spec)
    early = fit(_take(design, ~held), rows.where(~held), polarity)
    arabic, latin = calibrate(_take(design, held), rows.where(held), early)
    holdout = report(_take(design, held), rows.where(held), early, arabic, latin)
    weights = fit(design, rows, polarity)
    sources, counts = np.unique(rows.source, return_counts=True)
    by_source = dict(zip(sources.tolist(), counts.tolist()))
    header = {"arabic": asdict(arabic), "latin": asdict(latin), "rows": by_source,
              "lexicon": _digest(LEXICON_FILE), "seed": _digest(SEED_FILE)}  # fmt: skip
    data, digest = dump(weights, header, spec)
    out.write_bytes(data)
    dev: dict[str, Any] = {}
    if (data_dir / "dev.jsonl.gz").exists():
        test = read_rows(data_dir / "dev.jsonl.gz")
        dev = report(build_design(test.text, spec), test, weights, arabic, latin)
    return {"rows": by_source, "sha256": digest, "bytes": len(data),
            "holdout": holdout, "dev": dev}  # fmt: skip


def read_rows(path: Path) -> Rows:
    """Read gzipped JSON lines with ``text``, ``label`` and ``source``."""
    text, label, source = [], [], []
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            row = json.loads(line)
            try:
                label.append(LABELS.index(row["label"]))
                text.append(row["text"])
                source.append(row["source"])
            except (KeyError, ValueError) as error:
                raise ValueError(f"{path}, line {number}: bad row ({error})") from error
    return Rows(text, np.array(label, dtype=np.int64), np.array(source))


def read_seed(path: Path) -> Rows:
    """Read our own labelled sentences: label, tab, text."""
    pairs = [line.split("\t") for line in _data_lines(path)]
    label = np.array([LABELS.index(label) for label, _ in pairs], dtype=np.int64)
    return Rows([text for _, text in pairs], label, np.full(len(pairs), SEED_SOURCE))


def build_design(texts: list[str], spec: FeatureSpec) -> Design:
    """Count the very features that prediction sums over."""
    batch = normalise(texts)
    arabic = np.zeros(len(batch), dtype=np.bool_)
    parts = []
    for chunk in chunks(batch, spec):
        count = len(chunk.lengths)
        arabic[chunk.first : chunk.first + count] = chunk.arabic
        columns, row_ids = [], []
        for buckets, begins in chunk.blocks:
            row = np.repeat(np.arange(count), np.diff(np.append(begins, len(buckets))))
            real = buckets != NULL_BUCKET
            columns.append(buckets[real].astype(np.int32))
            row_ids.append(row[real].astype(np.int32))
        column, row_id = np.concatenate(columns), np.concatenate(row_ids)
        value = (1 / np.sqrt(np.maximum(chunk.lengths, 1))).astype(np.float32)[row_id]
        part = sparse.csr_matrix((value, (row_id, column)), shape=(count, spec.size))
        part.sum_duplicates()
        parts.append(part)
    return Design(sparse.vstack(parts, format="csr"), arabic)


def fit(design: Design, rows: Rows, polarity: sparse.csc_matrix) -> npt.NDArray[np.float16]:
    """Fit the weights over neutral, float16[size, 2].

    Multinomial logistic regression with an intercept for each source: label schemes and class
    shares differ between sets, and the intercepts, which prediction leaves out, take that up.
    Rare n-grams get a weaker penalty (inverse document frequency).  Further columns hold the sums
    of the lexicon's words, plain and negated, and are folded into the weights of these words and
    pairs afterwards: so the lexicon costs nothing in prediction.
    """
    counts = design.counts
    frequency = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = ((np.log((counts.shape[0] + 1) / (frequency + 1)) / 5) ** RARITY).astype(np.float32)
    seen = np.flatnonzero(frequency >= MIN_TEXTS)
    scaled = counts[:, seen] @ sparse.diags(rarity[seen])
    sources, code = np.unique(rows.source, return_inverse=True)
    ones = np.ones(len(code), dtype=np.float32)
    intercepts = sparse.csr_matrix((ones, (np.arange(len(code)), code)))
    matrix = sparse.hstack((scaled, counts @ polarity, intercepts), format="csr", dtype=np.float32)
    model = LogisticRegression(C=PENALTY, max_iter=ITERATIONS, tol=1e-4, fit_intercept=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopped early on purpose
        model.fit(matrix, rows.label, sample_weight=_sample_weight(rows))
    over_neutral = (model.coef_[[0, 2]] - model.coef_[1]).T
    weights = np.zeros((counts.shape[1], 2), dtype=np.float64)
    weights[seen] = over_neutral[: len(seen)] * rarity[seen, None]
    weights += polarity @ over_neutral[len(seen) : -len(sources)]
    weights[NULL_BUCKET] = 0
    return weights.astype(np.float16)


def calibrate(
    design: Design, rows: Rows, weights: npt.NDArray[np.float16]
) -> tuple[Calibration, Calibration]:
    """Fit scale and bias for each script by log-loss on rows that were not learnt from.

    Classes count alike within each source, so the prior is even: neither news nor complaints.
    Sources count alike, too: what the model meets is none of them.  Sources without neutral rows
    and our own sentences are left out.
    """
    score = _scores(design, weights)
    weight = _sample_weight(rows)
    usable = rows.source != SEED_SOURCE
    for source in np.unique(rows.source):
        at = rows.source == source
        weight[at] /= weight[at].sum()
        if len(np.unique(rows.label[at])) < len(LABELS):
            usable &= ~at
    result = []
    for script in (design.arabic, ~design.arabic):
        at = usable & script
        result.append(_fit_calibration(score[at], rows.label[at], weight[at]))
    return result[0], result[1]


def report(
    design: Design, rows: Rows, weights: npt.NDArray[np.float16], arabic: Calibration,
    latin: Calibration,
) -> dict[str, dict[str, float]]:  # fmt: skip
    """Measure the model on labelled rows, by source."""
    score = _scores(design, weights)
    logits = np.where(design.arabic[:, None], _logits(score, arabic), _logits(score, latin))
    probabilities = softmax(logits.astype(np.float32))
    figures = {}
    for source in np.unique(rows.source):
        at = rows.source == source
        figures[str(source)] = measure(probabilities[at], rows.label[at])
    return figures


def measure(probabilities: Float32, label: Int64, bins: int = 15) -> dict[str, float]:
    """Macro-F1, macro-recall, accuracy, and the expected calibration error of the top label.

    Over ``bins`` equal-width bins of confidence (C. Guo et al., ICML 2017); the macro averages
    are over the classes that occur among the labels.
    """
    top, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    hit = top == label
    f1, recall = [], []
    for k in np.unique(label):
        true = float((hit & (label == k)).sum())
        recall.append(true / float((label == k).sum()))
        f1.append(2 * true / float((label == k).sum() + (top == k).sum()))
    bin_of = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gap = np.bincount(bin_of, weights=hit - confidence.astype(np.float64), minlength=bins)
    figures = {"macro_f1": np.mean(f1), "macro_recall": np.mean(recall), "accuracy": hit.mean(),
               "ece": np.abs(gap).sum() / len(label)}  # fmt: skip
    return {"n": len(label)} | {name: round(float(value), 4) for name, value in figures.items()}


def _sample_weight(rows: Rows) -> Float64:
    """Even out the classes within each source; keep the source's size times its weight."""
    weight = np.ones(len(rows.label))
    for source in np.unique(rows.source):
        at = rows.source == source
        sizes = np.bincount(rows.label[at], minlength=len(LABELS))
        share = at.sum() / np.maximum(sizes, 1) / np.count_nonzero(sizes)
        weight[at] = share[rows.label[at]] * SOURCE_WEIGHT.get(str(source), 1.0)
    return weight


def _fit_calibration(score: Float64, label: Int64, weight: Float64) -> Calibration:
    if not len(label):
        return Calibration(1.0, 0.0, 0.0)

    def loss(theta: Float64) -> float:
        logits = _logits(score, Calibration(*theta))
        logits -= logits.max(axis=1, keepdims=True)
        nll = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(label)), label]
        return float((weight * nll).sum() / weight.sum())

    # bounds: a handful of rows must neither switch the scores off nor make them certain
    limits = ((0.25, 4.0), (-5.0, 5.0), (-5.0, 5.0))
    found = optimize.minimize(loss, np.array([1.0, 0.0, 0.0]), method="L-BFGS-B", bounds=limits)
    return Calibration(*(round(CAUTION * float(value), 4) for value in found.x))


def _logits(score: Float64, by: Calibration) -> Float64:
    zero = np.zeros(len(score))
    columns = (by.scale * score[:, 0] + by.negative, zero, by.scale * score[:, 1] + by.positive)
    return np.stack(columns, axis=1)


def _scores(design: Design, weights: npt.NDArray[np.float16]) -> Float64:
    return np.asarray(design.counts @ weights.astype(np.float64))


def _polarity(spec: FeatureSpec) -> sparse.csc_matrix:
    """Valences at the buckets of the lexicon's words, and at negator-word pairs.

    Four columns: negative words, positive words, negated negative, negated positive words.
    """
    pairs = [line.split("\t") for line in _data_lines(LEXICON_FILE)]
    words = [word for word, _ in pairs]
    valence = np.array([float(value) for _, value in pairs], dtype=np.float32)
    table = np.zeros((spec.size, 4), dtype=np.float32)
    table[_buckets(words, 1, spec), (valence > 0).astype(np.int64)] = valence
    for negator in NEGATORS:
        strong = np.abs(valence) >= 1.5
        fits = [i for i in np.flatnonzero(strong) if words[i].isascii() == negator.isascii()]
        phrases = [f"{negator} {words[i]}" for i in fits]
        table[_buckets(phrases, 2, spec), 2 + (valence[fits] > 0)] = valence[fits]
    return sparse.csc_matrix(table)


def _buckets(phrases: list[str], order: int, spec: FeatureSpec) -> npt.NDArray[np.uint32]:
    """Bucket of each phrase of ``order`` words."""
    words = FeatureSpec(spec.char_bits, spec.word_bits, (), (order,))
    found = []
    for chunk in chunks(normalise(phrases), words):
        for buckets, begins in chunk.blocks:
            found.append(buckets[begins + 1])  # the first n-gram holds the start of the text
    return np.concatenate(found)


def _held_out(rows: Rows) -> Bool:
    """Choose rows by their text alone: other rows, or another order, change nothing."""
    digests = (hashlib.blake2b(text.encode(), digest_size=4).digest() for text in rows.text)
    drawn = np.fromiter((int.from_bytes(d) for d in digests), dtype=np.float64)
    return np.asarray(drawn < HOLDOUT * 2**32)


def _take(design: Design, mask: Bool) -> Design:
    return Design(design.counts[np.flatnonzero(mask)], design.arabic[mask])


def _concatenate(a: Rows, b: Rows) -> Rows:
    label = np.concatenate((a.label, b.label))
    return Rows(a.text + b.text, label, np.concatenate((a.source, b.source)))


def _data_lines(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
