"""``nadhir indicators``: impostors as threat intelligence, and evidence to have them taken down."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from streams.cli.common import config_option, errors, fail, json_file, load_config, reports_errors
from streams.cli.inspect import open_store, store_option

if TYPE_CHECKING:
    from alerts.playbook.records import Bilingual
    from alerts.records import Alert

_TLP = ("white", "green", "amber", "red")
_alerts_option = click.option(
    "--alerts",
    "alerts_path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="JSON Lines of alerts (a journal, or the topic of alerts), not a store.",
)


@click.group()
def indicators() -> None:
    """Accounts and domains that pose as a brand: STIX 2.1, and evidence packs."""


@indicators.command()
@config_option
@store_option
@_alerts_option
@click.option("--brand", help="Only this brand.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    help="Only what was seen then or later, UTC.",
)
@click.option("--tlp", type=click.Choice(_TLP), default="amber", show_default=True)
@click.option("--out", type=json_file, help="File to write.  [default: standard output]")
@reports_errors
def export(
    config_path: Path | None,
    store_path: Path | None,
    alerts_path: Path | None,
    brand: str | None,
    since: datetime | None,
    tlp: str,
    out: Path | None,
) -> None:
    """Write the impostors of the alerts as a STIX 2.1 bundle."""
    from alerts.indicators import indicator_bundle

    found = [a for a in _alerts(config_path, store_path, alerts_path) if a.impostor is not None]
    bundle = indicator_bundle(
        found,
        _names(config_path),
        brand=brand,
        since=since and since.replace(tzinfo=UTC),
        tlp=tlp,
    )
    if out is None:
        click.echo(bundle)
    else:
        out.write_text(f"{bundle}\n", encoding="utf-8")
        count = bundle.count('"type": "indicator"')
        errors.print(f"{out}: {count:,} indicators")


@indicators.command()
@click.argument("alert_id", metavar="ALERT")
@config_option
@store_option
@_alerts_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Directory to write evidence.json, evidence.html and SHA256SUMS into.",
)
@reports_errors
def pack(
    alert_id: str,
    config_path: Path | None,
    store_path: Path | None,
    alerts_path: Path | None,
    out: Path,
) -> None:
    """Write the evidence of an impostor's alert, to be sent with a takedown request."""
    from alerts.pack import PackError, evidence_pack
    from alerts.playbook.records import Bilingual

    found = {alert.id: alert for alert in _alerts(config_path, store_path, alerts_path)}
    if alert_id not in found:
        fail(f"Error: there is no alert {alert_id}")
    alert = found[alert_id]
    name = _names(config_path).get(alert.brand, Bilingual(ar=alert.brand, en=alert.brand))
    try:
        made = evidence_pack(alert, name)
    except PackError as error:
        fail(f"Error: {error}")
    out.mkdir(parents=True, exist_ok=True)
    for file, data in made.files.items():
        (out / file).write_bytes(data)
    errors.print(f"{out}: {', '.join(made.files)}")


def _alerts(
    config_path: Path | None, store_path: Path | None, alerts_path: Path | None
) -> Iterator[Alert]:
    """The alerts of a store, or the latest of each id in a file."""
    import msgspec

    from alerts.records import Alert

    if alerts_path is None:
        with open_store(store_path, config_path) as store:
            yield from [case.alert for case in store.cases()]
        return
    if store_path is not None:
        raise click.UsageError("--store and --alerts are two places; name one")
    latest: dict[str, Alert] = {}
    with alerts_path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                alert = msgspec.json.decode(line, type=Alert)
            except msgspec.MsgspecError as error:
                fail(f"Error: {alerts_path}, line {number}: is no alert ({error})")
            latest[alert.id] = alert
    yield from latest.values()


def _names(config_path: Path | None) -> dict[str, Bilingual]:
    """Names of the configured brands; none where there is no configuration to be found."""
    from alerts.explain import brand_names
    from streams.config.load import DEFAULT_FILE

    if config_path is None and not DEFAULT_FILE.exists():
        return {}
    return {brand.id: brand_names(brand) for brand in load_config(config_path).brand_records()}
