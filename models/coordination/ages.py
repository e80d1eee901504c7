"""Traces by the oldest that they hold: what is to be forgotten is found without asking all."""

from __future__ import annotations

from models.coordination.trace import Trace

_BUCKET_MS = 600_000


class Ages:
    """Traces by the ten minutes before which no account did its last with them."""

    def __init__(self) -> None:
        self._buckets: dict[int, dict[Trace, None]] = {}

    def put(self, trace: Trace) -> None:
        """Take up a trace, or take note that its oldest is another."""
        bucket = trace.oldest_ms // _BUCKET_MS
        if bucket != trace.bucket:
            self.remove(trace)
            self._buckets.setdefault(bucket, {})[trace] = None
            trace.bucket = bucket

    def remove(self, trace: Trace) -> None:
        """Let go of a trace."""
        if trace.bucket is None:
            return
        inside = self._buckets[trace.bucket]
        del inside[trace]
        if not inside:
            del self._buckets[trace.bucket]
        trace.bucket = None

    def before(self, at_ms: int) -> list[Trace]:
        """Traces that may hold something older, in the order of their making."""
        buckets = [bucket for bucket in self._buckets if bucket * _BUCKET_MS < at_ms]
        inside = [trace for bucket in buckets for trace in self._buckets[bucket]]
        older = [trace for trace in inside if trace.oldest_ms < at_ms]
        return sorted(older, key=lambda trace: trace.number)
