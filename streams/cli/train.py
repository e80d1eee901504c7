"""``nadhir train``."""

from __future__ import annotations

import json
from pathlib import Path

import click

from streams.cli.common import check_outputs, fail, reports_errors

_HEADS = ("sentiment", "offensive")
_model_file = click.Path(path_type=Path, dir_okay=False)


@click.group()
def train() -> None:
    """Train a model from data."""


@train.command("sentiment")
@click.option(
    "--data",
    required=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Folder with train.jsonl.gz, dev.jsonl.gz and offensive.jsonl.gz.",
)
@click.option(
    "--head",
    type=click.Choice((*_HEADS, "both")),
    default="both",
    show_default=True,
    help="What to learn: sentiment, offensive language, or both.",
)
@click.option(
    "--out",
    type=_model_file,
    default=Path("sentiment.npz"),
    show_default=True,
    help="Where the weights for sentiment go.",
)
@click.option(
    "--out-offensive",
    type=_model_file,
    default=Path("offensive.npz"),
    show_default=True,
    help="Where the weights for offensive language go.",
)
@reports_errors
def train_sentiment(data: Path, head: str, out: Path, out_offensive: Path) -> None:
    """Train the sentiment model; equal data give equal bytes.  Prints the figures as JSON."""
    from models.sentiment import train as trainer
    from models.sentiment.model import OFFENSIVE, SENTIMENT

    jobs = {
        "sentiment": (trainer.train, SENTIMENT.data, out),
        "offensive": (trainer.train_offensive, OFFENSIVE.data, out_offensive),
    }
    chosen = _HEADS if head == "both" else (head,)
    check_outputs((), [jobs[name][2] for name in chosen])
    for name in chosen:  # before minutes of work on the other head
        needed = data / jobs[name][1]
        if not needed.is_file():
            fail(f"Error: {needed} is missing; --head trains one head without the other's data")
    report = {}
    try:
        for name in chosen:
            learn, _, path = jobs[name]
            report[name] = learn(data, path)
    except ValueError as error:
        fail(f"Error: {error}")
    click.echo(json.dumps(report, indent=2, ensure_ascii=False))
