"""A sentiment model of a few kilobytes: mean of word embeddings, one linear layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from onnx import TensorProto, save
from onnx.helper import (
    make_graph,
    make_model,
    make_node,
    make_opsetid,
    make_tensor_value_info,
)
from onnx.numpy_helper import from_array
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

WORDS = ("[PAD]", "[UNK]", "good", "bad", "Good", "app", "اكمي", "أكمي", ".", "down", "?")
_RANDOM = np.random.default_rng(7)
Array = npt.NDArray[np.float32]


def _random(*shape: int) -> Array:
    return _RANDOM.normal(size=shape).astype(np.float32)


@dataclass(frozen=True)
class TinyModel:
    """What the network computes, and how it is written down."""

    words: Sequence[str] = WORDS
    embedding: Array = field(default_factory=lambda: _random(len(WORDS), 5))
    weights: Array = field(default_factory=lambda: _random(5, 3))
    inputs: Sequence[str] = ("input_ids", "attention_mask")
    input_type: int = TensorProto.INT64
    input_shape: Sequence[str | int] = ("n", "t")
    positions: int | None = None  # it can read no more tokens
    last: str = "Identity"  # what happens to the logits

    def logits(self, tokens: Sequence[str]) -> Array:
        """What it must answer, by NumPy."""
        known = [self.words.index(t) if t in self.words else 1 for t in tokens]
        return np.asarray(self.embedding[known].mean(axis=0) @ self.weights, dtype=np.float32)

    def probabilities(self, tokens: Sequence[str]) -> Array:
        """The same after softmax, in the order of the model."""
        exp = np.exp(self.logits(tokens).astype(np.float64))
        return np.asarray(exp / exp.sum(), dtype=np.float32)

    def write(self, folder: Path) -> Path:
        """Write model.onnx and tokenizer.json; the path of the model."""
        tokenizer = Tokenizer(
            WordLevel({word: i for i, word in enumerate(self.words)}, unk_token="[UNK]")
        )
        tokenizer.pre_tokenizer = Whitespace()
        tokenizer.save(str(folder / "tokenizer.json"))
        path = folder / "model.onnx"
        shape, kind = list(self.input_shape), self.input_type
        given = [make_tensor_value_info(name, kind, shape) for name in self.inputs]
        out = [make_tensor_value_info("logits", TensorProto.FLOAT, None)]
        constants = {
            "embedding": self.embedding,
            "weights": self.weights,
            "position": np.zeros((self.positions or 1, self.embedding.shape[1]), dtype=np.float32),
            "one": np.array([1], dtype=np.int64),
            "two": np.array([2], dtype=np.int64),
            "zero": np.array(0, dtype=np.int64),
            "step": np.array(1, dtype=np.int64),
        }
        held = [from_array(array, name) for name, array in constants.items()]
        graph = make_graph(self._nodes(), "tiny", given, out, held)
        model = make_model(graph, opset_imports=[make_opsetid("", 17)], ir_version=9)
        save(model, path)
        return path

    def _nodes(self) -> list[object]:
        mask = "attention_mask" if "attention_mask" in self.inputs else "input_ids"
        nodes = [
            make_node("Gather", ["embedding", "input_ids"], ["plain"]),
            make_node("Cast", [mask], ["mask"], to=TensorProto.FLOAT),
            make_node("Unsqueeze", ["mask", "two"], ["wide"]),
        ]
        if self.positions is None:
            nodes.append(make_node("Identity", ["plain"], ["vectors"]))
        else:  # as transformers do: a vector for each place, and no more places than vectors
            nodes += [
                make_node("Shape", ["input_ids"], ["length"], start=1, end=2),
                make_node("Squeeze", ["length"], ["count"]),
                make_node("Range", ["zero", "count", "step"], ["places"]),
                make_node("Gather", ["position", "places"], ["placed"]),
                make_node("Add", ["plain", "placed"], ["vectors"]),
            ]
        return [
            *nodes,
            make_node("Mul", ["vectors", "wide"], ["kept"]),
            make_node("ReduceSum", ["kept", "one"], ["sum"], keepdims=0),
            make_node("ReduceSum", ["mask", "one"], ["many"], keepdims=1),
            make_node("Div", ["sum", "many"], ["mean"]),
            make_node("MatMul", ["mean", "weights"], ["raw"]),
            make_node(self.last, ["raw", *(["zero"] if self.last == "Unsqueeze" else [])],
                      ["logits"]),
        ]  # fmt: skip

    def but(self, **changes: object) -> TinyModel:
        """The same with something changed."""
        return replace(self, **changes)  # type: ignore[arg-type]
