"""Impostors as STIX 2.1, and the evidence pack: valid, the same each time, hashes that hold."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
import stix2
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from stix2patterns.validator import run_validator

from alerts.indicators import indicator_bundle, pattern_of
from alerts.pack import PackError, evidence_pack, hash_of
from alerts.records import Alert
from streams.cli.main import main
from tests.alerts.build import NAMES, START, signal, stage
from tests.alerts.impostor_signals import domain, impostor, sighted


def alerts() -> list[Alert]:
    """A crisis, an account and a domain."""
    told = stage().handle([signal(minute=1), sighted(), sighted(domain())])
    return [case.alert for case in told.cases.values()]


def objects(bundle: str) -> dict[str, list[dict[str, object]]]:
    found: dict[str, list[dict[str, object]]] = {}
    for one in json.loads(bundle)["objects"]:
        found.setdefault(one["type"], []).append(one)
    return found


def test_the_bundle_is_valid_and_holds_the_impostors_alone() -> None:
    bundle = indicator_bundle(alerts(), NAMES)
    stix2.parse(bundle, allow_custom=False)
    found = objects(bundle)
    assert {kind: len(each) for kind, each in found.items()} == {
        "identity": 2,
        "marking-definition": 1,
        "indicator": 2,
        "sighting": 2,
        "note": 2,
    }
    patterns = sorted(str(i["pattern"]) for i in found["indicator"])
    host = "rimalbank-login.example"
    assert patterns == [
        f"[domain-name:value = '{host}'] OR [url:value = 'https://{host}/verify']",
        "[user-account:account_type = 'twitter' AND user-account:user_id = '77']",
    ]
    amber = stix2.TLP_AMBER.id
    ours = [o for kind in ("indicator", "sighting", "note") for o in found[kind]]
    assert all(o["object_marking_refs"] == [amber] for o in ours)
    assert all("مكان" in str(n["content"]) or "النطاق" in str(n["content"]) for n in found["note"])


def test_the_same_alerts_give_the_same_bytes_and_updates_keep_their_ids() -> None:
    first = indicator_bundle(alerts(), NAMES)
    assert indicator_bundle(alerts()[::-1], NAMES) == first
    assert indicator_bundle(alerts(), NAMES) == first
    running = stage()
    running.handle([sighted()])
    more = running.handle([sighted(impostor(victims=90, sightings=99), "update", 200)])
    later = indicator_bundle([c.alert for c in more.cases.values()], NAMES)
    (old,) = (i for i in objects(first)["indicator"] if "user-account" in str(i["pattern"]))
    (new,) = objects(later)["indicator"]
    assert new["id"] == old["id"]
    assert str(new["modified"]) > str(old["modified"])
    assert new["created"] == old["created"]


def test_what_is_asked_for_is_given() -> None:
    def count(**options: object) -> int:
        return len(objects(indicator_bundle(alerts(), NAMES, **options)).get("indicator", ()))

    assert count(brand="rimal-bank") == 2
    assert count(brand="saqr-air") == 0
    last = datetime.fromtimestamp(START / 1000 + 600, UTC)
    assert count(since=last) == 2
    assert count(since=last.replace(year=2027)) == 0
    red = objects(indicator_bundle(alerts(), NAMES, tlp="red"))
    assert red["indicator"][0]["object_marking_refs"] == [stix2.TLP_RED.id]


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40))
def test_no_text_breaks_out_of_a_pattern(text: str) -> None:
    for who in (domain(text), impostor(text, account=None), impostor(account=text)):
        pattern = pattern_of(who)
        assert run_validator(pattern, stix_version="2.1") == []
        assert stix2.Indicator(pattern=pattern, pattern_type="stix", valid_from=datetime.now(UTC))


def test_arabic_domains_are_written_as_the_dns_has_them() -> None:
    assert "xn--" in pattern_of(domain("أكمي.example"))


def test_hashes_of_the_pack_can_be_computed_again() -> None:
    (account,) = (a for a in alerts() if a.type == "impersonation")
    files = evidence_pack(account, NAMES["rimal-bank"]).files
    document = json.loads(files["evidence.json"])
    assert len(document["posts"]) == len(account.evidence) > 0
    for held, post in zip(document["posts"], account.evidence):
        text = json.dumps(held["record"], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert held["sha256"] == hashlib.sha256(text.encode()).hexdigest() == hash_of(post)
    for line in files["SHA256SUMS"].decode().splitlines():
        total, name = line.split("  ")
        assert hashlib.sha256(files[name]).hexdigest() == total
    assert document["suspect"]["handle"] == "rima1bank"


def test_the_page_of_the_pack_has_both_languages_and_nothing_to_click() -> None:
    for alert in alerts():
        if alert.impostor is None:
            continue
        hostile = msgspec.structs.replace(
            alert.impostor, name="<script>alert(1)</script>", urls=("https://evil.example/a",)
        )
        files = evidence_pack(
            msgspec.structs.replace(alert, impostor=hostile), NAMES["rimal-bank"]
        ).files
        page = files["evidence.html"].decode()
        assert "<script" not in page
        assert "https://" not in page.replace("hxxps://", "")
        assert "Evidence for a takedown request" in page
        assert "ملف أدلة" in page
        assert "X report form" in page
        assert all(hash_of(post) in page for post in alert.evidence)


def test_a_crisis_has_no_pack() -> None:
    (crisis,) = (a for a in alerts() if a.impostor is None)
    with pytest.raises(PackError, match="no impostor"):
        evidence_pack(crisis, NAMES["rimal-bank"])


def test_the_commands_write_files(tmp_path: Path) -> None:
    journal = tmp_path / "alerts.jsonl"
    journal.write_bytes(b"".join(msgspec.json.encode(a) + b"\n" for a in alerts()))
    run = CliRunner()
    out = tmp_path / "bundle.json"
    done = run.invoke(main, ["indicators", "export", "--alerts", str(journal), "--out", str(out)])
    assert (done.exit_code, done.exception) == (0, None)
    assert len(objects(out.read_text("utf-8"))["indicator"]) == 2
    account = next(a for a in alerts() if a.type == "impersonation")
    folder = tmp_path / "pack"
    given = ["indicators", "pack", account.id, "--alerts", str(journal), "--out", str(folder)]
    assert run.invoke(main, given).exit_code == 0
    assert sorted(p.name for p in folder.iterdir()) == [
        "SHA256SUMS",
        "evidence.html",
        "evidence.json",
    ]
    given[2] = "a-unknown"
    assert run.invoke(main, given).exit_code == 1
