"""The two files of an ONNX model, each behind what Nadhir needs of it.

onnxruntime and tokenizers are optional (``nadhir[onnx]``) and imported only where a file is opened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.records import LABELS, Float32, Int64

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_TOKENISED = 256  # texts whose tokens are held with all that the tokenizer says of them
# More characters than this are not read.  No language has such long tokens; without it, 20,000
# hostile characters would become as many tokens before they are truncated.
_CHARS_PER_TOKEN = 32
_NEEDED = ("input_ids", "attention_mask")
_WHOLE = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}
_MOST_SAID = 300  # characters of another library's message


class OnnxModelError(ValueError):
    """The model or its tokenizer cannot be used; names the file and the setting.

    Attributes
    ----------
    path : Path
        The file.
    key : str
        The setting under ``sentiment.onnx``.
    problem : str
        What is wrong with it, without either.
    """

    def __init__(self, path: Path, key: str, problem: str) -> None:
        super().__init__(f"{path}: {problem} (sentiment.onnx.{key})")
        self.path = path
        self.key = key
        self.problem = problem


class Tokens:
    """The tokenizer of a model.

    Parameters
    ----------
    path : Path
        A ``tokenizer.json``.
    max_tokens : int
        What is longer is truncated.

    Attributes
    ----------
    pad : int
        The token that fills a row up.
    top : int
        The highest token.
    """

    def __init__(self, path: Path, max_tokens: int) -> None:
        self.path = path
        self._most_chars = max_tokens * _CHARS_PER_TOKEN
        self._tokenizer = _open_tokenizer(path, max_tokens)
        padding = self._tokenizer.padding
        named = [self._tokenizer.token_to_id(name) for name in ("[PAD]", "<pad>")]
        known = [padding["pad_id"]] if padding else [pad for pad in named if pad is not None]
        self.pad: int = known[0] if known else 0
        self.top = max(self._tokenizer.get_vocab(with_added_tokens=True).values(), default=0)
        self._tokenizer.no_padding()

    def ids(self, texts: Sequence[str]) -> Iterator[Int64]:
        """The tokens of each text, truncated, in order."""
        for first in range(0, len(texts), _TOKENISED):
            some = [
                # half of a surrogate pair cannot pass to the tokenizer
                text[: self._most_chars].encode("utf-8", "replace").decode()
                for text in texts[first : first + _TOKENISED]
            ]
            try:
                found = self._tokenizer.encode_batch_fast(some)
            except Exception as error:  # tokenizers raises nothing narrower
                problem = f"cannot read texts ({_said(error)})"
                raise OnnxModelError(self.path, "tokenizer", problem) from error
            yield from (np.array(each.ids, dtype=np.int64) for each in found)


class Network:
    """The model itself: rows of tokens in, rows of logits out.

    Parameters
    ----------
    path : Path
        An ONNX file.
    threads : int
        Threads for a batch; 0 is one for each core.
    pad : int
        The token that fills a row up.
    """

    def __init__(self, path: Path, threads: int, pad: int) -> None:
        self.path = path
        self._pad = pad
        self._session = _open_session(path, threads)
        self._types = {each.name: self._type(each) for each in self._inputs()}
        outputs = [output.name for output in self._session.get_outputs()]
        self._output = "logits" if "logits" in outputs else outputs[0]

    def run(self, rows: Sequence[Int64], key: str = "path", failed: str = "cannot run") -> Float32:
        """Run a batch.

        Parameters
        ----------
        rows : sequence of int64[t]
            Tokens of each text, at least one.
        key, failed : str
            Which setting is to blame if that fails, and what to say.

        Returns
        -------
        float32[n, 3]
            Logits, columns in the order of the model.
        """
        ids = np.full((len(rows), max(map(len, rows))), self._pad, dtype=np.int64)
        mask = np.zeros_like(ids)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
            mask[i, : len(row)] = 1
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        feed = {name: given[name].astype(kind) for name, kind in self._types.items()}
        try:
            found = np.asarray(self._session.run([self._output], feed)[0])
        except Exception as error:  # what onnxruntime raises has no base of its own
            raise OnnxModelError(self.path, key, f"{failed} ({_said(error)})") from error
        return self._checked(found, len(rows))

    def _inputs(self) -> Sequence[Any]:
        inputs: Sequence[Any] = self._session.get_inputs()
        names = [each.name for each in inputs]
        lacking = [name for name in _NEEDED if name not in names]
        unknown = [name for name in names if name not in (*_NEEDED, "token_type_ids")]
        if lacking:  # without a mask, padding would change the answers
            said = f"has no input {' and '.join(lacking)}; its inputs are {', '.join(names)}"
            raise OnnxModelError(self.path, "path", said)
        if unknown:
            said = f"wants the input {unknown[0]}, which Nadhir cannot give; export it without"
            raise OnnxModelError(self.path, "path", said)
        return inputs

    def _type(self, given: Any) -> npt.DTypeLike:
        what = f"its input {given.name} is {given.type}{given.shape}"
        if given.type not in _WHOLE or len(given.shape) != 2:
            said = f"{what}; expected int64 or int32 [texts, tokens]"
            raise OnnxModelError(self.path, "path", said)
        if any(isinstance(size, int) for size in given.shape):
            said = f"{what}; export it with dynamic axes, for any number of texts and tokens"
            raise OnnxModelError(self.path, "path", said)
        return _WHOLE[given.type]

    def _checked(self, found: npt.NDArray[Any], count: int) -> Float32:
        if found.ndim != 2 or len(found) != count or found.dtype.kind != "f":
            said = f"its output {self._output} is {found.dtype}{list(found.shape)}"
            said += f" for a batch of {count}; expected float [{count}, {len(LABELS)}]"
            raise OnnxModelError(self.path, "path", said)
        if found.shape[1] != len(LABELS):
            said = f"gives {found.shape[1]} numbers a text; Nadhir needs {', '.join(LABELS)}"
            raise OnnxModelError(self.path, "labels", said)
        return found.astype(np.float32)


def _open_tokenizer(path: Path, max_tokens: int) -> Tokenizer:
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise _not_installed(path, "tokenizer", error) from error
    if not path.is_file():
        raise OnnxModelError(path, "tokenizer", "no such file")
    try:
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.enable_truncation(max_tokens)
    except Exception as error:  # as above
        problem = f"not a tokenizer.json of the package tokenizers ({_said(error)})"
        raise OnnxModelError(path, "tokenizer", problem) from error
    return tokenizer


def _open_session(path: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise _not_installed(path, "path", error) from error
    if not path.is_file():
        raise OnnxModelError(path, "path", "no such file")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4  # what fails is raised; there is no need to print it too
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        problem = f"not an ONNX model that onnxruntime can load ({_said(error)})"
        raise OnnxModelError(path, "path", problem) from error


def _not_installed(path: Path, key: str, error: ImportError) -> OnnxModelError:
    problem = f"needs a package that is not installed: pip install 'nadhir[onnx]' ({_said(error)})"
    return OnnxModelError(path, key, problem)


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:_MOST_SAID]
