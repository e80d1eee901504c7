"""A transformer of the user's own for sentiment, in the ONNX format: docs/models/onnx.md.

Texts are cut into tokens by the model's own tokenizer, sorted by length so that a batch holds
little padding, and run by onnxruntime on the processor.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.records import LABELS, Float32
from models.sentiment.model import EMPTY, softmax
from models.sentiment.onnx_files import Network, OnnxModelError, Tokens
from models.text import normalise

__all__ = ["OnnxModelError", "OnnxSentiment", "load_onnx"]

_WINDOW = 4096  # texts that are sorted together
_NO_CONTENT: Float32 = np.array(EMPTY, dtype=np.float32)


class OnnxSentiment:
    """Probabilities of negative, neutral and positive for texts as they were written.

    Made by :func:`load_onnx`.  A text gets the same answer in every batch but for rounding (about
    1e-6), provided that the model does not quantise what it computes over the whole batch.
    """

    def __init__(
        self, tokens: Tokens, network: Network, labels: Sequence[str], batch_size: int
    ) -> None:
        self._tokens = tokens
        self._network = network
        self._columns = [labels.index(label) for label in LABELS]
        self._batch_size = batch_size

    def predict_texts(self, texts: Sequence[str]) -> Float32:
        """Return probabilities, float32[n, 3], in the order of ``LABELS``; rows sum to one.

        A text without content, and one for which the model gives no finite number, gets what the
        shipped model answers to a text without content.

        Raises
        ------
        OnnxModelError
            onnxruntime failed.  No answer is made up for it: the caller stops before it has
            stored that these texts were read, and nothing is lost.
        """
        place = {text: i for i, text in enumerate(dict.fromkeys(texts))}  # reposts cost nothing
        distinct = list(place)
        answers = np.empty((len(distinct), len(LABELS)), dtype=np.float32)
        for first in range(0, len(distinct), _WINDOW):
            window = distinct[first : first + _WINDOW]
            answers[first : first + len(window)] = self._window(window)
        return answers[np.array([place[text] for text in texts], dtype=np.int64)]

    def _window(self, texts: Sequence[str]) -> Float32:
        answers = np.tile(_NO_CONTENT, (len(texts), 1))
        normalised = normalise(texts)
        filled = [i for i in range(len(texts)) if normalised.text(i).strip()]
        rows = dict(zip(filled, self._tokens.ids([texts[i] for i in filled])))
        order = sorted((i for i in filled if len(rows[i])), key=lambda i: len(rows[i]))
        for first in range(0, len(order), self._batch_size):
            some = order[first : first + self._batch_size]
            answers[some] = self._probabilities(self._network.run([rows[i] for i in some]))
        return answers

    def _probabilities(self, logits: Float32) -> Float32:
        known = np.asarray(np.isfinite(logits).all(axis=1, keepdims=True))
        finite = np.where(known, logits, np.float32(0))
        rows = softmax(finite - finite.max(axis=1, keepdims=True))[:, self._columns]
        return np.where(known, rows, _NO_CONTENT)


def load_onnx(
    path: Path,
    tokenizer: Path,
    *,
    labels: Sequence[str] = LABELS,
    max_tokens: int = 128,
    batch_size: int = 32,
    threads: int = 1,
) -> OnnxSentiment:
    """Load a model and try it out, so that what cannot work fails now and not in mid-stream.

    Parameters
    ----------
    path : Path
        The model.  Inputs ``input_ids``, ``attention_mask`` and perhaps ``token_type_ids``,
        int64[n, t] or int32[n, t]; output ``logits``, or else the first one, float[n, 3].
    tokenizer : Path
        Its ``tokenizer.json``.
    labels : sequence of str
        What the columns of the output mean: ``LABELS`` in any order.
    max_tokens : int
        Tokens of a text that are read, with those that the tokenizer adds.
    batch_size : int
        Texts given to the model at a time.
    threads : int
        Threads for a batch; 0 is one for each core.

    Raises
    ------
    OnnxModelError
        A package is not installed, a file is missing or damaged, or they do not go together.
    """
    if sorted(labels) != sorted(LABELS):
        said = f"labels are {', '.join(labels)}; name {', '.join(LABELS)} once each"
        raise OnnxModelError(path, "labels", said)
    tokens = Tokens(tokenizer, max_tokens)
    network = Network(path, threads, tokens.pad)
    _try_out(tokens, network, max_tokens)
    return OnnxSentiment(tokens, network, labels, batch_size)


def _try_out(tokens: Tokens, network: Network, max_tokens: int) -> None:
    """Run a short text, the longest one, and the highest token: what may fail depends on these."""
    (first,) = tokens.ids(["."])
    highest = np.array([tokens.top], dtype=np.int64)
    short = first if len(first) else highest
    too_long = f"cannot read {max_tokens} tokens; set fewer"
    foreign = f"does not know token {tokens.top} of {tokens.path}; is that another model's?"
    logits = np.concatenate(
        [
            network.run([short]),
            network.run([np.resize(short, max_tokens)], "max_tokens", too_long),
            network.run([highest], "tokenizer", foreign),
        ]
    )
    if not np.isfinite(logits).all():
        raise OnnxModelError(network.path, "path", "gives numbers that are not finite")
    if (logits >= 0).all() and np.allclose(logits.sum(axis=1), 1, atol=1e-3):
        said = "gives probabilities; export it without its last softmax, so that it gives logits"
        raise OnnxModelError(network.path, "path", said)
