"""Training of the sentiment model and its second head, offence: from labelled sets to artefacts.

The only part of ``models`` that needs scikit-learn; nothing imports it at run time.
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from models.quantify import RATES_FILE, rates_of
from models.records import LABELS, Int64
from models.sentiment import design as columns
from models.sentiment.artefact import FOLDER, dump
from models.sentiment.calibrate import Weights, even_classes, fit_theta, probabilities, scores
from models.sentiment.design import Design, build_design
from models.sentiment.features import NULL_BUCKET, FeatureSpec
from models.sentiment.measure import measure, measure_offence
from models.sentiment.model import OFFENSIVE, SENTIMENT, Calibration, Platt
from models.sentiment.rows import Rows, drawn, file_digest, read_offensive, read_rows, read_seed

SEED_FILE = FOLDER / "sentiment_seed.tsv"
ABUSE_FILE = FOLDER / "offensive_seed.tsv"
SEED_SOURCE = "nadhir-seed"
ABUSE_SOURCE = "nadhir-abuse"

PENALTY = 0.3  # inverse strength of the L2 penalty
ITERATIONS = 50  # stopping early regularises, too
RARITY = 1.5  # exponent of the inverse document frequency
HOLDOUT = 0.12  # share of the rows on which sentiment scores are calibrated
TEST = 0.2  # share of the offensive rows on which figures are measured and nothing is learnt
FOLDS = 5  # of the others: each is calibrated on with weights learnt from the other four
SOURCE_WEIGHT = {SEED_SOURCE: 8.0, ABUSE_SOURCE: 4.0}  # others: 1
# An insult weighs so much that a word which shares its bucket must be rare: among 2^19 buckets
# 6.6 % of the texts for sentiment hold such a word by chance, among 2^23 0.3 %.
OFFENCE_SPEC = FeatureSpec(word_bits=23)
MIN_TEXTS = 2  # n-grams of fewer texts get no weight
CAUTION = 0.9  # shrinks calibrated logits: topics and times to come are not those of the holdout


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

    Beside the artefact, the rates of its errors on ``dev.jsonl.gz`` are written, if it is there
    (models/quantify.py).

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
    rows = read_rows(data_dir / SENTIMENT.data) + read_seed(SEED_FILE, SEED_SOURCE)
    held = drawn(rows.text) < HOLDOUT
    design = build_design(rows.text, spec)
    lexicon = columns.polarity(spec)
    early = fit(design.where(~held), rows.where(~held), lexicon, SENTIMENT.base)
    arabic, latin = calibrate(design.where(held), rows.where(held), early)
    holdout = report(design.where(held), rows.where(held), early, arabic, latin)
    weights = fit(design, rows, lexicon, SENTIMENT.base)
    header = {"arabic": asdict(arabic), "latin": asdict(latin), "rows": rows.counts(),
              "lexicon": file_digest(columns.LEXICON_FILE),
              "seed": file_digest(SEED_FILE)}  # fmt: skip
    data, digest = dump(weights, header, spec, SENTIMENT)
    out.write_bytes(data)
    dev: dict[str, Any] = {}
    if (data_dir / "dev.jsonl.gz").exists():
        test = read_rows(data_dir / "dev.jsonl.gz")
        seen = build_design(test.text, spec)
        dev = report(seen, test, weights, arabic, latin)
        p = probabilities(seen, weights, astuple(arabic), astuple(latin), SENTIMENT.base)
        rates = rates_of(p, test.label, seen.arabic, f"{SENTIMENT.version}+{digest[:12]}")
        out.with_name(RATES_FILE.name).write_bytes(msgspec.json.encode(rates) + b"\n")
    return {"rows": rows.counts(), "sha256": digest, "bytes": len(data),
            "holdout": holdout, "dev": dev}  # fmt: skip


def train_offensive(data_dir: Path, out: Path, spec: FeatureSpec | None = None) -> dict[str, Any]:
    """Train on ``offensive.jsonl.gz``, write the artefact, report on the rows held out.

    The weights are learnt without these rows, so that whoever has the data can measure the very
    file that ships.  Scale and bias are fitted on scores of the other rows, each given by weights
    that have not seen it.

    Parameters
    ----------
    data_dir, out, spec
        As of `train`; rows have text, offensive (true or false) and source.

    Returns
    -------
    dict
        ``rows`` by source, ``sha256``, ``bytes`` and ``test``: by source and by language, the
        number of rows, the share that is offensive, macro-F1, AUC, calibration error, precision
        and recall.

    Raises
    ------
    FileNotFoundError, ValueError
        As `train` does.
    """
    spec = spec or OFFENCE_SPEC
    sets, draw = read_offensive(data_dir / OFFENSIVE.data)
    held = draw < TEST
    rows = sets.where(~held) + _abuse_and_complaints()
    design, lexicon = build_design(rows.text, spec), columns.insults(spec)
    fold = (draw[~held] * 1000).astype(np.int64) % FOLDS
    arabic, latin = _calibrate_offence(design, rows, lexicon, fold)
    weights = fit(design, rows, lexicon, OFFENSIVE.base)
    header = {"arabic": asdict(arabic), "latin": asdict(latin), "rows": rows.counts(),
              "lexicon": file_digest(columns.INSULTS_FILE), "seed": file_digest(ABUSE_FILE),
              "complaints": file_digest(SEED_FILE)}  # fmt: skip
    data, digest = dump(weights, header, spec, OFFENSIVE)
    out.write_bytes(data)
    figures = _report_offence(sets.where(held), spec, weights, arabic, latin)
    return {"rows": rows.counts(), "sha256": digest, "bytes": len(data), "test": figures}


def fit(design: Design, rows: Rows, lexicon: sparse.csc_matrix, base: int) -> Weights:
    """Fit the weights over the base label, float16[size, labels - 1].

    Logistic regression with an intercept for each source: label schemes and class shares differ
    between sets, and the intercepts, which prediction leaves out, take that up.  Rare n-grams get
    a weaker penalty (inverse document frequency).  The columns of the lexicon hold sums of its
    words and are folded into the weights of these words and pairs afterwards: so the lexicon
    costs nothing in prediction.
    """
    counts = design.counts
    frequency = np.bincount(counts.indices, minlength=counts.shape[1])
    rarity = ((np.log((counts.shape[0] + 1) / (frequency + 1)) / 5) ** RARITY).astype(np.float32)
    seen = np.flatnonzero(frequency >= MIN_TEXTS)
    scaled = counts[:, seen] @ sparse.diags(rarity[seen])
    sources, code = np.unique(rows.source, return_inverse=True)
    ones = np.ones(len(code), dtype=np.float32)
    intercepts = sparse.csr_matrix((ones, (np.arange(len(code)), code)))
    matrix = sparse.hstack((scaled, counts @ lexicon, intercepts), format="csr", dtype=np.float32)
    model = LogisticRegression(C=PENALTY, max_iter=ITERATIONS, tol=1e-4, fit_intercept=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # stopped early on purpose
        model.fit(matrix, rows.label, sample_weight=even_classes(rows, SOURCE_WEIGHT))
    coef = model.coef_  # of two labels scikit-learn gives the second over the first
    over_base = (coef if len(coef) == 1 else np.delete(coef, base, axis=0) - coef[base]).T
    weights = np.zeros((counts.shape[1], over_base.shape[1]), dtype=np.float64)
    weights[seen] = over_base[: len(seen)] * rarity[seen, None]
    weights += lexicon @ over_base[len(seen) : -len(sources)]
    weights[NULL_BUCKET] = 0
    return weights.astype(np.float16)


def calibrate(design: Design, rows: Rows, weights: Weights) -> tuple[Calibration, Calibration]:
    """Fit scale and bias for each script by log-loss on rows that were not learnt from.

    Classes count alike within each source, so the prior is even: neither news nor complaints.
    Sources count alike, too: what the model meets is none of them.  Sources without neutral rows
    and our own sentences are left out.
    """
    score = scores(design, weights)
    weight = even_classes(rows, SOURCE_WEIGHT)
    usable = rows.source != SEED_SOURCE
    for source in np.unique(rows.source):
        at = rows.source == source
        weight[at] /= weight[at].sum()
        if len(np.unique(rows.label[at])) < len(LABELS):
            usable &= ~at
    result = []
    for script in (design.arabic, ~design.arabic):
        at = usable & script
        theta = fit_theta(score[at], rows.label[at], weight[at], SENTIMENT.base, CAUTION)
        result.append(Calibration(*theta))
    return result[0], result[1]


def report(
    design: Design, rows: Rows, weights: Weights, arabic: Calibration, latin: Calibration
) -> dict[str, dict[str, float]]:
    """Measure the sentiment of labelled rows, by source."""
    p = probabilities(design, weights, astuple(arabic), astuple(latin), SENTIMENT.base)
    figures = {}
    for source in np.unique(rows.source):
        at = rows.source == source
        figures[str(source)] = measure(p[at], rows.label[at])
    return figures


def _abuse_and_complaints() -> Rows:
    """Sentences of our own: labelled ones, and those for sentiment, none of which is abuse."""
    abuse = read_seed(ABUSE_FILE, ABUSE_SOURCE, OFFENSIVE.labels)
    other = read_seed(SEED_FILE, ABUSE_SOURCE)
    return abuse + Rows(other.text, np.zeros_like(other.label), other.source)


def _calibrate_offence(
    design: Design, rows: Rows, lexicon: sparse.csc_matrix, fold: Int64
) -> tuple[Platt, Platt]:
    """Fit scale and bias for each script on the public rows, which come first, fold by fold.

    Every row counts alike: the prior is the share of offence in the sets of that script.
    """
    of_row = np.full(len(rows.label), -1)  # our own sentences are in no fold, but always learnt
    of_row[: len(fold)] = fold
    score = np.zeros((len(of_row), 1))
    for number in range(FOLDS):
        at = of_row == number
        weights = fit(design.where(~at), rows.where(~at), lexicon, OFFENSIVE.base)
        score[at] = scores(design.where(at), weights)
    result = []
    for script in (design.arabic, ~design.arabic):
        at = script & (of_row >= 0)
        theta = fit_theta(score[at], rows.label[at], np.ones(at.sum()), OFFENSIVE.base)
        result.append(Platt(*theta))
    return result[0], result[1]


def _report_offence(
    rows: Rows, spec: FeatureSpec, weights: Weights, arabic: Platt, latin: Platt
) -> dict[str, dict[str, float]]:
    design = build_design(rows.text, spec)
    p = probabilities(design, weights, astuple(arabic), astuple(latin), OFFENSIVE.base)[:, 1]
    groups = {"ar": design.arabic, "en": ~design.arabic}  # no row is in the other language's script
    groups |= {str(source): rows.source == source for source in np.unique(rows.source)}
    return {name: measure_offence(p[at], rows.label[at]) for name, at in groups.items() if at.any()}
