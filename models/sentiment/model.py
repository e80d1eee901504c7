"""A linear classifier on hashed n-grams: sums of gathered weights, then a calibrated softmax."""

from __future__ import annotations

import hashlib
import json
import zipfile
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.records import LABELS, Float32
from models.sentiment.features import FeatureSpec, chunks
from models.text import CodeBatch

FORMAT = 1
VERSION = "1.0.0"  # raise with every change of features, cleaning or training data
SHIPPED = Path(__file__).resolve().parent.parent / "artifacts" / "sentiment.npz"
EMPTY = (0.1, 0.8, 0.1)  # probabilities of a text without content
_MAX_LOGIT = 30.0


class SentimentArtefactError(ValueError):
    """The file of weights cannot be used.

    Attributes
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path}: {problem}. Restore the file from the release, or train it anew: "
            "nadhir train sentiment --data <folder with train.jsonl.gz>"
        )
        self.path = path


@dataclass(frozen=True, slots=True)
class Calibration:
    """Maps the raw scores of one script to logits: ``scale * score + (negative, positive)``."""

    scale: float
    negative: float
    positive: float


@dataclass(frozen=True, slots=True)
class SentimentModel:
    """Probabilities of negative, neutral and positive for normalised texts.

    For a text with ``L`` characters after cleaning and n-gram buckets ``b_1 .. b_m``::

        score = sum(weights[b_i]) / sqrt(L)                       (negative and positive - neutral)
        p     = softmax(scale * score + bias, with 0 for neutral)     scale, bias by main script

    Attributes
    ----------
    spec : FeatureSpec
        What is hashed.
    weights : complex64[spec.size]
        Weight of each bucket over neutral: negative (real part) and positive (imaginary part),
        packed so that one gather fetches both.
    arabic, latin : Calibration
        For texts with more Arabic letters than Latin ones, and for all others.
    version : str
        Version of the code and start of the checksum of the weights.

    Examples
    --------
    >>> from models.text import normalise
    >>> model = load()
    >>> p = model.predict(normalise(["الخدمة سيئة جدا", "thank you, great service"]))
    >>> [LABELS[i] for i in p.argmax(axis=1)]
    ['negative', 'positive']
    """

    spec: FeatureSpec
    weights: npt.NDArray[np.complex64]
    arabic: Calibration
    latin: Calibration
    version: str

    def predict(self, batch: CodeBatch) -> Float32:
        """Return probabilities, float32[n, 3], in the order of ``LABELS``; rows sum to one."""
        out = np.empty((len(batch), 3), dtype=np.float32)
        for chunk in chunks(batch, self.spec):
            count = len(chunk.lengths)
            score = np.zeros(count, dtype=np.complex64)
            for buckets, begins in chunk.blocks:
                score += np.add.reduceat(self.weights.take(buckets, mode="clip"), begins)
            score /= np.sqrt(np.maximum(chunk.lengths, 1)).astype(np.float32)
            logits = np.zeros((count, 3), dtype=np.float32)
            for column, part, side in ((0, score.real, "negative"), (2, score.imag, "positive")):
                arabic = self.arabic.scale * part + getattr(self.arabic, side)
                latin = self.latin.scale * part + getattr(self.latin, side)
                logits[:, column] = np.where(chunk.arabic, arabic, latin)
            rows = softmax(logits)
            rows[chunk.lengths == 0] = EMPTY
            out[chunk.first : chunk.first + count] = rows
        return out


def softmax(logits: Float32) -> Float32:
    """Row-wise softmax of logits, clipped so that no probability is exactly 0 or 1."""
    clipped = np.clip(logits, -_MAX_LOGIT, _MAX_LOGIT)
    exp = np.exp(clipped - clipped.max(axis=1, keepdims=True))
    return np.asarray(exp / exp.sum(axis=1, keepdims=True), dtype=np.float32)


def dump(
    weights: npt.NDArray[np.float16], header: dict[str, Any], spec: FeatureSpec
) -> tuple[bytes, str]:
    """Serialise an artefact; same input, same bytes.

    Parameters
    ----------
    weights : float16[spec.size, 2]
        Negative and positive over neutral.
    header : dict
        ``arabic`` and ``latin`` calibration and whatever describes the training.

    Returns
    -------
    data : bytes
        A NumPy ``npz`` with ``header`` (UTF-8 JSON) and ``weights``.
    digest : str
        SHA-256 of the weights.
    """
    digest = hashlib.sha256(weights.tobytes()).hexdigest()
    full = {"format": FORMAT, "version": VERSION, "labels": LABELS, "features": asdict(spec),
            "sha256": digest, **header}  # fmt: skip
    text = json.dumps(full, ensure_ascii=False, sort_keys=True).encode()
    arrays = {"header": np.frombuffer(text, dtype=np.uint8), "weights": weights}
    data = BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            body = BytesIO()
            np.lib.format.write_array(body, np.ascontiguousarray(array), allow_pickle=False)
            # a ZipInfo without a date is of 1980, whatever the clock says
            info = zipfile.ZipInfo(f"{name}.npy")
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, body.getvalue())
    return data.getvalue(), digest


def load(path: Path | None = None) -> SentimentModel:
    """Load an artefact; ``None`` means the one that ships with Nadhir.

    Raises
    ------
    SentimentArtefactError
        The file is missing, damaged, or of another version than this code.
    """
    path = SHIPPED if path is None else path
    header, weights = _read(path)
    if header.get("format") != FORMAT or header.get("version") != VERSION:
        found = f"format {header.get('format')}, version {header.get('version')}"
        raise SentimentArtefactError(path, f"{found}; this code needs {FORMAT}, {VERSION}")
    digest = hashlib.sha256(weights.tobytes()).hexdigest()
    if digest != header.get("sha256"):
        raise SentimentArtefactError(path, "the checksum of the weights does not match")
    try:
        features = header["features"]
        spec = FeatureSpec(
            features["char_bits"], features["word_bits"],
            tuple(features["char_orders"]), tuple(features["word_orders"]),
        )  # fmt: skip
        arabic, latin = Calibration(**header["arabic"]), Calibration(**header["latin"])
    except (KeyError, TypeError) as error:
        raise SentimentArtefactError(path, f"the header lacks or garbles {error}") from error
    if weights.shape != (spec.size, 2) or weights.dtype != np.float16:
        raise SentimentArtefactError(path, f"weights are {weights.dtype}{weights.shape}")
    packed = weights.astype(np.float32).view(np.complex64).ravel()
    return SentimentModel(spec, packed, arabic, latin, f"{VERSION}+{digest[:12]}")


def _read(path: Path) -> tuple[dict[str, Any], npt.NDArray[np.float16]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            header = json.loads(archive["header"].tobytes())
            weights = archive["weights"]
    except FileNotFoundError as error:
        raise SentimentArtefactError(path, "no such file") from error
    except (OSError, EOFError, KeyError, ValueError, TypeError, AttributeError,
            zipfile.BadZipFile, NotImplementedError) as error:  # fmt: skip
        raise SentimentArtefactError(path, f"not a sentiment artefact ({error})") from error
    if not isinstance(header, dict):
        raise SentimentArtefactError(path, "the header is not a JSON object")
    return header, weights
