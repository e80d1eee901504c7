"""Metric families that both engines tell, each from plain numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from streams.detect import DetectCounters
from streams.detect_hours import BrandFigures


def counter(name: str, text: str, value: float) -> Metric:
    """A counter without labels."""
    return CounterMetricFamily(name, text, value)


def counters(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    """A counter with one label."""
    family = CounterMetricFamily(name, text, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    """A gauge with one label."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in sorted(values.items()):
        family.add_metric([key], value)
    return family


def received(mentions: int, rejected: Mapping[str, int], observations: int) -> Iterator[Metric]:
    """What came in."""
    yield counter("nadhir_mentions_received", "Mentions read, readable or not.", mentions)
    yield counters(
        "nadhir_mentions_rejected", "Mentions that could not be read.", "reason", rejected
    )
    yield counter("nadhir_observations", "Mentions about a brand.", observations)


def detected(found: DetectCounters, kinds: Iterable[str]) -> Iterator[Metric]:
    """What became of observations."""
    yield counter("nadhir_mentions_duplicate", "Mentions seen before.", found.duplicates)
    yield counter("nadhir_mentions_late", "Mentions too late to count.", found.late)
    signals = dict.fromkeys(kinds, 0) | dict(found.signals)
    yield counters("nadhir_signals", "Signals found.", "kind", signals)


def opened(alerts: Mapping[tuple[str, str], int]) -> Metric:
    """Alerts opened by type and severity."""
    family = CounterMetricFamily(
        "nadhir_alerts_opened",
        "Alerts opened, by the type and severity that they opened with.",
        labels=["type", "severity"],
    )
    for pair, count in sorted(alerts.items()):
        family.add_metric(pair, count)
    return family


def event_time(stage: str, watermark_ms: int | None, now_ms: int) -> Iterator[Metric]:
    """How far event time has come; nothing before there was any."""
    if watermark_ms is None:
        return
    yield gauges(
        "nadhir_watermark_timestamp_seconds",
        "Event time reached.",
        "stage",
        {stage: watermark_ms / 1000},
    )
    yield gauges(
        "nadhir_event_time_lag_seconds",
        "How far the event time reached is behind the clock.",
        "stage",
        {stage: max(0, now_ms - watermark_ms) / 1000},
    )


def brands(found: Iterable[BrandFigures]) -> Iterator[Metric]:
    """How brands stand in the latest hour of event time."""
    columns: dict[str, dict[str, float]] = {name: {} for name in _BRANDS}
    for each in found:
        mentions = dict(zip(each.brands, each.hour.mentions.tolist()))
        negative = zip(each.brands, each.hour.negative.tolist())
        expected = zip(each.brands, each.hour.expected.tolist())
        columns["nadhir_brand_mentions"] |= mentions
        columns["nadhir_brand_mentions_expected"] |= dict(expected)
        columns["nadhir_brand_negative_share"] |= {
            brand: count / mentions[brand] for brand, count in negative if mentions[brand]
        }
        usual = zip(each.brands, each.usual_share.tolist())
        columns["nadhir_brand_negative_share_expected"] |= dict(usual)
        columns["nadhir_brand_source_silent"] |= dict(zip(each.brands, each.silent.tolist()))
    for name, text in _BRANDS.items():
        yield gauges(name, text, "brand", columns[name])


_BRANDS = {
    "nadhir_brand_mentions": "Mentions in the latest hour of event time.",
    "nadhir_brand_mentions_expected": "Mentions expected in that hour.",
    "nadhir_brand_negative_share": "Share of that hour's mentions that are negative, 0 to 1.",
    "nadhir_brand_negative_share_expected": "The usual negative share, 0 to 1.",
    "nadhir_brand_source_silent": "1 if nothing comes of the brand though it should.",
}


def scores(found: Mapping[str, int]) -> Metric:
    """Crisis scores."""
    text = "Crisis score of the brand's worst open alert, 0 to 100; 0 if none is open."
    return gauges("nadhir_brand_score", text, "brand", found)


def state(parts: Mapping[str, int]) -> Metric:
    """Size of the stored state."""
    return gauges("nadhir_state_bytes", "Size of the stored state.", "part", parts)
