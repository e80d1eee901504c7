"""``python -m deploy.grafana`` writes the dashboards to ``deploy/grafana/dashboards/``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.grafana import brand_health, pipeline, response
from deploy.grafana.boards import Board, build_board
from deploy.grafana.panels import Words

HERE = Path(__file__).resolve().parent
DASHBOARDS = HERE / "dashboards"
BOARDS: tuple[Board, ...] = (brand_health.BOARD, pipeline.BOARD, response.BOARD)
LANGUAGES = ("en", "ar")


def files() -> Iterator[tuple[str, str]]:
    """Name and content of each dashboard, in each language."""
    texts = yaml.safe_load((HERE / "texts.yaml").read_text(encoding="utf-8"))
    for board in BOARDS:
        for language in LANGUAGES:
            words = Words(texts["shared"] | texts[board.key], language)
            made = build_board(board, words)
            shown = json.dumps(made, cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False)
            yield f"{board.key}.{language}.json", shown + "\n"


def main() -> None:
    """Write them."""
    DASHBOARDS.mkdir(exist_ok=True)
    for name, content in files():
        (DASHBOARDS / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
