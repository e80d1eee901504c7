"""State in a compacted topic, a checkpoint at a time: all of it or nothing.

A topic keeps the latest value of each key and knows no transaction over several of ours.  So a
checkpoint is written twice: whole, as a journal, and then piece by piece.  Records of a partition
keep their order; a writer that ends in between leaves a beginning of what it would have written.
If the journal is whole, it is applied over the pieces; if not, no piece has been touched yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from streams.detect_state import Change, Pieces
from streams.kafka import KafkaEngineError

CHUNK_BYTES = 700 << 10  # of a value; well below what a topic takes
_JOURNAL, _HEAD = "journal", "journal-head"
_SEQUENCE_BYTES = 8

Write = tuple[bytes, bytes | None]


class Journal:
    """The stored state of one partition of a stage.

    Parameters
    ----------
    partition : int
        Part of every key, since a worker holds several partitions in one table.
    held : mapping of bytes to bytes
        What the topic holds, of other partitions too.

    Attributes
    ----------
    pieces : dict of str to bytes
        The state as the last whole checkpoint left it.

    Raises
    ------
    KafkaEngineError
        A journal cannot be read.
    """

    def __init__(self, partition: int, held: Mapping[bytes, bytes]) -> None:
        self._partition = partition
        found = self._found(held)
        self._sequence = 0
        self._redo: list[Change] = self._whole(found.pop(_JOURNAL, {}), found.pop(_HEAD, {}))
        # a torn deletion may have left the last chunk alone
        self._chunks = {name: max(chunks) + 1 for name, chunks in found.items()}
        stored = {n: b"".join(chunks[i] for i in sorted(chunks)) for n, chunks in found.items()}
        self.pieces = applied(stored, self._redo)

    def writes(self, changes: Iterable[Change]) -> list[Write]:
        """Keys and values of a checkpoint, in the order in which they must be written."""
        # what the journal held may not be in the pieces yet, and the new one takes its place
        writes = self._pieces(self._redo)
        self._redo = []
        changes = list(changes)
        self._sequence += 1
        mark = self._sequence.to_bytes(_SEQUENCE_BYTES, "big")
        body = _cut(msgspec.msgpack.encode(changes))
        writes += [(self._key(_JOURNAL, i), b"\0" + mark + part) for i, part in enumerate(body)]
        writes.append((self._key(_HEAD, 0), b"\0" + mark + len(body).to_bytes(4, "big")))
        return writes + self._pieces(changes)

    def _pieces(self, changes: Iterable[Change]) -> list[Write]:
        writes: list[Write] = []
        for name, blob in changes:
            writes += self._drops(name) if blob is None else self._piece(name, blob)
        return writes

    def _piece(self, name: str, blob: bytes) -> list[Write]:
        parts = _cut(blob)
        writes: list[Write] = [
            (self._key(name, i), b"\0" + part) for i, part in enumerate(parts)
        ]  # an empty value would read as a deletion
        writes += [(self._key(name, i), None) for i in range(len(parts), self._chunks.get(name, 0))]
        self._chunks[name] = len(parts)
        return writes

    def _drops(self, prefix: str) -> list[Write]:
        names = [name for name in self._chunks if name.startswith(prefix)]
        return [(self._key(n, i), None) for n in names for i in range(self._chunks.pop(n))]

    def _key(self, name: str, chunk: int) -> bytes:
        return f"{self._partition}|{name}#{chunk}".encode()

    def _found(self, held: Mapping[bytes, bytes]) -> dict[str, dict[int, bytes]]:
        """Chunks of each name, by number."""
        start = f"{self._partition}|".encode()
        found: dict[str, dict[int, bytes]] = {}
        for key, value in held.items():
            if key.startswith(start):
                name, _, number = key.removeprefix(start).rpartition(b"#")
                found.setdefault(name.decode(), {})[int(number)] = value[1:]
        return found

    def _whole(self, chunks: dict[int, bytes], head: dict[int, bytes]) -> list[Change]:
        """The changes of the journal, if all of it is there."""
        if not head:
            return []
        mark, count = head[0][:_SEQUENCE_BYTES], int.from_bytes(head[0][_SEQUENCE_BYTES:], "big")
        self._sequence = int.from_bytes(mark, "big")
        parts = [chunks.get(i, b"") for i in range(count)]
        if not all(part.startswith(mark) for part in parts):
            return []  # the next one was begun, after all pieces of this one were written
        body = b"".join(part[_SEQUENCE_BYTES:] for part in parts)
        try:
            return msgspec.msgpack.decode(body, type=list[tuple[str, bytes | None]])
        except msgspec.MsgspecError as error:
            raise KafkaEngineError(f"a journal that cannot be read: {error}") from error


def applied(pieces: Pieces, changes: Iterable[Change]) -> Pieces:
    """Pieces after changes.

    Examples
    --------
    >>> applied({"a/1": b"x", "b": b"y"}, [("a/", None), ("a/2", b"z")])
    {'b': b'y', 'a/2': b'z'}
    """
    result = dict(pieces)
    for name, blob in changes:
        if blob is None:
            result = {k: v for k, v in result.items() if not k.startswith(name)}
        else:
            result[name] = blob
    return result


def _cut(blob: bytes) -> list[bytes]:
    return [blob[i : i + CHUNK_BYTES] for i in range(0, max(len(blob), 1), CHUNK_BYTES)]
