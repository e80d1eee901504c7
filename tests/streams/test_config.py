from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from models.records import Brand, OfficialAccount
from streams.config import (
    Config,
    ConfigError,
    CsvSource,
    FileSource,
    JournalReceiver,
    Problem,
    check,
    example,
    format_problem,
    load,
    settings_table,
)
from streams.config.document import MAX_BYTES, Document, read_yaml
from streams.config.fields import domain_ascii
from streams.config.settings import settings
from streams.sources import CsvMap

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs" / "configuration.md"

CONTRACT = """\
brands:
  - id: acme
    names: ["Acme", "أكمي"]
    keywords: ["acme card"]          # more ways to say it
    exclude: ["acme brick"]          # not us
    handles: ["acme", "acme_sa"]     # official handles, on any platform
    accounts: [{platform: x, id: "42", handle: acme, name: "Acme"}]   # official accounts
    domains: ["acme.com", "acme.sa"]
    languages: [ar, en]
    timezone: Asia/Riyadh
    weekend: [fri, sat]
"""
BRAND = "brands: [{id: acme, names: [Acme]}]\n"
TWO = "brands:\n  - {id: a, names: [Alpha], %s}\n  - {id: b, names: [Beta], %s}\n"
CSV = BRAND + "sources:\n  - {type: csv, path: in.csv, %s}\n"
MAPPED = 'columns: {published_at: "Date", text: "Text", platform: "Site"}'

SECRET = "s3cret-Zebra-91-quagga"


def write(directory: Path, text: str | bytes) -> Path:
    path = directory / "nadhir.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)
    return path


def read(directory: Path, text: str | bytes, environ: dict[str, str] | None = None) -> Config:
    return load(write(directory, text), environ or {})


def mistakes(
    directory: Path, text: str | bytes, environ: dict[str, str] | None = None
) -> list[Problem]:
    return check(write(directory, text), environ or {})


# one row: the configuration; then, for every problem there is to find: line, column, key and a
# piece of the message, with W in front where it is a warning
BROKEN: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "empty file": ("", [(1, 1, "brands", "is required")]),
    "comments alone": ("# brands\n", [(1, 1, "brands", "is required")]),
    "a list": ("- a\n", [(1, 1, "", "must be a mapping of settings")]),
    "a word": ("hello\n", [(1, 1, "", "must be a mapping of settings")]),
    "no brand": ("brands: []\n", [(1, 9, "brands", "at least one entry; got an empty list")]),
    "brands null": ("brands:\n", [(1, 8, "brands", "must be a list, as in [a, b]; got nothing")]),
    "brands a mapping": (
        "brands: {id: a, names: [Acme]}\n",
        [(1, 9, "brands", "must be a list, as in [a, b]; got a mapping")],
    ),
    "brand a word": ("brands: [acme]\n", [(1, 10, "brands[0]", "must be a mapping")]),
    "no id, no names": (
        "brands:\n  - keywords: [acme]\n",
        [(2, 5, "brands[0].id", "is required"), (2, 5, "brands[0].names", "is required")],
    ),
    "id a number": (
        "brands:\n  - id: 42\n    names: [Acme]\n",
        [(2, 9, "brands[0].id", 'must be text; got 42; quote it to make it text: "42"')],
    ),
    "id in capitals": (
        "brands:\n  - id: Acme\n    names: [Acme]\n",
        [(2, 9, "brands[0].id", "must be 1 to 63 of a-z, 0-9, _ and -")],
    ),
    "id too long": (
        f"brands: [{{id: {'a' * 64}, names: [Acme]}}]\n",
        [(1, 15, "brands[0].id", "must be 1 to 63")],
    ),
    "id twice": (
        "brands:\n  - {id: a, names: [Alpha]}\n  - {id: a, names: [Beta]}\n",
        [(3, 10, "brands[1].id", "'a' stands twice (line 2); choose another")],
    ),
    "the Norway problem": (
        "brands:\n  - id: acme\n    names: [NO, Acme, on, 3.5]\n    languages: [no]\n",
        [
            (3, 13, "brands[0].names[0]", 'got false; quote it to make it text: "NO"'),
            (3, 23, "brands[0].names[2]", 'got true; quote it to make it text: "on"'),
            (3, 27, "brands[0].names[3]", 'got 3.5; quote it to make it text: "3.5"'),
            (4, 17, "brands[0].languages[0]", "one of 'ar' or 'en'; got false; quote it"),
        ],
    ),
    "names a word": (
        "brands: [{id: a, names: Acme}]\n",
        [(1, 25, "brands[0].names", "must be a list, as in [a, b]; got 'Acme'")],
    ),
    "names empty": (
        "brands: [{id: a, names: []}]\n",
        [(1, 25, "brands[0].names", "at least one entry")],
    ),
    "names blank, short or digits": (
        'brands:\n  - id: a\n    names:\n      - " "\n      - X\n      - "٤٢"\n      - "ـَءأ"\n',
        [
            (4, 9, "brands[0].names[0]", "must not be blank"),
            (5, 9, "brands[0].names[1]", "'X' has fewer than two letters"),
            (6, 9, "brands[0].names[2]", "'٤٢' is only digits"),
            (7, 9, "brands[0].names[3]", "has fewer than two letters"),
        ],
    ),
    "terminal escape in a name": (
        'brands: [{id: a, names: ["Ac\\e[31mme\\u202e"]}]\n',
        [(1, 26, "brands[0].names[0]", r"without control characters; got 'Ac\x1b[31mme\u202e'")],
    ),
    "a common word alone": (
        "brands: [{id: a, names: [بنك, Bank]}]\n",
        [(1, 26, "brands[0].names[0]", "W'بنك' is a common word")],
    ),
    "excluded and named": (
        'brands: [{id: a, names: ["أكمي"], keywords: [card], exclude: ["اكمى", CARD]}]\n',
        [
            (1, 63, "brands[0].exclude[0]", "is among the brand's names too"),
            (1, 71, "brands[0].exclude[1]", "is among the brand's keywords too"),
        ],
    ),
    "unknown keys": (
        "brands:\n  - id: acme\n    nmaes: [Acme]\nsensitvity: strict\nzzz: 1\n",
        [
            (2, 5, "brands[0].names", "is required"),
            (3, 5, "brands[0].nmaes", "is no setting; did you mean names?"),
            (4, 1, "sensitvity", "is no setting; did you mean sensitivity?"),
            (5, 1, "zzz", "the settings here are brands, sensitivity, sentiment"),
        ],
    ),
    "key in capitals": (
        BRAND + "Detect: {max_future_s: 1}\n",
        [(2, 1, "Detect", "did you mean detect?")],
    ),
    "keys that are no text": (
        BRAND + "on: 1\n42: 1\n[a]: 1\n",
        [(2, 1, "", "a key must be text"), (3, 1, "", "a key"), (4, 1, "", "a key")],
    ),
    "key twice": (
        BRAND + "detect: {max_future_s: 1}\ndetect:\n  max_future_s: 2\n",
        [(3, 1, "detect", "the key stands twice (first in line 2); keep one")],
    ),
    "handles": (
        'brands: [{id: a, names: [Acme], handles: ["@acme", "a b", "https://x.com/acme", "@"]}]\n',
        [
            (1, 52, "brands[0].handles[1]", "must be a handle"),
            (1, 59, "brands[0].handles[2]", "is an address; got 'https://x.com/acme'; write the"),
            (1, 81, "brands[0].handles[3]", "must be a handle"),
        ],
    ),
    "account": (
        "brands:\n  - id: a\n    names: [Acme]\n    accounts:\n      - {id: 42, handel: a}\n",
        [
            (5, 9, "brands[0].accounts[0].platform", "is required"),
            (5, 14, "brands[0].accounts[0].id", 'quote it to make it text: "42"'),
            (5, 18, "brands[0].accounts[0].handel", "did you mean handle?"),
        ],
    ),
    "domains": (
        "brands:\n  - id: a\n    names: [Acme]\n    domains:\n      - https://acme.com/x\n"
        "      - acme.com/x\n      - acme\n      - info@acme.com\n      - '*.acme.com'\n"
        "      - acme.com:80\n      - 10.0.0.1\n      - -a.com\n      - xn--99999999.com\n"
        "      - a..com\n",
        [
            (5, 9, "brands[0].domains[0]", "is a URL; got 'https://acme.com/x'; write its domain"),
            (6, 9, "brands[0].domains[1]", "holds a path"),
            (7, 9, "brands[0].domains[2]", "with its ending"),
            (8, 9, "brands[0].domains[3]", "is a mail address"),
            (9, 9, "brands[0].domains[4]", "is a pattern"),
            (10, 9, "brands[0].domains[5]", "holds a port"),
            (11, 9, "brands[0].domains[6]", "must be a domain such as acme.com"),
            (12, 9, "brands[0].domains[7]", "must be a domain such as acme.com"),
            (13, 9, "brands[0].domains[8]", "must be a domain such as acme.com"),
            (14, 9, "brands[0].domains[9]", "must be a domain such as acme.com"),
        ],
    ),
    "time zones": (
        "brands:\n  - {id: a, names: [Alpha], timezone: asia/riyad}\n"
        "  - {id: b, names: [Beta], timezone: Abu dhabi}\n"
        "  - {id: c, names: [Gamma], timezone: Riyadh}\n"
        "  - {id: d, names: [Delta], timezone: ../etc/passwd}\n"
        "  - {id: e, names: [Epsilon], timezone: Asia}\n",
        [
            (2, 39, "brands[0].timezone", "got 'asia/riyad'; did you mean Asia/Riyadh?"),
            (3, 38, "brands[1].timezone", "must be an IANA time zone"),
            (4, 39, "brands[2].timezone", "got 'Riyadh'; did you mean Asia/Riyadh?"),
            (5, 39, "brands[3].timezone", "must be an IANA time zone"),
            (6, 41, "brands[4].timezone", "must be an IANA time zone"),
        ],
    ),
    "weekend": (
        "brands: [{id: a, names: [Acme], weekend: [Friday, sat, 5]}]\n",
        [
            (1, 43, "brands[0].weekend[0]", "got 'Friday'; did you mean fri?"),
            (1, 56, "brands[0].weekend[2]", "must be one of 'mon'"),
        ],
    ),
    "weekend twice, whole week": (
        "brands:\n  - {id: a, names: [Alpha], weekend: [fri, fri]}\n"
        "  - {id: b, names: [Beta], weekend: [mon, tue, wed, thu, fri, sat, sun]}\n",
        [
            (2, 38, "brands[0].weekend", "must not hold an entry twice"),
            (3, 37, "brands[1].weekend", "must hold at most 6 entries"),
        ],
    ),
    "help": (
        "brands: [{id: a, names: [Acme], help_url: acme.sa/help, support_handle: 'a b'}]\n",
        [
            (1, 43, "brands[0].help_url", "must be a web address"),
            (1, 73, "brands[0].support_handle", "must be a handle"),
        ],
    ),
    "script as a help address": (
        "brands: [{id: a, names: [Acme], help_url: 'javascript:alert(1)'}]\n",
        [(1, 43, "brands[0].help_url", "must be a web address")],
    ),
    "sensitivity": (
        "brands: [{id: a, names: [Acme], sensitivity: loud}]\nsensitivity: strikt\n",
        [
            (1, 46, "brands[0].sensitivity", "must be one of 'sensitive', 'balanced' or 'strict'"),
            (2, 14, "sensitivity", "got 'strikt'; did you mean strict?"),
        ],
    ),
    "numbers": (
        BRAND + "detect: {allowed_lateness_s: -1, max_future_s: 1.5}\n"
        'alerts: {min_mentions: "15", cooldown_min: yes, resolve_after_quiet_min: 010}\n'
        "intake: {max_body_mb: 65, enabled: 1}\n",
        [
            (2, 30, "detect.allowed_lateness_s", "must be at least 0; got -1"),
            (2, 48, "detect.max_future_s", "must be a whole number; got 1.5"),
            (3, 24, "alerts.min_mentions", "got '15'; write it without quotes"),
            (3, 44, "alerts.cooldown_min", "must be a whole number; got true"),
            (3, 74, "alerts.resolve_after_quiet_min", "must be a whole number; got '010'"),
            (4, 23, "intake.max_body_mb", "must be at most 64; got 65"),
            (4, 36, "intake.enabled", "must be true or false; got 1"),
        ],
    ),
    "endless number": (
        BRAND + f"detect: {{max_future_s: {'9' * 5_000}}}\n",
        [(2, 24, "detect.max_future_s", "must be a whole number; got '9999")],
    ),
    "section a word": (BRAND + "detect: fast\n", [(2, 9, "detect", "must be a mapping")]),
    "own model": (
        BRAND + "sentiment:\n  model: onnyx\n  onnx: {labels: [negative, neutral], max_tokens: 4,"
        " batch_size: 0, threads: -1, speed: 1, path: ' '}\n",
        [
            (3, 10, "sentiment.model", "got 'onnyx'; did you mean onnx?"),
            (4, 18, "sentiment.onnx.labels", "must hold negative, neutral and positive, each once"),
            (4, 51, "sentiment.onnx.max_tokens", "must be at least 8; got 4"),
            (4, 66, "sentiment.onnx.batch_size", "must be at least 1; got 0"),
            (4, 78, "sentiment.onnx.threads", "must be at least 0; got -1"),
            (4, 82, "sentiment.onnx.speed", "is no setting"),
            (4, 98, "sentiment.onnx.path", "must not be blank"),
        ],
    ),
    "own model, not said which": (
        BRAND + "sentiment: {model: onnx}\n",
        [(2, 20, "sentiment.onnx.path", "is required where sentiment.model is onnx; add it")],
    ),
    "own model not there": (
        BRAND + "sentiment:\n  model: onnx\n  onnx:\n    path: m.onnx\n    tokenizer: t.json\n",
        [
            (5, 11, "sentiment.onnx.path", "'m.onnx' is no file; name the model"),
            (6, 16, "sentiment.onnx.tokenizer", "'t.json' is no file; name the model's"),
        ],
    ),
    "own model without tokenizer": (
        BRAND + "sentiment: {model: onnx, onnx: {path: nadhir.yaml}}\n",
        [(2, 39, "sentiment.onnx.path", "'nadhir.yaml' has no tokenizer.json beside it")],
    ),
    "own model a directory": (
        BRAND + "sentiment: {model: onnx, onnx: {path: ., tokenizer: ..}}\n",
        [
            (2, 39, "sentiment.onnx.path", "'.' is no file"),
            (2, 53, "sentiment.onnx.tokenizer", "'..' is no file"),
        ],
    ),
    "own model, not used": (
        BRAND + "sentiment: {onnx: {path: m.onnx}}\n",
        [(2, 26, "sentiment.onnx.path", "Wis not used; set sentiment.model to onnx")],
    ),
    "receivers": (
        BRAND + "receivers:\n  - {name: a}\n  - {name: b, type: jornal}\n"
        "  - {name: c, type: journal}\n  - 3\n  - {name: c, type: console, path: x}\n",
        [
            (3, 5, "receivers[0].type", "is required"),
            (4, 21, "receivers[1].type", "got 'jornal'; did you mean journal?"),
            (5, 5, "receivers[2].path", "is required"),
            (6, 5, "receivers[3]", "must be a mapping"),
            (7, 12, "receivers[4].name", "'c' stands twice (line 5)"),
            (7, 30, "receivers[4].path", "is no setting; the settings here are name, type"),
        ],
    ),
    "no receiver": (BRAND + "receivers: []\n", [(2, 12, "receivers", "Wis empty")]),
    "paths": (
        BRAND + "paths:\n  data: nadhir.yaml\n  playbooks: no/such\n"
        "receivers: [{name: j, type: journal, path: .}]\nsources: [{type: file, path: .}]\n",
        [
            (3, 9, "paths.data", "'nadhir.yaml' is a file; name a directory"),
            (4, 14, "paths.playbooks", "'no/such' is no directory"),
            (5, 44, "receivers[0].path", "'.' is a directory; name a file"),
            (6, 30, "sources[0].path", "'.' is a directory; name a file"),
        ],
    ),
    "path a number, blank, with NUL": (
        BRAND + 'paths: {data: 7, playbooks: ""}\nsources: [{type: file, path: "a\\0b"}]\n',
        [
            (2, 15, "paths.data", 'must be text; got 7; quote it to make it text: "7"'),
            (2, 29, "paths.playbooks", "must not be blank"),
            (3, 30, "sources[0].path", r"without control characters; got 'a\x00b'"),
        ],
    ),
    "source not there": (
        BRAND + "sources:\n  - {type: file, path: a}\n  - {type: file, path: b, follow: true}\n"
        f"  - {{type: csv, path: {'c' * 300}}}\n",
        [
            (3, 24, "sources[0].path", "W is not there; create it before the run, or set"),
            (5, 23, "sources[2].path", "W is not there; create it before the run"),
        ],
    ),
    "CSV columns": (
        CSV % 'columns: {txt: "A", text: 3, author.handel: "B"}, constants: {foo: 1}',
        [
            (3, 23, "sources[0].path", "Wis not there"),
            (3, 40, "sources[0].columns", "no column for platform, published_at"),
            (3, 41, "sources[0].columns.txt", "is no field of a mention; did you mean text?"),
            (3, 57, "sources[0].columns.text", 'quote it to make it text: "3"'),
            (3, 60, "sources[0].columns.author.handel", "did you mean author.handle?"),
            (3, 93, "sources[0].constants.foo", "is no field of a mention"),
        ],
    ),
    "CSV constants": (
        CSV % (MAPPED + ", constants: {platform: x, rating: 9, lang: 4, author.followers: many}"),
        [
            (3, 23, "sources[0].path", "Wis not there"),
            (3, 118, "sources[0].constants.platform", "Whas a column too"),
            (3, 129, "sources[0].constants.rating", "is no rating a mention can have"),
            (3, 138, "sources[0].constants.lang", "expected str"),
            (3, 159, "sources[0].constants.author.followers", "got 'many'"),
        ],
    ),
    "CSV form": (
        CSV % r"delimiter: '\t', time_format: '%Q', encoding: utf-16, timezone: Mars",
        [
            (3, 23, "sources[0].path", "Wis not there"),
            (3, 42, "sources[0].delimiter", "is two characters"),
            (3, 61, "sources[0].time_format", "strptime"),
            (3, 77, "sources[0].encoding", "must be an encoding"),
            (3, 95, "sources[0].timezone", "must be an IANA time zone"),
        ],
    ),
    "CSV times": (
        BRAND + "sources:\n  - {type: csv, path: nadhir.yaml, time_format: '%d/%m/%Y'}\n"
        "  - {type: csv, path: nadhir.yaml, time_format: '%H:%M', timezone: UTC}\n"
        "  - {type: csv, path: nadhir.yaml, time_format: '%Y %Y %m %d', timezone: UTC}\n"
        "  - {type: csv, path: nadhir.yaml, time_format: '%d/%m/%y %z'}\n"
        "  - {type: csv, path: nadhir.yaml, time_format: '%d/%m/%y %Z%%z'}\n",
        [
            (3, 49, "sources[0].time_format", "'%d/%m/%Y' has no %z"),
            (4, 49, "sources[1].time_format", "must hold year, month and day"),
            (5, 49, "sources[2].time_format", "strptime"),
            (7, 49, "sources[4].time_format", "has no %z"),
        ],
    ),
    "two owners of a handle": (
        TWO % ("handles: [care]", "handles: ['@CARE']"),
        [(3, 38, "brands[1].handles[0]", "'@CARE' belongs to brand 'a' already (line 2)")],
    ),
    "two owners of an account's handle": (
        TWO % ("accounts: [{platform: x, id: '1', handle: care}]", "handles: [care]"),
        [(3, 38, "brands[1].handles[0]", "belongs to brand 'a' already")],
    ),
    "two owners of an account": (
        TWO % ("accounts: [{platform: x, id: '1'}]", "accounts: [{platform: x, id: '1'}]"),
        [(3, 57, "brands[1].accounts[0].id", "'1' belongs to brand 'a' already (line 2)")],
    ),
    "two owners of a domain": (
        TWO % ("domains: [أكمي.السعودية]", "domains: [XN--igb8dgu.xn--mgberp4a5d4ar]"),
        [(3, 38, "brands[1].domains[0]", "belongs to brand 'a' already (line 2)")],
    ),
    "one name, two brands": (
        TWO % ("keywords: [أداة]", "keywords: [Zed, اداه]"),
        [(3, 44, "brands[1].keywords[1]", "W'اداه' means brand 'a' too (line 2)")],
    ),
    "short token": (BRAND + "intake: {token: abc}\n", [(2, 17, "intake.token", "Wis short")]),
    "token a number": (
        BRAND + "intake: {token: 12345}\n",
        [(2, 17, "intake.token", "must be text; put it in quotes")],
    ),
    "token with a space": (
        BRAND + "intake: {token: 'abc def ghi jkl mno'}\n",
        [(2, 17, "intake.token", "visible ASCII characters without spaces")],
    ),
    "tabs": (
        "brands:\n\t- id: a\n\t  names: [Acme]\n",
        [(2, 1, "", "a tab"), (3, 1, "", "a tab")],
    ),
    "colon in a text": ("brands: a: b\n", [(1, 10, "", "quote a text that holds a colon")]),
    "bracket left open": ("brands: [\n  {id: a\n", [(2, 3, "", "is not closed")]),
    "quote left open": ('brands:\n  - id: "a\n', [(2, 9, "", "a quote opened here")]),
    "a handle without quotes": ("a: @b\n", [(1, 4, "", "put the text in quotes")]),
    "alias without anchor": ("a: *b\n", [(1, 4, "", "an alias (*name) without its anchor")]),
    "anchor twice": ("a: &b 1\nc: &b 2\n", [(2, 4, "", "the same anchor")]),
    "two documents": (BRAND + "---\na: 1\n", [(2, 1, "", "a second document")]),
    "tag": (BRAND + "detect: !!python/name:os.system {}\n", [(2, 9, "detect", "YAML tags")]),
    "unknown tag handle": (BRAND + "detect: !a!b {}\n", [(2, 9, "", "YAML tags")]),
    "merge key": (
        BRAND + "detect: &d {}\nalerts: {<<: *d}\n",
        [(3, 10, "alerts", "merge keys (<<) are not used")],
    ),
    "bad indentation": ("brands:\n  - a\n - b\n", [(3, 2, "", "indentation")]),
    "bad escape": (r'a: "\q"', [(1, 6, "", "this backslash is no YAML escape")]),
    "huge escape": (r'a: "\UFFFFFFFF"', [(1, 7, "", "too large for YAML")]),
    "half a surrogate pair": (
        BRAND + 'sensitivity: "\\ud800"\n',
        [(2, 14, "sensitivity", "half of a surrogate pair")],
    ),
    "control character": (BRAND + "# \x1b[2J\n", [(2, 3, "", "the character U+001B cannot")]),
    "too deep": ("a: " + "[" * 5_000, [(1, 35, "", "nested more than 32 levels")]),
    "alias that holds itself": ("a: &a [*a, *a]\n", [(1, 4, "a" + "[0]" * 32, "an alias that")]),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_every_mistake_is_named_with_its_place(name: str, tmp_path: Path) -> None:
    text, expected = BROKEN[name]
    problems = mistakes(tmp_path, text)
    assert [(p.line, p.column, p.key) for p in problems] == [row[:3] for row in expected]
    for problem, (*_, wanted) in zip(problems, expected, strict=True):
        severity = "warning" if wanted.startswith("W") else "error"
        assert problem.severity == severity
        assert wanted.removeprefix("W") in problem.message
        assert problem.file == str(tmp_path / "nadhir.yaml")
        assert format_problem(problem).isprintable()


@pytest.mark.parametrize("name", BROKEN)
def test_load_raises_just_when_there_is_an_error(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, BROKEN[name][0])
    problems = check(path, {})
    if any(problem.severity == "error" for problem in problems):
        with pytest.raises(ConfigError) as caught:
            load(path, {})
        assert list(caught.value.problems) == problems
        assert str(caught.value).splitlines() == [format_problem(p) for p in problems]
    else:
        assert load(path, {}).brands


def test_the_contract_works_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, CONTRACT)
    assert check(path, {}) == []
    config = load(path, {})
    assert config.brand_records() == (
        Brand(
            id="acme",
            names=("Acme", "أكمي"),
            keywords=("acme card",),
            exclude=("acme brick",),
            handles=("acme", "acme_sa"),
            accounts=(OfficialAccount(platform="x", id="42", handle="acme", name="Acme"),),
            domains=("acme.com", "acme.sa"),
            languages=("ar", "en"),
            timezone="Asia/Riyadh",
            weekend=(4, 5),
            sensitivity="balanced",
        ),
    )
    assert config.detect.model_dump() == {"allowed_lateness_s": 600, "max_future_s": 300}
    assert config.alerts.model_dump() == {
        "min_mentions": 15,
        "cooldown_min": 120,
        "resolve_after_quiet_min": 60,
    }
    assert config.paths.data == tmp_path / "nadhir-data"
    assert config.paths.playbooks is None
    console, journal = config.receivers
    assert console.type == "console"
    assert isinstance(journal, JournalReceiver)
    assert journal.path == tmp_path / "alerts.jsonl"
    assert config.intake.model_dump() == {"token": None, "max_body_mb": 8, "enabled": True}
    assert config.sources == ()


def test_brand_records_resolve_what_the_stages_need(tmp_path: Path) -> None:
    text = """
sensitivity: strict
brands:
  - {id: a, names: [Alpha], weekend: [sun, sat], handles: ["@alpha"], support_handle: "@care",
     help_url: "https://أكمي.السعودية/مساعدة", accounts: [{platform: x, id: "1", handle: "@al"}]}
  - {id: b, names: [Beta], weekend: [], sensitivity: sensitive}
"""
    first, second = read(tmp_path, text).brand_records()
    assert (first.weekend, first.sensitivity, first.handles) == ((5, 6), "strict", ("alpha",))
    assert (first.support_handle, first.accounts[0].handle) == ("care", "al")
    assert first.help_url == "https://أكمي.السعودية/مساعدة"
    assert (second.weekend, second.sensitivity) == ((), "sensitive")


def test_sources_and_paths_start_at_the_file(tmp_path: Path) -> None:
    (tmp_path / "books").mkdir()
    (tmp_path / "in.csv").touch()
    text = BRAND + (
        "paths: {data: /var/lib/nadhir, playbooks: books}\n"
        "receivers: [{name: j, type: journal, path: out/a.jsonl}]\n"
        "sources:\n  - {type: file, path: m.jsonl, follow: true}\n"
        f'  - {{type: csv, path: in.csv, {MAPPED}, delimiter: "\\t", time_format: "%d/%m/%Y %H:%M",'
        " timezone: UTC, constants: {author.verified: true, links: [a]}}\n"
    )
    path = write(tmp_path, text)
    assert check(path, {}) == []
    config = load(path, {})
    assert config.paths.data == Path("/var/lib/nadhir")
    assert config.paths.playbooks == tmp_path / "books"
    assert config.receivers[0].model_dump()["path"] == tmp_path / "out" / "a.jsonl"
    file, csv = config.sources
    assert isinstance(file, FileSource)
    assert isinstance(csv, CsvSource)
    assert (file.path, file.follow, csv.path) == (tmp_path / "m.jsonl", True, tmp_path / "in.csv")
    assert (csv.delimiter, csv.timezone, csv.encoding) == ("\t", "UTC", "utf-8")
    assert csv.columns == {"published_at": "Date", "text": "Text", "platform": "Site"}
    assert csv.constants == {"author.verified": True, "links": ["a"]}
    assert CsvMap(**csv.model_dump(exclude={"type", "path"})).zone() == ZoneInfo("UTC")


def test_what_looks_like_a_mistake_and_is_none(tmp_path: Path) -> None:
    text = """\
brands:
  - &first
    id: 3m
    names: [3M, 12:30, 2024-01-01, "e& بنك", "🚀 rocket", "\\ud83d\\ude80 ship"]
    domains: [أكمي.السعودية, xn--igb8dgu.xn--mgberp4a5d4ar, ACME.co.uk, قناة24.com, straße.de]
    accounts: [{platform: x, id: "1", handle: shared}]
    keywords: [007, 0x1f, 1_000_000_000_000_000_000_000]
    languages: &langs [ar]
  - id: other
    names: [Other]
    languages: *langs
    accounts: [{platform: instagram, id: "1", handle: shared}]
detect:
alerts: ~
"""
    path = write(tmp_path, text)
    assert check(path, {}) == []
    config = load(path, {})
    assert config.brands[0].names[1:3] == ("12:30", "2024-01-01")
    assert config.brands[0].keywords == ("007", "0x1f", "1_000_000_000_000_000_000_000")
    assert config.brands[0].names[4:] == ("🚀 rocket", "🚀 ship")
    assert config.brands[1].languages == ("ar",)
    assert config.detect.max_future_s == 300


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_utf8_is_read_with_and_without_bom(encoding: str, tmp_path: Path) -> None:
    assert read(tmp_path, CONTRACT.encode(encoding)).brands[0].names[1] == "أكمي"
    (problem,) = mistakes(tmp_path, (BRAND + "brand: 1\n").encode(encoding))
    assert (problem.line, problem.column, problem.key) == (2, 1, "brand")


@pytest.mark.parametrize(
    ("content", "line", "column", "piece"),
    [
        (BRAND.encode("utf-16"), None, None, "is UTF-16; save it as UTF-8"),
        (b"brands: # \xc7\xe1\n", 1, 11, "the byte 0xC7 is not UTF-8"),
        (BRAND.encode() + "# أ".encode() + b"\xff", 2, 4, "the byte 0xFF is not UTF-8"),
        (b"#" * (MAX_BYTES + 1), None, None, "is larger than 5 MB"),
    ],
)
def test_content_that_is_no_text(
    content: bytes, line: int | None, column: int | None, piece: str, tmp_path: Path
) -> None:
    (problem,) = mistakes(tmp_path, content)
    assert (problem.line, problem.column, problem.key) == (line, column, "")
    assert piece in problem.message


def test_an_alias_bomb_is_bounded(tmp_path: Path) -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    (problem,) = mistakes(tmp_path, "\n".join(rows))
    assert "too much data" in problem.message


def test_a_missing_file_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in (None, Path("other.yaml")):
        with pytest.raises(ConfigError, match=r"nadhir config example > nadhir\.yaml"):
            load(path, {})
    (problem,) = check(None, {})
    assert (problem.file, problem.line) == ("nadhir.yaml", None)
    (tmp_path / "nadhir.yaml").write_text(BRAND)
    assert load(None, {}).brands[0].id == "acme"


def test_a_path_that_is_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, Path("a\0b"), Path("\x1b[2J\n" * 3)):
        (problem,) = check(path, {})
        assert problem.severity == "error"
        assert format_problem(problem).isprintable()
    (problem,) = check(tmp_path, {})
    assert "is a directory" in problem.message


# the environment


@pytest.mark.parametrize(
    ("variable", "value", "setting", "expected"),
    [
        ("NADHIR_SENSITIVITY", "strict", "sensitivity", "strict"),
        ("NADHIR_DETECT__ALLOWED_LATENESS_S", "7", "detect.allowed_lateness_s", 7),
        ("NADHIR_DETECT", "{max_future_s: 9}", "detect.max_future_s", 9),
        ("NADHIR_DETECT", "{max_future_s: 9}", "detect.allowed_lateness_s", 600),
        ("NADHIR_ALERTS", '{"min_mentions":3}', "alerts.min_mentions", 3),
        ("NADHIR_PATHS__DATA", "123", "paths.data", Path("123")),
        ("NADHIR_INTAKE__ENABLED", "false", "intake.enabled", False),
        ("NADHIR_SENTIMENT__ONNX__THREADS", "2", "sentiment.onnx.threads", 2),
        (
            "NADHIR_SENTIMENT__ONNX__LABELS",
            "[neutral, positive, negative]",
            "sentiment.onnx.labels.0",
            "neutral",
        ),
        ("NADHIR_BRANDS", '[{"id":"b","names":["\\ud83d\\ude80x1"]}]', "brands.0.names.0", "🚀x1"),
        ("NADHIR_RECEIVERS", "[{name: c, type: console}]", "receivers.0.name", "c"),
        ("NADHIR_SOURCES", "[{type: file, path: /a, follow: true}]", "sources.0.path", Path("/a")),
        ("NADHIR_SENSITIVITY", "", "sensitivity", "sensitive"),
        ("NADHIR_TEST_X", "1", "sensitivity", "sensitive"),
        ("NADHIR_LOG_LEVEL", "1", "sensitivity", "sensitive"),
        ("NADHIRX", "1", "sensitivity", "sensitive"),
    ],
)
def test_environment_wins(
    variable: str, value: str, setting: str, expected: object, tmp_path: Path
) -> None:
    text = BRAND + (
        "sensitivity: sensitive\ndetect: {allowed_lateness_s: 5, max_future_s: 6}\n"
        "alerts: {min_mentions: 4}\npaths: {data: d}\n"
    )
    path = write(tmp_path, text)
    assert check(path, {variable: value}) == []
    found: Any = load(path, {variable: value})
    for part in setting.split("."):
        found = found[int(part)] if part.isdigit() else getattr(found, part)
    if isinstance(expected, Path):
        expected = tmp_path / expected
    assert found == expected


def test_a_part_in_the_environment_wins_over_its_section(tmp_path: Path) -> None:
    environ = {"NADHIR_DETECT__MAX_FUTURE_S": "1", "NADHIR_DETECT": "{max_future_s: 2}"}
    assert read(tmp_path, BRAND, environ).detect.max_future_s == 1


def test_environment_alone_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(None, {"NADHIR_BRANDS": "[{id: a, names: [Acme]}]"}).brands[0].id == "a"


@pytest.mark.parametrize(
    ("variable", "value", "key", "piece"),
    [
        ("NADHIR_SENSITIVITY", "loud", "sensitivity", "must be one of"),
        ("NADHIR_SENSITVITY", "strict", "", "sets nothing; did you mean NADHIR_SENSITIVITY?"),
        ("NADHIR_DETECT_MAX_FUTURE_S", "1", "", "did you mean NADHIR_DETECT__MAX_FUTURE_S?"),
        ("NADHIR_QQQQQQQQQQ", "1", "", "docs/configuration.md"),
        ("NADHIR_BRANDS__0__ID", "a", "", "sets nothing"),
        ("NADHIR_DETECT__MAX_FUTURE_S", "soon", "detect.max_future_s", "whole number; got 'soon'"),
        ("NADHIR_DETECT", "{max: 1}", "detect.max", "is no setting"),
        ("NADHIR_DETECT", "5", "detect", "must be a mapping"),
        ("NADHIR_ALERTS", "{a: [", "alerts", "is not closed"),
        ("NADHIR_BRANDS", "null", "brands", "must be a list"),
        ("NADHIR_BRANDS", "[{id: a, names: [NO]}]", "brands[0].names[0]", "quote it"),
        ("NADHIR_BRANDS", "[{id: a, id: b, names: [Acme]}]", "brands[0].id", "twice; keep one"),
        ("NADHIR_BRANDS", "[{id: a, names: [X]}]", "brands[0].names[0]", "fewer than two"),
        ("NADHIR_PATHS__PLAYBOOKS", "no-such", "paths.playbooks", "is no directory"),
        ("NADHIR_SENTIMENT__MODEL", "onnx", "sentiment.onnx.path", "is required"),
        ("NADHIR_SENTIMENT", "{model: onnx, onnx: {path: x}}", "sentiment.onnx.path", "no file"),
        ("NADHIR_PATHS__DATA", "\udcff", "paths.data", "must be UTF-8"),
        ("NADHIR_PATHS__DATA", "a\x1bb", "paths.data", r"got 'a\x1bb'"),
        ("NADHIR_PATHS__DATA", " ", "paths.data", "must not be blank"),
        ("NADHIR_\x1b[2J", "1", "", "sets nothing"),
    ],
)
def test_mistakes_in_the_environment_name_the_variable(
    variable: str, value: str, key: str, piece: str, tmp_path: Path
) -> None:
    (problem,) = mistakes(tmp_path, BRAND, {variable: value})
    assert (problem.file, problem.line, problem.column) == (
        variable.replace("\x1b", r"\x1b"), None, None,
    )  # fmt: skip
    assert (problem.key, problem.severity) == (key, "error")
    assert piece in problem.message
    assert format_problem(problem).isprintable()


def test_file_and_environment_are_reported_together(tmp_path: Path) -> None:
    environ = {"NADHIR_SENSITIVITY": "loud", "NADHIR_X": "1"}
    problems = mistakes(tmp_path, "brands: [", environ)
    assert [p.key for p in problems] == ["", "sensitivity", ""]
    assert [p.file for p in problems[1:]] == ["NADHIR_SENSITIVITY", "NADHIR_X"]


def test_environment_mends_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, BRAND + "intake: 5\n", {"NADHIR_INTAKE": "{}"}).intake.enabled


# the secret


@pytest.mark.parametrize(
    "text",
    [
        f"intake: {{token: {SECRET}, max_body_mb: 0}}",
        f"intake: {SECRET}",
        f"intake: [{SECRET}]",
        f"intake: {{token: [{SECRET}]}}",
        f"intake: {{token: {{{SECRET}: 1}}}}",
        f"intake: {{token: '{SECRET} x'}}",
        f"intake: {{token: *{SECRET}}}",
        f"intake: {{token: !{SECRET} x}}",
        f"intake: {{token: !{SECRET}!x y}}",
        f"intake: {{token: &{SECRET} x, max_body_mb: &{SECRET} y}}",
        f"intake: {{token: '{SECRET}}}",
        f'intake: {{token: "{SECRET}\\q"}}',
        f"intake: {{token:{SECRET}}}",
        f"intake: {{{SECRET}}}",
        f"intake:\n  token:{SECRET}\n  enabled: 3",
        f"intake: {{tokn: {SECRET}}}",
        f"intake: {{token: {SECRET}, token: {SECRET}}}",
        f"{{token:{SECRET}}}",
        SECRET,
    ],
)
def test_the_token_is_never_shown(text: str, tmp_path: Path) -> None:
    prefix = BRAND if text.startswith("intake") else ""
    path = write(tmp_path, prefix + text + "\n")
    with pytest.raises(ConfigError) as caught:
        load(path, {})
    value = text.removeprefix("intake: ")
    told = [*check(path, {}), *mistakes(tmp_path, BRAND, {"NADHIR_INTAKE": value})]
    told += mistakes(tmp_path, BRAND, {"NADHIR_INTAKE__TOKEN": f"{SECRET} x"})
    for shown in (str(caught.value), repr(caught.value), repr(told)):
        assert SECRET not in shown
    assert caught.value.__context__ is None


def test_a_good_token_is_kept_and_hidden(tmp_path: Path) -> None:
    config = read(tmp_path, BRAND, {"NADHIR_INTAKE__TOKEN": SECRET})
    assert config.intake.token is not None
    assert config.intake.token.get_secret_value() == SECRET
    for text in (repr(config), str(config), repr(config.model_dump()), config.model_dump_json()):
        assert SECRET not in text


# example and documentation


def uncommented(text: str) -> str:
    """The example with every setting that is off turned on; prose has one space after its #."""
    return re.sub(r"(?m)^(\s*)#(?! \S|$)", r"\1", text)


def test_the_example_is_valid_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, example())
    assert check(path, {}) == []
    assert load(path, {}).brands[0].id == "acme"
    assert read(tmp_path, BRAND).receivers == load(write(tmp_path, example()), {}).receivers


def test_every_setting_occurs_in_the_example(tmp_path: Path) -> None:
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "export.csv").touch()
    (tmp_path / "oncall.ics").touch()
    (tmp_path / "sentiment").mkdir()
    for file in ("model.onnx", "tokenizer.json"):
        (tmp_path / "sentiment" / file).touch()
    text = uncommented(example())
    assert mistakes(tmp_path, text) == []
    tree = yaml.safe_load(text)

    def holds(data: Any, parts: list[str]) -> bool:
        if not parts:
            return True
        name, _, tag = parts[0].partition("[")
        if not isinstance(data, dict) or name not in data:
            return False
        if not tag:
            return holds(data[name], parts[1:])
        kind = tag.rstrip("]")
        return any(
            holds(item, parts[1:]) for item in data[name] if not kind or item["type"] == kind
        )

    assert [s.path for s in settings() if not holds(tree, s.path.split("."))] == []


def test_the_example_is_commented_in_both_languages() -> None:
    prose = re.findall(r"(?m)^\s*# (?! )(.*)$", example())
    arabic = [re.match(r"\W*[\u0621-\u064a]", line) is not None for line in prose]
    assert arabic == [False, True] * (len(prose) // 2)


def test_the_documented_table_is_the_schema() -> None:
    assert settings_table() in DOCS.read_text("utf-8")


def test_every_setting_is_described_and_every_default_true() -> None:
    assert all(setting.meaning.endswith(".") for setting in settings())
    minimal = {"brands": [{"id": "a", "names": ["Acme"]}]}
    plain = Config.model_validate(minimal).model_dump(mode="json")
    own = [s for s in settings() if s.kind in ("text", "data") and s.default != "required"]
    assert len(own) > 10
    for setting in own:
        found: Any = plain
        for part in setting.path.split("."):
            found = found[part]
        read_yaml(setting.default, as_read := Document("default"))
        assert found == as_read.data


def test_the_documented_examples_are_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shortest, printed = re.findall(r"```(?:yaml)?\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    write(tmp_path, shortest)
    assert load(None, {}).brands[0].names == ("Acme", "أكمي")
    write(tmp_path, shortest + '    domains: ["https://acme.com/"]\nsensitvity: strict\n')
    problems = check(None, {"NADHIR_DETECT__MAX_FUTURE_S": "soon"})
    assert [format_problem(p) for p in problems] == printed.splitlines()


# whatever is in the file


def only_config_error(path: Path, environ: dict[str, str]) -> None:
    problems = check(path, environ)
    assert all(format_problem(problem).isprintable() for problem in problems)
    if any(problem.severity == "error" for problem in problems):
        with pytest.raises(ConfigError):
            load(path, environ)
    else:
        assert load(path, environ).brand_records()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("config")


fast = hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
yaml_text = st.text(st.sampled_from(list("\n\t -:[]{}&*!|>'\"%@#,?\\~abx019\u202e\u0627\x85😀")))
pieces = st.lists(
    st.sampled_from([*re.findall(r"[^\S\n]+|\w+|\n|.", CONTRACT + uncommented(example())), "\t"])
)


@fast
@given(text=st.text() | yaml_text | pieces.map("".join))
def test_arbitrary_text_raises_nothing_else(shared: Path, text: str) -> None:
    only_config_error(write(shared, text), {})
    only_config_error(
        write(shared, BRAND), {"NADHIR_BRANDS": text, "NADHIR_PATHS": text, "NADHIR_" + text: text}
    )


@fast
@given(content=st.binary())
def test_arbitrary_bytes_raise_nothing_else(shared: Path, content: bytes) -> None:
    only_config_error(write(shared, content), {})


@fast
@given(at=st.integers(0, 3_000), cut=st.integers(0, 6), put=yaml_text)
def test_a_mangled_example_raises_nothing_else(shared: Path, at: int, cut: int, put: str) -> None:
    text = re.sub(r"(?m)^\s*# .*\n", "", uncommented(example()))
    at %= len(text)
    only_config_error(write(shared, text[:at] + put + text[at + cut :]), {})


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
LEAVES = sorted({setting.path for setting in settings()})


@fast
@given(changes=st.dictionaries(st.sampled_from(LEAVES), values, min_size=1, max_size=4))
def test_any_value_in_any_place_raises_nothing_else(shared: Path, changes: dict[str, Any]) -> None:
    text = re.sub(r"(?m)^\s*# .*\n", "", uncommented(example()))
    tree = yaml.safe_load(text)
    for path, value in changes.items():
        target: Any = tree
        *parents, last = re.sub(r"\[\w*\]", ".0", path).split(".")
        for part in parents:
            if isinstance(target, list):
                target = target[0] if target else None
            elif isinstance(target, dict):
                target = target.get(part)
        if isinstance(target, dict):
            target[last] = value
    only_config_error(write(shared, json.dumps(tree)), {})


domainish = st.lists(st.text(st.sampled_from("aZ0-أيß😀é"), min_size=1)).map(".".join)


@given(st.text() | domainish)
@hypothesis_settings(max_examples=300, deadline=None)
def test_domain_in_its_two_writings_is_one(text: str) -> None:
    try:
        once = domain_ascii(text)
    except ValueError:
        return
    assert once.isascii()
    assert domain_ascii(once) == once


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{name: Eid, first: 20.3.2026, last: 2026-03-22}", "must be a date such as 2026-03-20"),
        ("{name: Eid, first: 2026-03-20, last: 2026-03-19}", "must not be before the first day"),
        ("{name: Eid, first: 2026-02-30, last: 2026-03-19}", "must be a date such as 2026-03-20"),
    ],
)
def test_holidays_that_cannot_be(written: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "nadhir.yaml"
    file.write_text(f"brands:\n  - id: acme\n    names: [Acme]\n    holidays:\n      - {written}\n")
    with pytest.raises(ConfigError, match=said) as error:
        load(file, {})
    assert ":5:" in str(error.value)


def test_holidays_reach_the_stages(tmp_path: Path) -> None:
    file = tmp_path / "nadhir.yaml"
    file.write_text(
        "brands:\n  - id: acme\n    names: [Acme]\n    holidays:\n"
        "      - {name: رمضان, first: 2027-02-08, last: 2027-03-09}\n"
    )
    (brand,) = load(file, {}).brand_records()
    (holiday,) = brand.holidays
    assert (holiday.name, holiday.first, holiday.last) == ("رمضان", "2027-02-08", "2027-03-09")
