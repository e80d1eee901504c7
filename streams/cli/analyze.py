"""``nadhir analyze``: one detector or model alone, on a file."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from streams.cli.common import check_outputs, config_option, fail, load_config, reports_errors

if TYPE_CHECKING:
    from models.records import Brand
    from streams.analyze_groups import Found as Groups
    from streams.config import Config

Found = TypeVar("Found")


@click.group()
def analyze() -> None:
    """Run one detector or model on a file; the answer goes to standard output."""


@analyze.command("volume")
@click.argument("series", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--timezone", default="UTC", show_default=True, help="Zone of the daily rhythm.")
@click.option("--weekend", default="sat,sun", show_default=True, help="Weekend days.")
@reports_errors
def analyze_volume(series: str, timezone: str, weekend: str) -> None:
    """Score a series `timestamp,value` in one pass, without looking ahead.

    Writes timestamp,value,expected,lower,upper,score; a score of 0.5 is the balanced line.
    """
    from streams.analyze import VolumeRow, read_series
    from streams.analyze import analyze_volume as score_series
    from streams.analyze_files import AnalyzeError

    out = csv.writer(sys.stdout, lineterminator="\n")
    days, begun = _days(weekend), False
    _check_zone(timezone)
    try:
        with _readable(series), _text(series) as file:
            rows = read_series(file, series)
            for row in score_series(rows, timezone=timezone, weekend=days, name=series):
                if not begun:
                    out.writerow(row._fields)
                    begun = True
                out.writerow(row)
    except AnalyzeError as error:
        sys.stdout.flush()
        fail(f"Error: {error}")
    if not begun:
        out.writerow(VolumeRow._fields)


@analyze.command("sentiment")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--offensive", is_flag=True, help="Add how likely the text is offensive.")
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Use the model that this configuration names.",
)
@reports_errors
def analyze_sentiment(file: str, offensive: bool, config: Path | None) -> None:
    """Label JSON Lines {"id","text"} as negative, neutral or positive, with probabilities."""
    from streams.analyze import analyze_sentiment as label_lines
    from streams.analyze_files import AnalyzeError

    settings = None if config is None else load_config(config).sentiment
    try:
        with _readable(file), _binary(file) as lines:
            for line in label_lines(lines, file, offensive=offensive, settings=settings):
                sys.stdout.buffer.write(line + b"\n")
    except AnalyzeError as error:
        sys.stdout.flush()
        fail(f"Error: {error}")


@analyze.command("share")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@reports_errors
def analyze_share(file: str) -> None:
    """Estimate how many of JSON Lines {"id","text"} are negative, without the known errors."""
    from streams.analyze import analyze_share as share_of
    from streams.analyze_files import AnalyzeError

    try:
        with _readable(file), _binary(file) as lines:
            sys.stdout.buffer.write(share_of(lines, file) + b"\n")
    except AnalyzeError as error:
        fail(f"Error: {error}")


def _picture(_ctx: click.Context, _param: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and value.suffix.lower() not in (".html", ".htm", ".png"):
        raise click.BadParameter(f"{value.name!r} ends neither in .html nor in .png")
    return value


@analyze.command("coordination")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--plot",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    callback=_picture,
    help="Draw the groups' networks and timelines: OUT.png, or with evidence: OUT.html.",
)
@reports_errors
def analyze_coordination(file: str, plot: Path | None) -> None:
    """Find groups of accounts that act together in mentions of one topic (docs/mention.md).

    Writes a JSON object a group, the most suspect first: coordination from a score of 0.5, and what
    is merely amplified, below it.
    """
    from streams.analyze_groups import as_lines, find_groups
    from streams.plot_groups import plot_groups

    if plot is not None:
        check_outputs([file], [plot])

    def write(found: Groups) -> Iterable[bytes]:
        # of nothing that could be read, a picture would say that all is well
        if plot is not None and (found.mentions or not found.rejected):
            name = "stdin" if file == "-" else Path(file).name
            try:
                plot_groups(plot, found.groups, found.mentions, name)
            except OSError as error:
                fail(f"Error: {plot} cannot be written ({error.strerror})")
        return as_lines(told for _, told in found.groups)

    _write_found(file, find_groups, write)


@analyze.command("narratives")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Take brand and sentiment model from this configuration.",
)
@click.option("--brand", "brand_id", help="Id of the brand, where there are several.")
@reports_errors
def analyze_narratives(file: str, config: Path | None, brand_id: str | None) -> None:
    """Find what is being said in mentions of one topic, and which of it is a rumour.

    Writes a JSON object a narrative, rumours (a score of 0.5 and more) first. With a configuration
    only mentions of the brand count, and its accounts and domains are known for official sources.
    """
    from functools import partial

    from streams.analyze_narratives import as_lines, find_narratives
    from streams.sentiment import open_sentiment

    find = find_narratives
    if config is not None:
        settings = load_config(config)
        brand = _brand(settings, brand_id)
        find = partial(find, brand=brand, sentiment=open_sentiment(settings.sentiment))
    elif brand_id is not None:
        raise click.UsageError("--brand needs --config, which says what the brand is")
    _write_found(file, find, as_lines)


def _brand(config: Config, brand_id: str | None) -> Brand:
    """The brand that is named, or the only one."""
    brands = {brand.id: brand for brand in config.brand_records()}
    if brand_id is None and len(brands) == 1:
        return next(iter(brands.values()))
    if brand_id not in brands:
        known = ", ".join(sorted(brands)[:20])
        raise click.BadParameter(f"name one of {known}", param_hint="--brand")
    return brands[brand_id]


def _write_found(
    file: str,
    find: Callable[[Iterable[bytes], str, Callable[[str], None]], Found],
    as_lines: Callable[[Found], Iterable[bytes]],
) -> None:
    """Write what is found in a file of mentions; lines that are none are told and passed over."""
    from streams.analyze_files import AnalyzeError

    bad = _BadLines()
    try:
        with _binary(file) as lines:
            found = find(_undamaged(lines, file, bad), file, bad.tell)
    except AnalyzeError as error:
        fail(f"Error: {error}")
    for line in as_lines(found):
        sys.stdout.buffer.write(line + b"\n")
    sys.stdout.flush()
    bad.end()


def _undamaged(lines: Iterable[bytes], file: str, bad: _BadLines) -> Iterator[bytes]:
    """All whole lines before the damage, if there is any."""
    from streams.analyze_files import AnalyzeError

    try:
        with _readable(file):
            yield from lines
    except AnalyzeError as error:
        bad.end_with(f"{error}; what is before that was read")


class _BadLines:
    """Lines that could not be read: the first are told one by one, all are counted."""

    most = 20

    def __init__(self) -> None:
        self._count = 0
        self._damage: list[str] = []

    def end_with(self, damage: str) -> None:
        """Fail at the end, whatever else there was."""
        self._damage.append(damage)

    def tell(self, what: str) -> None:
        self._count += 1
        if self._count <= self.most:
            sys.stdout.flush()
            click.echo(f"Error: {what}", err=True)

    def end(self) -> None:
        """Fail if there were any."""
        said = list(self._damage)
        if self._count:
            lines, were = (
                ("1 line", "was") if self._count == 1 else (f"{self._count:,} lines", "were")
            )
            said.append(f"{lines} could not be read and {were} passed over")
        if said:
            fail("\n".join(f"Error: {each}" for each in said))


@analyze.command("impersonation")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@config_option
@reports_errors
def analyze_impersonation(file: str, config_path: Path | None) -> None:
    """Judge accounts, JSON Lines {"id","handle","name",...}, against the configured brands.

    Writes {"id","brand","score","reasons"}; a score of 0.5 is the balanced line. An account's age
    is told from its "created_at" and "seen_at".
    """
    from streams.analyze_impersonation import analyze_accounts

    _judge(analyze_accounts, file, config_path)


@analyze.command("links")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@config_option
@reports_errors
def analyze_links(file: str, config_path: Path | None) -> None:
    """Judge links, one URL or host a line, against the configured brands' domains.

    Writes {"url","brand","score","reasons"}; a score of 0.5 is the balanced line.
    """
    from streams.analyze_impersonation import analyze_links as judge_links

    _judge(judge_links, file, config_path)


def _judge(judge: Callable[..., Iterator[bytes]], file: str, config: Path | None) -> None:
    """Write the verdict of every line that can be read; the others are told, and end in 1."""
    from streams.analyze_files import AnalyzeError

    bad = _BadLines()
    brands = load_config(config).brand_records()
    try:
        with _readable(file), _binary(file) as lines:
            for line in judge(lines, brands, file, on_error=bad.tell):
                sys.stdout.buffer.write(line + b"\n")
    except AnalyzeError as error:
        sys.stdout.flush()
        fail(f"Error: {error}")
    sys.stdout.flush()
    bad.end()


def _days(text: str) -> tuple[int, ...]:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    days = [d.strip().lower() for d in text.split(",") if d.strip()]
    unknown = [d for d in days if d not in names]
    if unknown:
        raise click.BadParameter(
            f"{unknown[0]!r} is none of {', '.join(names)}", param_hint="--weekend"
        )
    return tuple(sorted({names.index(d) for d in days}))


def _check_zone(name: str) -> None:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise click.BadParameter(
            f"{name!r} is no IANA time zone such as Asia/Riyadh", param_hint="--timezone"
        ) from error


@contextmanager
def _readable(path: str) -> Iterator[None]:
    """Turn what reading a damaged file raises into a sentence that names it."""
    import zlib
    from gzip import BadGzipFile

    from streams.analyze_files import AnalyzeError

    try:
        yield
    except (EOFError, BadGzipFile, zlib.error) as error:
        raise AnalyzeError(f"{path}: its gzip stream is cut or damaged ({error})") from error
    except UnicodeDecodeError as error:
        raise AnalyzeError(f"{path}: is not UTF-8 ({error}); convert it first") from error


@contextmanager
def _binary(path: str) -> Iterator[IO[bytes]]:
    with ExitStack() as stack:
        if path == "-" and sys.stdin is None:
            raise OSError("cannot read standard input: it is closed")
        plain = sys.stdin.buffer if path == "-" else stack.enter_context(Path(path).open("rb"))
        assert isinstance(plain, io.BufferedReader)
        if plain.peek(2)[:2] == b"\x1f\x8b":
            yield stack.enter_context(io.BufferedReader(_Gunzip(plain)))
        else:
            yield plain


class _Gunzip(io.RawIOBase):
    """What a gzip stream holds; all that is before a damage is given before it is told."""

    def __init__(self, file: IO[bytes]) -> None:
        import gzip

        self._file = gzip.GzipFile(fileobj=file)

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        data = self._file.read1(len(into))  # read would collect, and lose that at a damage
        into[: len(data)] = data
        return len(data)


@contextmanager
def _text(path: str) -> Iterator[IO[str]]:
    with _binary(path) as raw:
        wrapper = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        try:
            yield wrapper
        finally:
            wrapper.detach()
