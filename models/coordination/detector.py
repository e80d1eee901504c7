"""Coordinated behaviour around one brand: looked for as traces come, told once a group is seen.

Whether to look again is decided by what has newly been shared and not by the clock, so a calm
stream costs little, a flood is looked at ever more seldom in proportion, and how a stream is cut
into batches changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

from models.coordination.group import Group
from models.coordination.groups import find_groups
from models.coordination.table import HOUR_MS
from models.coordination.traces import hash64, words_of
from models.coordination.window import TraceWindow
from models.records import Mention

LINE = 0.5
MOST_GROUPS = 256
_GROWTH, _LEAST_GROWN = 1.25, 3.0  # accounts that copied a text, since the last look
_LATEST_MS = 600_000
# mentions between looks for each trace held, over which the cost of a look is spread: where much is
# new, and where little is
_SPACED, _SPACED_WIDE = 0.25, 1.0


class Coordination:
    """Groups of accounts that act together, around one brand or topic.

    Parameters
    ----------
    window : TraceWindow, optional
        What is remembered; a day, and 8,192 mentions at most.

    Attributes
    ----------
    dropped : int
        Groups that were forgotten because there were too many.

    Examples
    --------
    >>> Coordination().groups
    []
    """

    def __init__(self, window: TraceWindow | None = None) -> None:
        self.window = TraceWindow() if window is None else window
        self.dropped = 0
        self._known: dict[str, Group] = {}
        self._weight = 0.0
        self._looked_weight = 0.0
        self._enough = _LEAST_GROWN  # with less there is no look
        self._looked_ms = 0
        self._since = 0  # mentions since
        self._hour = self._fades_ms = 0

    @property
    def groups(self) -> list[Group]:
        """All groups that were found, as they were last seen, in the order of their finding."""
        return list(self._known.values())

    def observe(self, mentions: Sequence[Mention]) -> list[Group]:
        """Take in mentions in order; the groups that are new."""
        words = words_of([mention.text for mention in mentions])
        new: list[Group] = []
        for weight in self.window.add(mentions, words):
            self._weight += weight
            self._since += 1
            if self.window.now_ms >= self._fades_ms:
                self._fade()
            if self._weight >= self._enough and self._due():
                new += self.look()
        return new

    def _fade(self) -> None:
        """What was shared long ago counts less."""
        hour = self.window.now_ms // HOUR_MS
        faded = 0.5 ** (hour - self._hour)
        self._weight *= faded
        self._looked_weight *= faded
        self._hour, self._fades_ms = hour, (hour + 1) * HOUR_MS
        self._wait()

    def _due(self) -> bool:
        spread = self._since / max(self.window.traces_held(), 1)
        if self._weight >= _GROWTH * self._looked_weight + _LEAST_GROWN:
            return spread >= _SPACED
        return spread >= _SPACED_WIDE and self.window.now_ms - self._looked_ms >= _LATEST_MS

    def _wait(self) -> None:
        """Set how much there must be at least for the next look."""
        self._enough = self._looked_weight + _LEAST_GROWN

    def look(self) -> list[Group]:
        """Look for groups now; those that are new."""
        self._looked_weight, self._looked_ms = self._weight, self.window.now_ms
        self._since = 0
        self._wait()
        new: list[Group] = []
        for group in find_groups(self.window, self._known.values()):
            if group.kind == "coordination" and group.score < LINE:
                continue
            before = self._before(group)
            if not before:
                group.id = (
                    f"g-{hash64(f'{group.kind}|{group.traces[0].hash}|{group.first_ms}'):016x}"
                )
                group.found_ms = self.window.now_ms
                new.append(group)
            for known in before:
                self._go_on(group, known)
            self._explain(group)
            self._known[group.id] = group
        self._let_go()
        return new

    def _let_go(self) -> None:
        """Forget the groups that ended first, beyond what there is room for."""
        if len(self._known) > MOST_GROUPS:
            ended = sorted(self._known.values(), key=lambda g: g.last_ms)
            for group in ended[: len(ended) - MOST_GROUPS]:
                del self._known[group.id]
                self.dropped += 1

    def _explain(self, group: Group) -> None:
        """Forget as amplified what turns out to be shared by a group."""
        if group.kind == "coordination":
            own = {trace.hash for trace in group.traces}
            for known in list(self._known.values()):
                if known.kind == "amplification" and known.traces[0].hash in own:
                    del self._known[known.id]

    def _go_on(self, group: Group, known: Group) -> None:
        """Let a group go on from one that is known; of several, under the oldest one's name."""
        del self._known[known.id]
        if not group.id or known.found_ms < group.found_ms:
            group.id, group.found_ms = known.id, known.found_ms
        group.go_on_from(known)

    def _before(self, group: Group) -> list[Group]:
        """The known groups that this one goes on from: half of the smaller one's accounts."""
        found = []
        for known in self._known.values():
            if known.kind != group.kind:
                continue
            if group.kind == "amplification" and known.traces[0].hash != group.traces[0].hash:
                continue
            if known.is_of(group.accounts):
                found.append(known)
        return found
