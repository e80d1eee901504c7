"""Mentions scored for brands, as columns."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from models.impersonation.findings import Suspect
from models.records.mention import Mention

Label = Literal["negative", "neutral", "positive"]
LABELS: tuple[Label, Label, Label] = ("negative", "neutral", "positive")

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
UInt32 = npt.NDArray[np.uint32]
UInt64 = npt.NDArray[np.uint64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


class Observations(msgspec.Struct, frozen=True, kw_only=True):
    """Mentions scored for brands, as columns: one row a (mention, brand) pair, in order of arrival.

    Attributes
    ----------
    brand : int64[n]
        Index into the brands of the stage; -1 for a mention that only tells how late it is, since
        the brand it is about is watched elsewhere.
    published_ms : int64[n]
    key : uint64[n]
        Hash of platform and id, by which a mention counts once.
    platform : list of str[n]
    label : int8[n]
        Index into ``LABELS``.
    negative, positive : float32[n]
        Probabilities.
    reach : int64[n]
        Followers and engagement: how many may have seen it.
    own : bool[n]
        Not counted: written by the brand itself, or here for its suspects alone, since the text
        does not speak of the brand.
    lang : list of str[n]
    mention : list of Mention[n], or of bytes[n]
        Whole, or what evidence shows of it (``models.evidence.packed``).
    suspects : dict of int to tuple of Suspect
        By row: the author or links of the mention that resemble the brand.
    """

    brand: Int64
    published_ms: Int64
    key: UInt64
    platform: list[str]
    label: npt.NDArray[np.int8]
    negative: Float32
    positive: Float32
    reach: Int64
    own: Bool
    lang: list[str]
    mention: list[Mention] | list[bytes]
    suspects: dict[int, tuple[Suspect, ...]] = {}

    def __len__(self) -> int:
        return len(self.brand)
