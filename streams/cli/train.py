"""``nadhir train``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from streams.cli.common import fail, reports_errors


@click.group()
def train() -> None:
    """Train a model from data."""


@train.command("sentiment")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with train.jsonl.gz and dev.jsonl.gz.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("sentiment.npz"),
    show_default=True,
    help="Where the model goes.",
)
@reports_errors
def train_sentiment(data: Path, out: Path) -> None:
    """Train the sentiment model; equal data give equal bytes.  Prints the figures as JSON."""
    from models.sentiment.train import train as train_model

    try:
        report = train_model(data, out)
    except ValueError as error:
        fail(f"Error: {error}")
    click.echo(json.dumps(report, indent=2, ensure_ascii=False))
