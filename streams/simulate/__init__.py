"""A labelled, seeded, bilingual stream of mentions for tests, demo and benchmarks.

docs/simulate.md describes the model, the scenarios and the truth.
"""

from streams.simulate.brands import ready_brands, synthetic_brands
from streams.simulate.spec import SCENARIOS, Noise, SimBrand, SimulationError, SimulationSpec
from streams.simulate.stream import Simulation, simulate, simulate_many, write

__all__ = [
    "SCENARIOS",
    "Noise",
    "SimBrand",
    "Simulation",
    "SimulationError",
    "SimulationSpec",
    "ready_brands",
    "simulate",
    "simulate_many",
    "synthetic_brands",
    "write",
]
