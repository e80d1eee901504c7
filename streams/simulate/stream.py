"""The simulation: brands' streams drawn block by block, merged by time, written as JSON Lines."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import orjson
import yaml

from streams.simulate import rows as r
from streams.simulate.brand_stream import BrandStream
from streams.simulate.brands import ready_brands
from streams.simulate.people import Population
from streams.simulate.rhythm import HOUR_S, STEP_S
from streams.simulate.spec import (
    SimBrand,
    SimulationError,
    SimulationSpec,
    rfc3339,
)

TRUTH_VERSION = 1
_SLICE_MENTIONS = 20_000  # rendered together, bounds the memory; but at least
_SLICE_OF_BRAND = 50  # of each brand, so that NumPy pays off


class Simulation:
    """A labelled stream of mentions; iterate as often as you like, the bytes are the same.

    Parameters
    ----------
    specs : sequence of SimulationSpec
        A brand may stand in one of them only.

    Raises
    ------
    SimulationError
        If there is no specification, or a brand stands in two.
    """

    def __init__(self, specs: Sequence[SimulationSpec]) -> None:
        self.specs = tuple(specs)
        self._casts = [
            (spec, brand)
            for spec in self.specs
            for brand in (ready_brands()[:1] if spec.brands is None else spec.brands)
        ]
        ids = [brand.id for _, brand in self._casts]
        if not ids:
            raise SimulationError("specs=[]: expected at least one brand")
        twice = sorted({brand_id for brand_id in ids if ids.count(brand_id) > 1})
        if twice:
            raise SimulationError(f"brands={twice}: a brand can run one scenario only")

    @property
    def brands(self) -> tuple[SimBrand, ...]:
        """All brands, in the order of the specifications."""
        return tuple(brand for _, brand in self._casts)

    def lines(self) -> Iterator[bytes]:
        """Yield one mention at a time as JSON with its newline, in order of arrival.

        Sorted by ``published_at``, except for the backlog after a feed outage.
        """
        for lines in self._slices():
            yield from lines

    def chunks(self) -> Iterator[bytes]:
        """Yield the same bytes as `lines`, many mentions at a time."""
        for lines in self._slices():
            yield b"".join(lines)

    @property
    def truth(self) -> dict[str, Any]:
        """What happened, per brand (docs/simulate.md); plain data for JSON."""
        streams = self._streams()
        return {
            "version": TRUTH_VERSION,
            "start": rfc3339(min(spec.start_s for spec in self.specs)),
            "end": rfc3339(max(spec.end_s for spec in self.specs)),
            "labels": {letter: label for label, letter in r.LABELS.items()},
            "sentiments": {letter: mood for mood, letter in r.MOODS.items()},
            "brands": {stream.plan.brand.id: stream.plan.truth() for stream in streams},
        }

    def config(self) -> dict[str, Any]:
        """Return a Nadhir configuration of the brands; plain data for YAML."""
        return {"brands": [brand.config() for brand in self.brands]}

    def _streams(self) -> list[BrandStream]:
        populations: dict[tuple[int, int], Population] = {}
        streams = []
        for spec, brand in self._casts:
            key = spec.seed, spec.start_s
            if key not in populations:
                populations[key] = Population(*key)
            streams.append(BrandStream(spec, brand, populations[key]))
        return streams

    def _slices(self) -> Iterator[list[bytes]]:
        streams = self._streams()
        at = min(spec.start_s for spec in self.specs)
        end = max(spec.end_s for spec in self.specs)
        rate = sum(stream.plan.rate_per_hour for stream in streams) / HOUR_S
        mentions = max(_SLICE_MENTIONS, _SLICE_OF_BRAND * len(streams))
        step = max(STEP_S, min(24 * HOUR_S, int(mentions / rate)))
        while at < end:
            at = min(at + step, end)
            until = math.inf if at == end else at  # a backlog may arrive after the end
            yield _merged(streams, until)


def _merged(streams: list[BrandStream], until_s: float) -> list[bytes]:
    lines: list[bytes] = []
    arrivals = []
    for stream in streams:
        rows = stream.take(until_s)
        if len(rows):
            lines.extend(stream.renderer.lines(rows))
            arrivals.append(rows["arrive"])
    if len(arrivals) < 2:
        return lines
    order = np.argsort(np.concatenate(arrivals), kind="stable")
    return [lines[i] for i in order.tolist()]


def simulate(spec: SimulationSpec) -> Simulation:
    """Simulate one scenario.

    Examples
    --------
    >>> simulation = simulate(SimulationSpec("calm", seed=1, days=0.1))
    >>> next(simulation.lines())[:12]
    b'{"id":"rimal'
    """
    return Simulation([spec])


def simulate_many(specs: Sequence[SimulationSpec]) -> Simulation:
    """Simulate several scenarios in one stream, each for brands of its own."""
    return Simulation(specs)


def write(
    specs: SimulationSpec | Sequence[SimulationSpec],
    out: BinaryIO,
    truth: Path | None = None,
    config: Path | None = None,
) -> int:
    """Write a simulation, its truth (JSON) and its configuration (YAML).

    Parameters
    ----------
    specs : SimulationSpec or sequence of SimulationSpec
    out : binary file
        Receives JSON Lines.
    truth, config : pathlib.Path, optional
        Where to write the side files.

    Returns
    -------
    int
        How many mentions were written.
    """
    simulation = Simulation([specs] if isinstance(specs, SimulationSpec) else specs)
    if truth is not None:
        truth.write_bytes(orjson.dumps(simulation.truth, option=orjson.OPT_INDENT_2) + b"\n")
    if config is not None:
        text = yaml.safe_dump(simulation.config(), allow_unicode=True, sort_keys=False)
        config.write_text(text, encoding="utf-8")
    count = 0
    for chunk in simulation.chunks():
        out.write(chunk)
        count += chunk.count(b"\n")
    return count
