"""Observations on the wire: one record holds what a micro-batch says to one partition of brands.

A record is a version byte and MessagePack: columns as bytes, what evidence shows of each mention,
which rows have suspects, and how far each source partition had been read (``Slice``).  Every
partition is told of every slice, also when none of its brands was spoken of: event time moves for
all brands together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt
from kafka.partitioner.default import murmur2

from models.detector import TICK_MS
from models.impersonation.findings import Suspect
from models.kept import packed
from models.language import LANGUAGES
from models.records import Int64, Observations
from streams.kafka import KafkaEngineError

VERSION = 1
MOST_BYTES = 512 << 10  # of evidence in a record; well below what a topic takes
_LANG_CODE = {lang: code for code, lang in enumerate(LANGUAGES)}
ROW = np.dtype(
    [
        ("published_ms", "<i8"),
        ("key", "<u8"),
        ("reach", "<i8"),
        ("negative", "<f4"),
        ("positive", "<f4"),
        ("brand", "<i4"),
        ("platform", "<i4"),
        ("label", "i1"),
        ("lang", "u1"),
        ("own", "?"),
    ]
)
Rows = npt.NDArray[np.void]


class UnknownVersion(KafkaEngineError):
    """A record of a version that this Nadhir does not know."""


class Slice(msgspec.Struct, frozen=True, array_like=True):
    """How far a partition of mentions has been read.

    ``high_ms`` is the latest time of what was read (``None``: nothing that can be read).
    ``empty_ms``: by the clock, the partition had nothing more then.  ``marks``: see
    ``marks_of``.
    """

    partition: int
    high_ms: int | None
    empty_ms: int | None
    marks: list[int]


class _Body(msgspec.Struct, frozen=True, array_like=True):
    scored_ms: int
    slices: list[Slice]
    brands: list[str]
    platforms: list[str]
    rows: bytes
    evidence: list[bytes]
    suspects: dict[int, tuple[Suspect, ...]] = {}
    arrived_ms: int = 0


@dataclass(frozen=True, slots=True)
class Record:
    """A record, read.  ``rows["brand"]`` and ``rows["platform"]`` index into the names."""

    scored_ms: int
    slices: list[Slice]
    brands: list[str]
    platforms: list[str]
    rows: Rows
    evidence: list[bytes]
    suspects: dict[int, tuple[Suspect, ...]] = field(default_factory=dict)
    arrived_ms: int = 0  # when the first of its mentions came; 0 if its writer did not say


def partition_of(brand: str, partitions: int) -> int:
    """Partition of a brand: the hash of its id, as Kafka's own partitioner has it.

    Examples
    --------
    >>> partition_of("acme", 12)
    0
    """
    return int(murmur2(brand.encode()) & 0x7FFFFFFF) % partitions


def marks_of(published_ms: Int64) -> list[int]:
    """The first time in each tick and the last of all: what moves event time as all of them would.

    Examples
    --------
    >>> marks_of(np.array([3, 15_001, 7, 15_002]))
    [3, 15001, 15002]
    """
    times = np.sort(published_ms)
    first = np.flatnonzero(np.diff(times // TICK_MS, prepend=-1)).tolist()
    return list(dict.fromkeys(times[[*first, -1]].tolist())) if len(times) else []


def pack(
    observations: Observations,
    brands: Sequence[str],
    partition: Int64,
    partitions: int,
    slices: Sequence[Slice],
    scored_ms: int,
    arrived_ms: int = 0,
) -> Iterator[tuple[int, bytes]]:
    """Records for every partition, in the order in which they must be sent.

    Parameters
    ----------
    observations : Observations
        With whole mentions.
    brands : sequence of str
        Ids, by index.
    partition : int64[brands]
        Partition of each brand.
    scored_ms, arrived_ms : int
        By the clock, when the mentions were scored, and when the first of them came.
    """
    to = partition[observations.brand]
    evidence = [m if isinstance(m, bytes) else packed(m) for m in observations.mention]
    for number in range(partitions):
        at = np.flatnonzero(to == number)
        for part in _parts(at, evidence):
            last = len(part) == 0 or part[-1] == at[-1]
            told = slices if last else ()
            times = scored_ms, arrived_ms
            yield number, _packed(observations, part, brands, evidence, told, times)


def _parts(at: Int64, evidence: Sequence[bytes]) -> Iterator[Int64]:
    """Rows in portions of bounded size; one without rows if there are none."""
    sizes = np.cumsum([len(evidence[i]) for i in at.tolist()])
    yield from np.split(at, np.flatnonzero(np.diff(sizes // MOST_BYTES)) + 1)


def _packed(
    obs: Observations,
    at: Int64,
    brands: Sequence[str],
    evidence: Sequence[bytes],
    slices: Sequence[Slice],
    times: tuple[int, int],
) -> bytes:
    rows = np.zeros(len(at), dtype=ROW)
    for name in ("published_ms", "key", "reach", "negative", "positive", "label", "own"):
        rows[name] = getattr(obs, name)[at]
    used, rows["brand"] = np.unique(obs.brand[at], return_inverse=True)
    platforms: dict[str, int] = {}
    rows["platform"] = [platforms.setdefault(obs.platform[i], len(platforms)) for i in at.tolist()]
    rows["lang"] = [_LANG_CODE[obs.lang[i]] for i in at.tolist()]
    body = _Body(
        scored_ms=times[0],
        arrived_ms=times[1],
        slices=list(slices),
        brands=[brands[i] for i in used.tolist()],
        platforms=list(platforms),
        rows=rows.tobytes(),
        evidence=[evidence[i] for i in at.tolist()],
        suspects={row: obs.suspects[i] for row, i in enumerate(at.tolist()) if i in obs.suspects}
        if obs.suspects
        else {},
    )
    return bytes([VERSION]) + msgspec.msgpack.encode(body)


def unpack(value: bytes | None) -> Record:
    """Read a record.

    Raises
    ------
    UnknownVersion
        The record is of a version that this Nadhir does not know.
    KafkaEngineError
        It cannot be read.
    """
    if not value:
        raise KafkaEngineError("an empty record")
    if value[0] != VERSION:
        raise UnknownVersion(f"a record of version {value[0]}; this Nadhir reads {VERSION}")
    try:
        body = msgspec.msgpack.decode(memoryview(value)[1:], type=_Body)
        rows = np.frombuffer(body.rows, dtype=ROW)
        good = len(rows) == len(body.evidence) and all(
            low >= 0 and high < len(names)
            for low, high, names in (
                (rows[c].min(initial=0), rows[c].max(initial=-1), names)
                for c, names in (("brand", body.brands), ("platform", body.platforms))
            )
        )
        good = good and rows["lang"].max(initial=0) < len(LANGUAGES)
        good = good and all(0 <= row < len(rows) for row in body.suspects)
    except (msgspec.MsgspecError, ValueError) as error:
        raise KafkaEngineError(f"a record that cannot be read: {error}") from error
    if not good:
        raise KafkaEngineError("a record whose columns do not fit together")
    return Record(
        body.scored_ms,
        body.slices,
        body.brands,
        body.platforms,
        rows,
        body.evidence,
        body.suspects,
        body.arrived_ms,
    )
