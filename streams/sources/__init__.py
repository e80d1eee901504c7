"""Where mentions come from: files, CSV exports, standard input and followed files."""

from __future__ import annotations

from pathlib import Path

from streams.sources.base import Batch, Source, SourceError
from streams.sources.csv_export import CsvSource
from streams.sources.csv_map import CsvMap
from streams.sources.follow import FollowSource
from streams.sources.jsonl import JsonlSource
from streams.sources.stdin import StdinSource

__all__ = ["Batch", "CsvMap", "Source", "SourceError", "open_source"]

_CSV_SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz")


def open_source(path: str, *, follow: bool = False, csv: CsvMap | None = None) -> Source:
    """Open a source of mentions.

    Parameters
    ----------
    path : str
        A file of JSON Lines; a CSV file, where its name says so or ``csv`` is given; ``-`` is
        standard input.  Files may be gzip.
    follow : bool
        Wait for more to be appended, as ``tail -F`` does; JSON Lines only.
    csv : CsvMap, optional
        Columns of the CSV file.

    Raises
    ------
    SourceError
        If the file cannot be read, or cannot be read this way.

    Examples
    --------
    >>> open_source("mentions.csv", follow=True)
    Traceback (most recent call last):
    streams.sources.base.SourceError: mentions.csv: a CSV file cannot be followed; ...
    """
    is_csv = csv is not None or path.lower().endswith(_CSV_SUFFIXES)
    if path == "-":
        if is_csv:
            raise SourceError("standard input is read as JSON Lines; give the CSV file by name")
        return StdinSource()
    if follow and is_csv:
        raise SourceError(f"{path}: a CSV file cannot be followed; convert it to JSON Lines")
    if follow:
        return FollowSource(Path(path))
    return CsvSource(Path(path), csv) if is_csv else JsonlSource(Path(path))
