"""The documentation check finds what it should find, and is content with what is right."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from tools.check_docs import MAX_LINES, MAX_LINES_RECORD, check, open_project
from tools.markdown import parse


class _Broken(click.Group):
    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        raise ImportError("no module for it")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--verbose/--quiet", "-v")
@click.option("--config")
def nadhir() -> None:
    """Stand in for the command under test."""


@nadhir.command()
@click.argument("file")
@click.option("--alerts")
def replay(file: str, alerts: str) -> None:
    """Replay."""


@nadhir.group()
def rejected() -> None:
    """Group."""


@rejected.command("list")
def rejected_list() -> None:
    """List."""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "docs" / "adr").mkdir(parents=True)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "text.py").touch()
    (tmp_path / "demo-out").mkdir()
    (tmp_path / ".gitignore").write_text("demo-out/\n*.pyc\n")
    (tmp_path / "Makefile").write_text("X := 1\ndemo: setup ## Show\n\trun\nlint-docs:\n\trun\n")
    (tmp_path / "docs" / "other.md").write_text("# Other\n\n## A `b`, c & d\n")
    return tmp_path


def problems(root: Path, text: str, command: click.Command | None = nadhir) -> list[str]:
    (root / "README.md").write_text(text)
    return [f"{p.line}: {p.message}" for p in check(open_project(root, command))]


def shell(*lines: str, language: str = "bash") -> str:
    return "\n".join([f"```{language}", *lines, "```", ""])


GOOD = """# Title

[other](docs/other.md), [part](docs/other.md#a-b-c--d), [here](#title), [web](https://example.com/x)
`models/text.py`, `models/*.py`, models/text.py, `models/`, `demo-out/alerts.jsonl`, `/v1/mentions`
either/or, `text/plain`, `TODO`, `../shared/data`, `nadhir replay FILE`, `nadhir rejected list`

```bash
make demo
nadhir --config=c -v replay x --alerts a.jsonl  # why
nadhir -h
x | .venv/bin/nadhir --config c rejected list > out && make -j2 lint-docs
nadhir …
```
```console
$ A=1 nadhir replay - \\
    --alerts x
nadhir says this
```
```yaml
# TODO is no heading: nadhir nonsense
```
"""


def test_what_is_right_passes(root: Path) -> None:
    assert problems(root, GOOD) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](docs/none.md)", "1: link 'docs/none.md': no such file"),
        ("\n![a](docs/none.png)", "2: link 'docs/none.png': no such file"),
        ('<img src="docs/none.svg">', "1: link 'docs/none.svg': no such file"),
        ("[a]: docs/none.md", "1: link 'docs/none.md': no such file"),
        ("[a](docs/other.md#none)", "1: link 'docs/other.md#none': no such heading"),
        ("[a](../x.md)", "1: link '../x.md' leaves the repository"),
        ("`models/none.py`", "1: 'models/none.py': no such file in the project"),
        ("see models/none.py.", "1: 'models/none.py': no such file in the project"),
        ("`models/*.yaml`", "1: 'models/*.yaml': no such file in the project"),
        ("# A\n## B\n# a\n", "3: heading 'a' is on line 1 already"),
        ("Some day. TODO", "1: 'TODO': finish it or leave it out"),
        ("a\n```yaml\nb: 1\n", "2: this fenced block is never closed"),
        ("`nadhir repaly x`", "1: nadhir: no command 'repaly'"),
        (shell("", "nadhir rejected lst"), "3: nadhir rejected: no command 'lst'"),
        (shell("nadhir replay x --alert y"), "2: nadhir replay: no option '--alert'"),
        (shell("nadhir --config replay x"), "2: nadhir: no command 'x'"),
        (shell("$ true \\", "  && nadhir x", language="console"), "2: nadhir: no command 'x'"),
        (shell("cat x|nadhir repaly -"), "2: nadhir: no command 'repaly'"),
        (shell("make dmeo"), "2: make: no target 'dmeo'"),
    ],
)
def test_what_is_wrong_is_found(root: Path, text: str, expected: str) -> None:
    assert problems(root, text) == [expected]


def test_commands_that_cannot_be_loaded(root: Path) -> None:
    assert problems(root, "`nadhir demo`", None) == ["1: nadhir: its commands cannot be loaded"]
    broken = _Broken("nadhir")
    assert problems(root, "`nadhir demo`", broken) == ["1: nadhir demo: no module for it"]


def test_length_is_bounded(root: Path) -> None:
    (root / "docs" / "other.md").write_text("\n" * MAX_LINES)
    assert problems(root, "") == []
    (root / "docs" / "other.md").write_text("\n" * (MAX_LINES + 1))
    assert len(problems(root, "")) == 1


def test_decision_records(root: Path) -> None:
    records = root / "docs" / "adr"
    (records / "0001-one.md").write_text("\n" * MAX_LINES_RECORD)
    (records / "README.md").write_text("[one](0001-one.md)")
    assert problems(root, "") == []
    (records / "0003-three.md").write_text("\n" * (MAX_LINES_RECORD + 1))
    assert sorted(problems(root, "")) == [
        "1: 0003-three.md is not listed",
        "1: name it 0002-words-with-hyphens.md",
        "41: 41 lines; at most 40, so cut or split it",
    ]


def test_fences_nest_and_code_is_no_prose(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text("````md\n```bash\n# no heading\n```\n````\n# Head ##\n`[a](b)` [c](d)\n")
    document = parse(path)
    assert [h.text for h in document.headings] == ["Head"]
    assert [block.language for block in document.blocks] == ["md"]
    assert [link.text for link in document.links] == ["d"]
    assert document.unclosed is None
