"""Panels as plain records, and how they become Grafana's; so a dashboard reads as a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.builders import common, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as models

SOURCE = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
# where a click on a value leads, by the name of the link
_PAGES = {
    "brand": "${console}/history?brand=${__field.labels.brand}",
    "open": "${console}/history?state=open",
    "history": "${console}/history",
}
_HEIGHT = {"stat": 5, "timeline": 6, "lines": 8, "bars": 8}


@dataclass(frozen=True, slots=True)
class Query:
    """An expression, and how its series are called.

    Attributes
    ----------
    legend : str
        Labels in ``{{ }}``; a word after ``@`` is looked up in the texts.
    """

    expression: str
    legend: str = "__auto"


@dataclass(frozen=True, slots=True)
class Panel:
    """What a panel shows; its title and description are texts, under its key.

    Attributes
    ----------
    unit : str
        As Grafana names it.
    thresholds : tuple of (float, str)
        From which value on it has which colour; what is below the first is green, unless the first
        is at minus infinity, which is written as None.
    width : int
        Of the 24 columns.
    page : str or None
        Page of the console that a click on a value opens.
    states : mapping or None
        Word and colour for a value, where a value is a state.
    """

    key: str
    kind: Literal["stat", "lines", "bars", "timeline"]
    unit: str
    queries: tuple[Query, ...]
    thresholds: tuple[tuple[float | None, str], ...]
    width: int = 12
    page: str | None = None
    states: Mapping[str, tuple[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under one heading."""

    key: str
    panels: tuple[Panel, ...]


class Words:
    """The texts of one dashboard in one language."""

    def __init__(self, texts: Mapping[str, Mapping[str, str]], language: str) -> None:
        self._texts = texts
        self.language = language

    def __call__(self, key: str) -> str:
        """The text of a key."""
        return self._texts[key][self.language]

    def legend(self, legend: str) -> str:
        """A legend with its words."""
        parts = [self(p[1:]) if p.startswith("@") else p for p in legend.split(" ")]
        return " ".join(parts)


def build_panel(panel: Panel, words: Words) -> stat.Panel | timeseries.Panel | statetimeline.Panel:
    """Grafana's panel."""
    made: stat.Panel | timeseries.Panel | statetimeline.Panel
    if panel.kind == "stat":
        made = _stat()
    elif panel.kind == "timeline":
        made = statetimeline.Panel().merge_values(True).show_value(shapes.VisibilityMode.NEVER)
    else:
        made = _series(bars=panel.kind == "bars")
    made.title(words(f"{panel.key}.title")).description(words(f"{panel.key}.description"))
    made.datasource(SOURCE).unit(panel.unit).span(panel.width).height(_HEIGHT[panel.kind])
    made.thresholds(_thresholds(panel)).min(0)
    for ref, query in zip("ABCDEF", panel.queries):
        made.with_target(_target(ref, query, words))
    if panel.states is not None:
        named = {
            value: models.ValueMappingResult(text=words(word), color=color, index=index)
            for index, (value, (word, color)) in enumerate(panel.states.items())
        }
        made.mappings([models.ValueMap(options=named)])
    if panel.page is not None:
        link = build.DashboardLink(words("console")).url(_PAGES[panel.page]).target_blank(True)
        made.data_links([link])
    return made


def _stat() -> stat.Panel:
    last = common.ReduceDataOptions().calcs(["lastNotNull"])
    return (
        stat.Panel()
        .reduce_options(last)
        .color_mode(shapes.BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(shapes.BigValueGraphMode.NONE)
        .text_mode(shapes.BigValueTextMode.VALUE_AND_NAME)
        .color_scheme(build.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
    )


def _series(*, bars: bool) -> timeseries.Panel:
    lines = common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED)
    legend = (
        common.VizLegendOptions()
        .show_legend(True)
        .display_mode(shapes.LegendDisplayMode.TABLE)
        .placement(shapes.LegendPlacement.BOTTOM)
        .calcs(["lastNotNull", "max"])
    )
    tooltip = common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI)
    style = shapes.GraphDrawStyle.BARS if bars else shapes.GraphDrawStyle.LINE
    return (
        timeseries.Panel()
        .thresholds_style(lines)
        .legend(legend)
        .tooltip(tooltip)
        .draw_style(style)
        .fill_opacity(60 if bars else 5)
        .color_scheme(build.FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC))
    )


def _thresholds(panel: Panel) -> build.ThresholdsConfig:
    steps = list(panel.thresholds)
    if steps[0][0] is not None:
        steps.insert(0, (None, "green"))
    made = [models.Threshold(value=value, color=color) for value, color in steps]
    return build.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(made)


def _target(ref: str, query: Query, words: Words) -> Dataquery:
    legend = words.legend(query.legend)
    return Dataquery().expr(query.expression).legend_format(legend).ref_id(ref).datasource(SOURCE)
