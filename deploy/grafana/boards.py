"""Dashboards of panels: variables, annotations, links and rows."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models

from deploy.grafana.panels import SOURCE, Row, Words, build_panel

_TAG = "nadhir"


@dataclass(frozen=True, slots=True)
class Note:
    """An annotation: an expression that is above zero while it holds."""

    key: str
    expression: str
    color: str
    labels: str  # which of them it shows, with commas


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard."""

    key: str
    hours: int  # shown at first
    refresh: str
    brands: bool  # whether brands can be chosen
    notes: tuple[Note, ...]
    rows: tuple[Row, ...]


class _Annotation(models.AnnotationQuery):
    """With what the data source for Prometheus reads beside the fields that all have."""

    def __init__(self, name: str, note: Note) -> None:
        super().__init__(name=name, datasource=SOURCE, icon_color=note.color, expr=note.expression)
        self._labels = note.labels

    def to_json(self) -> dict[str, object]:
        shown = [name.strip() for name in self._labels.split(",")]
        own = {
            "step": "60s",
            "tagKeys": self._labels,
            "titleFormat": self.name,
            "textFormat": " ".join(f"{{{{{name}}}}}" for name in shown),
        }
        return super().to_json() | own


class _Noted(Builder[models.AnnotationQuery]):
    def __init__(self, note: Note, words: Words) -> None:
        self._made = _Annotation(words(f"{note.key}.title"), note)

    def build(self) -> models.AnnotationQuery:
        return self._made


def build_board(board: Board, words: Words) -> models.Dashboard:
    """Grafana's dashboard in one language."""
    made = (
        build.Dashboard(words("title"))
        .uid(f"nadhir-{board.key}-{words.language}")
        .description(words("description"))
        .tags([_TAG, words.language])
        .time(f"now-{board.hours}h", "now")
        .refresh(board.refresh)
        .timezone("browser")
        .readonly()
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .with_variable(
            build.DatasourceVariable("datasource").label(words("datasource")).type("prometheus")
        )
        .with_variable(
            build.TextBoxVariable("console")
            .label(words("console_address"))
            .default_value("http://127.0.0.1:8080")
        )
    )
    if board.brands:
        made.with_variable(_brand(words))
    for note in board.notes:
        made.annotation(_Noted(note, words))
    others = build.DashboardLink(words("dashboards")).type(models.DashboardLinkType.DASHBOARDS)
    made.link(others.tags([_TAG, words.language]).as_dropdown(True).keep_time(True))
    made.link(
        build.DashboardLink(words("console"))
        .type(models.DashboardLinkType.LINK)
        .url("${console}/")
        .target_blank(True)
    )
    numbers = count(1)
    for row in board.rows:
        made.with_row(build.Row(words(f"{row.key}.title")).id(next(numbers)))
        for panel in row.panels:
            made.with_panel(build_panel(panel, words).id(next(numbers)))
    return made.build()


def _brand(words: Words) -> build.QueryVariable:
    every = models.VariableOption(text="All", value="$__all", selected=True)
    return (
        build.QueryVariable("brand")
        .label(words("brand"))
        .datasource(SOURCE)
        .query("label_values(nadhir_brand_mentions, brand)")
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.ALPHABETICAL_ASC)
        .multi(True)
        .include_all(True)
        .current(every)
    )
