"""The picture of groups: network and timeline in both languages, harmless, bounded."""

from __future__ import annotations

from io import BytesIO
from xml.etree import ElementTree

import pytest
from PIL import Image

from alerts.groups import explain_group
from alerts.show.groups import MOST_GROUPS
from alerts.show.groups_png import groups_svg, render_groups_png
from tests.alerts.build import PHRASES
from tests.alerts.test_show_groups import HOSTILE, group, picture

SVG = "{http://www.w3.org/2000/svg}"
GROUP, OTHERS, NODE = (0xC2, 0x41, 0x0C), (0xB4, 0xBC, 0xC6), (0x14, 0x60, 0x6A)


def words(svg: str) -> list[str]:
    tree = ElementTree.fromstring(svg)
    return ["".join(text.itertext()).strip("\u202b\u202c") for text in tree.iter(f"{SVG}text")]


def pixels(png: bytes) -> tuple[Image.Image, dict[tuple[int, ...], int]]:
    with Image.open(BytesIO(png)) as image:
        shown = image.convert("RGB")
    found = shown.getcolors(1 << 24) or []
    return shown, {colour: n for n, colour in found if isinstance(colour, tuple)}


def test_network_timeline_and_what_is_told_are_drawn() -> None:
    svg, _ = groups_svg([picture(group())], "x.jsonl")
    tree = ElementTree.fromstring(svg)
    assert len(list(tree.iter(f"{SVG}circle"))) == 4
    assert len(list(tree.iter(f"{SVG}line"))) == 3
    said = explain_group(group(), PHRASES)
    whole = " ".join(words(svg))
    for part in (said.en.split()[:5], said.ar.split()[:5]):
        assert " ".join(part) in whole
    assert {"Suspected coordination · 0.90", "اشتباه في تنسيق · 0.90"} <= set(words(svg))
    shown, colours = pixels(render_groups_png([picture(group())], "x.jsonl"))
    assert shown.width == 2192
    assert min(colours[GROUP], colours[OTHERS], colours[NODE]) > 500


def test_lines_are_within_the_card() -> None:
    """Whatever is told, nothing is drawn beyond a column: the middle of the card stays empty."""
    told = explain_group(group(), PHRASES)
    long = told.__class__(ar="كلمة طويلة بعض الشيء " * 40, en="somewhat long words " * 40)
    shown, _ = pixels(render_groups_png([picture(group())._replace(explanation=long)], "x.jsonl"))
    middle = shown.crop((shown.width // 2 - 6, 2 * 130, shown.width // 2 + 6, 2 * 400))
    assert middle.getcolors() == [(middle.width * middle.height, (255, 255, 255))]


@pytest.mark.parametrize(
    "text", [HOSTILE, "a\ufffe\x0b\x00b&amp;<b>", "]]><![CDATA[", "عميل\u202egro", "𝕏" * 500]
)
@pytest.mark.parametrize("field", ["account", "title"])
def test_text_of_strangers_is_only_text(text: str, field: str) -> None:
    told = picture(group(**({"account": text} if field == "account" else {})))
    title = text if field == "title" else "x.jsonl"
    svg, _ = groups_svg([told], title)
    tags = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(svg).iter()}
    assert tags <= {"svg", "style", "rect", "text", "g", "line", "circle", "title"}
    assert "\u202e" not in svg
    assert render_groups_png([told], title).startswith(b"\x89PNG")


def test_many_groups_are_one_picture_that_can_be_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alerts.show.groups.MOST_ACCOUNTS", 10)  # the others cost time alone
    many = [picture(group(1234))] * (MOST_GROUPS + 3)
    shown, _ = pixels(render_groups_png(many, "x.jsonl"))
    assert shown.width * shown.height <= 24.1e6
    svg, _ = groups_svg(many, "x.jsonl")
    assert svg.count("<circle") == MOST_GROUPS * 10
    assert "Groups that are not shown: 3" in svg
    assert "Accounts that are not drawn: 1,224" in svg


def test_a_long_name_of_a_file_is_shortened() -> None:
    title = next(w for w in words(groups_svg([], f"{'a' * 200}.jsonl")[0]) if "…" in w)
    assert (len(title), title[-7:]) == (110, "a.jsonl")


def test_without_groups_it_says_so() -> None:
    assert {"There are no groups in these mentions.", "لا مجموعات في هذه المنشورات."} <= set(
        words(groups_svg([], "x.jsonl")[0])
    )
