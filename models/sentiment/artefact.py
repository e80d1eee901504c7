"""Files of weights: arrays and a JSON header in one ``npz``, checked when read, never unpickled."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from models.sentiment.features import FeatureSpec

FORMAT = 1
FOLDER = Path(__file__).resolve().parent.parent / "artifacts"

T = TypeVar("T")


class SentimentArtefactError(ValueError):
    """The file of weights cannot be used.

    Attributes
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path, problem: str, data: str = "train.jsonl.gz") -> None:
        super().__init__(
            f"{path}: {problem}. Restore the file from the release, or train it anew: "
            f"nadhir train sentiment --data <folder with {data}>"
        )
        self.path = path


@dataclass(frozen=True, slots=True)
class Head:
    """A question about a text, and the file with the weights that answer it.

    Attributes
    ----------
    name : str
        Name of the question.
    version : str
        Raise it with every change of features, cleaning or training data.
    labels : tuple of str
        The answers.
    base : int
        Index of the answer that has no weights: those of the others are over it.
    data : str
        Name of the file that it is learnt from.
    """

    name: str
    version: str
    labels: tuple[str, ...]
    base: int
    data: str

    @property
    def shipped(self) -> Path:
        """The weights that come with Nadhir."""
        return FOLDER / f"{self.name}.npz"


class Artefact(NamedTuple):
    """What a file held, after all checks; ``weights`` are float16[spec.size, labels - 1]."""

    header: dict[str, Any]
    spec: FeatureSpec
    weights: npt.NDArray[np.float16]
    version: str


def dump(
    weights: npt.NDArray[np.float16], header: dict[str, Any], spec: FeatureSpec, head: Head
) -> tuple[bytes, str]:
    """Serialise an artefact; same input, same bytes.

    Parameters
    ----------
    weights : float16[spec.size, labels - 1]
        Of each label over the base.
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
    full = {"format": FORMAT, "version": head.version, "labels": head.labels,
            "features": asdict(spec), "sha256": digest, **header}  # fmt: skip
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


def read(path: Path, head: Head, calibration: Callable[..., T]) -> tuple[Artefact, T, T]:
    """Read an artefact, and make the calibrations of Arabic and of all other texts.

    Raises
    ------
    SentimentArtefactError
        The file is missing, damaged, of another version or made for another question.
    """
    try:
        header, weights = _open(path)
        digest = _verify(header, weights, head)
        spec = _spec(header)
        arabic, latin = calibration(**header["arabic"]), calibration(**header["latin"])
        if weights.shape != (spec.size, len(head.labels) - 1) or weights.dtype != np.float16:
            raise _Unusable(f"weights are {weights.dtype}{weights.shape}")
    except (KeyError, TypeError) as error:
        problem = f"the header lacks or garbles {error}"
        raise SentimentArtefactError(path, problem, head.data) from error
    except _Unusable as error:
        raise SentimentArtefactError(path, str(error), head.data) from error.__cause__
    found = Artefact(header, spec, weights, f"{head.version}+{digest[:12]}")
    return found, arabic, latin


class _Unusable(Exception):
    """What is wrong, before the path is named."""


def _open(path: Path) -> tuple[dict[str, Any], npt.NDArray[np.float16]]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            header = json.loads(archive["header"].tobytes())
            weights = archive["weights"]
    except FileNotFoundError as error:
        raise _Unusable("no such file") from error
    except (OSError, EOFError, KeyError, ValueError, TypeError, AttributeError,
            zipfile.BadZipFile, NotImplementedError) as error:  # fmt: skip
        raise _Unusable(f"not an artefact of weights ({error})") from error
    if not isinstance(header, dict):
        raise _Unusable("the header is not a JSON object")
    return header, weights


def _verify(header: dict[str, Any], weights: npt.NDArray[np.float16], head: Head) -> str:
    if header.get("format") != FORMAT or header.get("version") != head.version:
        found = f"format {header.get('format')}, version {header.get('version')}"
        raise _Unusable(f"{found}; this code needs {FORMAT}, {head.version}")
    if header.get("labels") != list(head.labels):
        raise _Unusable(f"answers {header.get('labels')}; here {list(head.labels)} are asked for")
    digest = hashlib.sha256(weights.tobytes()).hexdigest()
    if digest != header.get("sha256"):
        raise _Unusable("the checksum of the weights does not match")
    return digest


def _spec(header: dict[str, Any]) -> FeatureSpec:
    features = header["features"]
    return FeatureSpec(
        features["char_bits"], features["word_bits"],
        tuple(features["char_orders"]), tuple(features["word_orders"]),
    )  # fmt: skip
