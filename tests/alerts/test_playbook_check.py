"""Every mistake in a playbook is named with its file, line and key."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.playbook import PlaybookError, Problem, check, load_playbooks
from alerts.playbook.load import SHIPPED

RUMOUR = (SHIPPED / "rumour.yaml").read_text("utf-8")
X_EMPATHY_EN = "        empathy: We understand your concern.\n"
X_FACTS_AR = "منذ {{ since }} تُتداول معلومات عن {{ brand_ar }} لم تصدر عنا."
SUMMARY_EN = "An unverified claim about {{ brand_en }} is spreading."
REPLY_EN = "We understand your question."
REPLY_AR = "نتفهم سؤالكم."
LEARN_MORE_AR = (
    "          {% if help_url %}للمزيد: {{ help_url }}\n"
    "          {% elif support_handle %}للمساعدة: {{ support_handle }}\n"
    "          {% else %}للمزيد تابعوا حساباتنا الرسمية.{% endif %}\n"
)


def problems_of(tmp_path: Path, text: str) -> list[Problem]:
    path = tmp_path / "rumour.yaml"
    path.write_text(text, "utf-8")
    found = check([path])
    assert {p.file for p in found} <= {str(path)}
    return found


def line_of(text: str, marker: str) -> int:
    assert marker in text
    return text[: text.index(marker)].count("\n") + 1


# what is replaced, by what, text that stands in the line to be named, key, part of the message
BROKEN = {
    "unknown fact": (
        X_FACTS_AR,
        "منذ {{ sinse }} تُتداول معلومات عن {{ brand_ar }} لم تصدر عنا.",
        "{{ sinse }}",
        "messages.holding.x.ar.facts",
        "unknown fact 'sinse'; did you mean 'since'?",
    ),
    "template syntax": (
        SUMMARY_EN,
        "Claim about {{ brand_en is spreading.",
        "{{ brand_en is",
        "summary.en",
        "template syntax",
    ),
    "tag left open": (
        SUMMARY_EN,
        "{% if domain %}" + SUMMARY_EN,
        "summary:\n  ar:",
        "summary.en",
        "template syntax: Unexpected end of template",
    ),
    "hostile fact": (
        REPLY_EN,
        REPLY_EN + " {{ terms }}",
        "{{ terms }} This",
        "messages.reply.text.en",
        "'terms' comes from mentions, so an attacker wrote it",
    ),
    "hostile fact in what to say": (
        "This is what we have established",
        "This, {{ suspect }}, is what we have established",
        "{{ suspect }}, is",
        "say[0].en",
        "'suspect' comes from mentions",
    ),
    "unguarded fact": (
        REPLY_EN,
        REPLY_EN + " {{ domain }}.",
        "{{ domain }}.",
        "messages.reply.text.en",
        "'domain' may be missing: put {% if domain %}",
    ),
    "fact guarded the wrong way": (
        REPLY_EN,
        REPLY_EN + " {% if not domain %}{{ domain }}{% endif %}.",
        "{{ domain }}",
        "messages.reply.text.en",
        "'domain' may be missing",
    ),
    "our own measure": (
        REPLY_EN,
        REPLY_EN + " It is {{ severity_en }}.",
        "{{ severity_en }}. This",
        "messages.reply.text.en",
        "'severity_en' is our own measure",
    ),
    "fact of the other language": (
        X_FACTS_AR,
        X_FACTS_AR.replace("brand_ar", "brand_en"),
        "عن {{ brand_en }} لم تصدر عنا.",
        "messages.holding.x.ar.facts",
        "'brand_en' in a text in 'ar'; use 'brand_ar'",
    ),
    "fact missing in one language": (
        X_FACTS_AR,
        "تُتداول معلومات عن {{ brand_ar }} لم تصدر عنا.",
        "تُتداول معلومات عن {{ brand_ar }} لم تصدر عنا.",
        "messages.holding.x.ar.facts",
        "the fact 'since' is missing here",
    ),
    "number in one language": (
        REPLY_EN,
        REPLY_EN + " Wait 45 minutes.",
        "Wait 45",
        "messages.reply.text.en",
        "the number 45 is not in messages.reply.text.ar",
    ),
    "link in one language": (
        REPLY_AR,
        REPLY_AR + " زوروا https://acme.example/a",
        "https://acme.example/a",
        "messages.reply.text.ar",
        "the link https://acme.example/a is not in",
    ),
    "Arabic-Indic digits": (
        REPLY_AR,
        REPLY_AR + " خلال ٣٠ دقيقة.",
        "٣٠",
        "messages.reply.text.ar",
        "write numbers in ASCII digits",
    ),
    "English where Arabic belongs": (
        "  ar: شائعة",
        "  ar: A rumour",
        "  ar: A rumour",
        "title.ar",
        "only 0% of the letters are Arabic",
    ),
    "Arabic where English belongs": (
        "  en: Rumour",
        "  en: شائعة",
        "  en: شائعة",
        "title.en",
        "only 0% of the letters are Latin",
    ),
    "placeholder TODO": (
        REPLY_EN,
        REPLY_EN + " TODO.",
        "TODO",
        "messages.reply.text.en",
        "'TODO' is left",
    ),
    "placeholder XXX": (
        REPLY_EN,
        REPLY_EN + " XXX.",
        "XXX",
        "messages.reply.text.en",
        "'XXX' is left",
    ),
    "placeholder [..]": (
        REPLY_EN,
        "Dear [CUSTOMER NAME], " + REPLY_EN,
        "[CUSTOMER",
        "messages.reply.text.en",
        "'[CUSTOMER NAME]' is left",
    ),
    "placeholder <..>": (
        REPLY_EN,
        "Dear <name>, " + REPLY_EN,
        "<name>",
        "messages.reply.text.en",
        "'<name>' is left",
    ),
    "placeholder «..»": (
        REPLY_AR,
        "عزيزنا «اسم العميل»، " + REPLY_AR,
        "«اسم",
        "messages.reply.text.ar",
        "is left to fill in",
    ),
    "placeholder {..}": (
        REPLY_EN,
        "Dear {name}, " + REPLY_EN,
        "{name}",
        "messages.reply.text.en",
        "'{name}' is left",
    ),
    "braces left over": (
        REPLY_EN,
        REPLY_EN + " }}",
        "}} This",
        "messages.reply.text.en",
        "'}}' is left",
    ),
    "bots": (
        REPLY_EN,
        "These are bots. " + REPLY_EN,
        "bots",
        "messages.reply.text.en",
        "suspected coordination",
    ),
    "بوت": (
        REPLY_AR,
        "هذه بوتات. " + REPLY_AR,
        "بوتات",
        "messages.reply.text.ar",
        "suspected coordination",
    ),
    "ذباب إلكتروني": (
        REPLY_AR,
        "هذا الذبابُ الإلكتروني. " + REPLY_AR,
        "الذبابُ",
        "messages.reply.text.ar",
        "suspected coordination",
    ),
    "blame": (
        REPLY_EN,
        "It is your own fault. " + REPLY_EN,
        "fault",
        "messages.reply.text.en",
        "never blame customers",
    ),
    "لوم العملاء": (
        REPLY_AR,
        "كان عليكم الانتباه. " + REPLY_AR,
        "كان عليكم",
        "messages.reply.text.ar",
        "never blame",
    ),
    "promise": (
        REPLY_EN,
        "It will never happen again. " + REPLY_EN,
        "happen",
        "messages.reply.text.en",
        "nobody can keep",
    ),
    "asks for card data": (
        REPLY_EN,
        "Please send us your card number. " + REPLY_EN,
        "card number",
        "messages.reply.text.en",
        "never ask for secrets",
    ),
    "asks for a password": (
        REPLY_AR,
        "يرجى إرسال كلمة المرور. " + REPLY_AR,
        "كلمة المرور",
        "messages.reply.text.ar",
        "never ask for secrets",
    ),
    "hidden character": (
        REPLY_EN,
        "We\u202e understand your question.",
        "We\u202e",
        "messages.reply.text.en",
        "U+202E",
    ),
    "part missing": (
        X_EMPATHY_EN,
        "",
        "      en:\n        facts: >-\n          Since {{ since }}, claims",
        "messages.holding.x.en.empathy",
        "'empathy' is missing",
    ),
    "part empty": (
        X_EMPATHY_EN,
        "        empathy: ''\n",
        "empathy: ''",
        "messages.holding.x.en.empathy",
        "is empty",
    ),
    "part says nothing": (
        X_EMPATHY_EN,
        "        empathy: Hello.\n",
        "empathy: Hello.",
        "messages.holding.x.en.empathy",
        "says nothing",
    ),
    "part repeated": (
        X_EMPATHY_EN,
        "        empathy: They are not yet verified.\n",
        "unknown: They are not yet verified.\n        process: We are checking our",
        "messages.holding.x.en.unknown",
        "repeats the part 'empathy'",
    ),
    "no place to learn more": (
        LEARN_MORE_AR,
        "          تابعونا هنا.\n",
        "تابعونا هنا.",
        "messages.holding.x.ar.learn_more",
        "names no place",
    ),
    "nothing without help_url": (
        LEARN_MORE_AR,
        "          {% if help_url %}للمزيد: {{ help_url }}{% endif %}\n",
        "{% if help_url %}للمزيد: {{ help_url }}{% endif %}\n      en:",
        "messages.holding.x.ar.learn_more",
        "nothing is left of the text (short names, without help_url)",
    ),
    "half a sentence without help_url": (
        LEARN_MORE_AR,
        "          للمزيد زوروا {% if help_url %}{{ help_url }}{% endif %}\n",
        "للمزيد زوروا",
        "messages.holding.x.ar.learn_more",
        "the sentence is not whole: ends with",
    ),
    "too long for X": (
        REPLY_EN,
        "We understand your question. " + "Very well indeed. " * 8,
        REPLY_EN,
        "messages.reply.text.en",
        "too long for the channel 'x': ",
    ),
    "too long a thread": (
        X_EMPATHY_EN,
        f"        empathy: We {'really ' * 60}understand.\n",
        "empathy: We really",
        "messages.holding.x.en.empathy",
        "too long for the channel 'x': ",
    ),
    "unknown key": (
        "schema: 1",
        "schema: 1\nscheme: 1",
        "scheme: 1",
        "scheme",
        "unknown key 'scheme'; known are schema",
    ),
    "wrong version": ("schema: 1", "schema: 2", "schema: 2", "schema", "expected 1"),
    "unknown type": (
        "type: rumour",
        "type: rumours",
        "type: rumours",
        "type",
        "no alert has the type 'rumours'",
    ),
    "language missing": ("  en: Rumour\n", "", "title:", "title.en", "'en' is missing"),
    "duplicate key": (
        "  en: Rumour\n",
        "  en: Rumour\n  en: Again\n",
        "  en: Again",
        "title.en",
        "'en' is there twice, first in line 9",
    ),
    "not a text": ("  en: Rumour\n", "  en: 12\n", "  en: 12", "title.en", "expected a text"),
    "not a list": (
        "roles:\n",
        "roles: none\nsay_more:\n",
        "roles: none",
        "roles",
        "expected a list",
    ),
    "unknown role": (
        "    role: lead",
        "    role: boss",
        "role: boss",
        "steps[0].role",
        "'boss' is not among the roles",
    ),
    "step twice": (
        "  - id: trace",
        "  - id: acknowledge",
        "  - id: acknowledge\n    role: analyst",
        "steps[1].id",
        "is there twice",
    ),
    "not a number": (
        "within_min: 5",
        "within_min: soon",
        "within_min: soon",
        "steps[0].within_min",
        "expected a whole number",
    ),
    "steps out of order": (
        "within_min: 15",
        "within_min: 2",
        "  - id: trace",
        "steps[1]",
        "'trace' is due before 'acknowledge'",
    ),
    "role without a step": (
        "roles:\n",
        "roles:\n  - id: ghost\n    title: {ar: شبح, en: Ghost}\n",
        "id: ghost\n    title",
        "roles[0]",
        "has no step",
    ),
    "message missing": (
        "  direct_message:\n",
        "  direct_messages:\n",
        "messages:",
        "messages.direct_message",
        "'direct_message' is missing",
    ),
    "question without its twin": (
        "        - q: Is what is going around true?\n",
        "        - q: Is it so?\n          a: Yes.\n        - q: Is it true?\n",
        "Where do I find reliable information?",
        "messages.faq.text.en[4].q",
        "has no counterpart messages.faq.text.ar[4].q",
    ),
    "question without a mark": (
        "q: Is what is going around true?",
        "q: It is true",
        "q: It is true",
        "messages.faq.text.en[0].q",
        "question mark",
    ),
    "tag": (
        "title:",
        "title: !!python/object:os.system",
        "title: !!",
        "",
        "a tag (!name) is not allowed",
    ),
    "alias": (
        "  en: Rumour",
        "  en: *other",
        "  en: *other",
        "",
        "an alias (*name) is not allowed",
    ),
    "YAML": ("  en: Rumour", "  en: 'Rumour", "", "", "YAML: "),
    "NUL": ("  en: Rumour", "  en: Rum\x00our", "  en: Rum\x00our", "", "U+0000 is not allowed"),
    "escape out of range": ("  en: Rumour", '  en: "\\UFFFFFFFF"', '  en: "', "", "YAML: "),
    "half a character": (
        "  en: Rumour",
        '  en: "\\ud800"',
        '  en: "',
        "title.en",
        "half of a surrogate pair",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_mistake_is_named_with_its_line(tmp_path: Path, name: str) -> None:
    old, new, marker, key, message = BROKEN[name]
    assert old in RUMOUR
    text = RUMOUR.replace(old, new, 1)
    found = problems_of(tmp_path, text)
    hits = [p for p in found if p.key == key and message in p.message]
    assert hits, "\n".join(map(str, found))
    if name == "tag left open":  # known only at the end of the text
        assert hits[0].line >= line_of(text, "{% if domain %}")
    elif marker:
        assert hits[0].line == line_of(text, marker), "\n".join(map(str, found))


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    text = (
        RUMOUR.replace("  en: Rumour", "  en: TODO")
        .replace("within_min: 5\n", "within_min: 0\n", 1)
        .replace(REPLY_EN, "These are bots, {{ terms }}.", 1)
    )
    found = {(p.line, p.key) for p in problems_of(tmp_path, text)}
    assert {
        (line_of(text, "  en: TODO"), "title.en"),
        (line_of(text, "within_min: 0"), "steps[0].within_min"),
        (line_of(text, "These are bots"), "messages.reply.text.en"),
    } <= found


def test_what_may_be_said(tmp_path: Path) -> None:
    fine_en = (
        "Never send your card number. If you entered your password, change it. "
        "We never ask for a verification code. Ask our chatbot or press the button."
    )
    fine_ar = "لا ترسلوا رقم البطاقة. وإذا أدخلتم كلمة المرور فغيّروها. ولا نطلب رمز التحقق."
    text = RUMOUR.replace("This is what we have established, and this is the evidence.", fine_en, 1)
    text = text.replace("هذا هو الثابت لدينا، وهذا دليله.", fine_ar, 1)
    assert text.count(fine_en) == text.count(fine_ar) == 1
    assert problems_of(tmp_path, text) == []


def test_warnings_do_not_stop_loading(tmp_path: Path) -> None:
    text = RUMOUR.replace("within_min: 15", "within_min: 2", 1)
    assert [p.severity for p in problems_of(tmp_path, text)] == ["warning"]
    assert load_playbooks(tmp_path)["rumour"].steps[1].within_min == 2


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"", 1, "the file is empty"),
        (b"schema: 1\ntype: \xff\n", 2, "not UTF-8"),
        (b"#" * 300_000, 1, "at most 262,144"),
        (b"- a\n", 1, "expected schema, type"),
        (b"a: 1\n---\nb: 1\n", 2, "YAML: but found another document"),
        (b"[" * 5_000, 1, "nested too deeply"),
    ],
)
def test_files_that_are_no_playbook(tmp_path: Path, data: bytes, line: int, message: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(data)
    found = check([path])
    assert found[0].line == line
    assert message in found[0].message
    with pytest.raises(PlaybookError):
        load_playbooks(tmp_path)


def test_file_that_is_not_there(tmp_path: Path) -> None:
    (problem,) = check([tmp_path / "absent.yaml"])
    assert problem.message == "cannot be read: No such file or directory"


def test_line_in_folded_and_literal_text(tmp_path: Path) -> None:
    folded = "  en: >-\n    One\n    two three\n    TODO four."
    literal = "  en: |-\n    One\n\n    two three\n    TODO four."
    quoted = '  en: "One\n    two three\n    TODO four."'
    for new, offset in ((folded, 3), (literal, 4), (quoted, 2)):
        text = RUMOUR.replace("  en: Rumour", new)
        (problem,) = problems_of(tmp_path, text)
        assert problem.line == line_of(text, new) + offset


LINES = RUMOUR.splitlines(keepends=True)


@settings(max_examples=60, deadline=None)
@given(
    at=st.integers(0, len(LINES) - 1),
    to=st.integers(0, len(LINES) - 1),
    junk=st.text(alphabet="{}%[]:-#&*!|>'\"\\ \n\tiفa0", max_size=30) | st.text(max_size=10),
)
def test_no_file_raises(at: int, to: int, junk: str) -> None:
    damaged = "".join([*LINES[:at], junk, *LINES[to:]])
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "a.yaml"
        path.write_bytes(damaged.encode("utf-8", "surrogatepass"))
        lines = damaged.count("\n") + 1
        assert all(1 <= problem.line <= lines + 1 for problem in check([path]))
