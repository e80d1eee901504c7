"""The templates of a playbook: facts and conditions, and nothing else of Jinja's language.

``{{ fact }}`` and ``{% if fact %} … {% elif … %} … {% else %} … {% endif %}`` are allowed; a
template with anything else is refused before it is compiled, and what is compiled runs in Jinja's
immutable sandbox without globals, filters, tests or loader.  Mention text enters only as values.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Literal, NamedTuple, get_args

from jinja2 import StrictUndefined, Template, TemplateSyntaxError, UndefinedError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from alerts.playbook.records import Severity
from alerts.playbook.text import number, tidy

Audience = Literal["public", "internal", "briefing"]
Value = str | int | float | None

PUBLIC = frozenset(
    ("brand_ar", "brand_en", "since", "date", "timezone", "help_url", "support_handle", "domain")
)
NUMBERS = frozenset(
    ("observed", "expected", "ratio", "window_min", "negative", "negative_share", "crisis_score")
)
MEASURES = NUMBERS | {"alert_id", "severity", "severity_ar", "severity_en"}
HOSTILE = frozenset(("terms", "suspect"))
OPTIONAL = frozenset(("help_url", "support_handle", "domain", "terms", "suspect"))
FACTS = PUBLIC | MEASURES | HOSTILE
SEVERITIES: tuple[Severity, ...] = get_args(Severity)

_WRITTEN = (nodes.TemplateData, nodes.Name)
_CONDITIONS = (nodes.If, nodes.Compare, nodes.And, nodes.Or, nodes.Not)
_ALLOWED = (nodes.Template, nodes.Output, nodes.Operand, nodes.Const, *_WRITTEN, *_CONDITIONS)
_MAX_CONDITIONS = 20
_TAG_LINE = re.compile(
    r"(?m)^[ \t]*(\{%[^\n{}]*%\})[ \t]*\n"
)  # a condition's own line leaves no gap
_MEMBERSHIP = ("in", "notin")
_GRAMMAR = "only {{ fact }} and {% if fact %} … {% else %} … {% endif %} are allowed"


class TemplateProblem(NamedTuple):
    """A fault of a template: its line (from 1), the text to look for there, and a sentence."""

    line: int
    needle: str
    message: str
    severity: Literal["error", "warning"] = "error"


def _show(value: Value) -> str:
    if value is None:
        raise UndefinedError("a fact without a value was written out")
    return value if isinstance(value, str) else number(value)


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,  # plain text: whatever shows it escapes it
        finalize=_show,
        loader=None,
    )
    environment.globals.clear()
    environment.filters.clear()
    environment.tests.clear()
    return environment


_ENVIRONMENT = _environment()


@lru_cache(maxsize=4096)
def _compiled(text: str) -> Template:
    return _ENVIRONMENT.from_string(_TAG_LINE.sub(r"\1", text))


def render_text(text: str, values: Mapping[str, Value]) -> str:
    """Render one checked template; white space is evened out.

    Parameters
    ----------
    text : str
        A template in which `inspect` found no error.
    values : mapping of str to str, int, float or None
        One value for every fact, from `alerts.playbook.text.values`.

    Raises
    ------
    jinja2.TemplateError
        If the template was not checked.

    Examples
    --------
    >>> render_text("{% if domain %}At {{ domain }}{% else %}No {{ observed }}{% endif %}",
    ...             {"domain": None, "observed": 1200})
    'No 1,200'
    """
    return tidy(_compiled(text).render(values))


@lru_cache(maxsize=4096)
def names(text: str) -> frozenset[str]:
    """Names a template uses; none if it cannot be read."""
    try:
        tree = _ENVIRONMENT.parse(text)
    except (TemplateSyntaxError, RecursionError):
        return frozenset()
    return frozenset(node.name for node in tree.find_all(nodes.Name))


def inspect(text: str, audience: Audience) -> list[TemplateProblem]:
    """Everything wrong with a template: syntax, forbidden constructs, facts it may not use.

    What passes without an error renders with any facts.

    Parameters
    ----------
    text : str
        The template.
    audience : {"public", "internal", "briefing"}
        Hostile facts are for ``briefing`` alone, our own measures not for ``public``.

    Examples
    --------
    >>> [p.message for p in inspect("{{ terms }}", "public")][0]
    "'terms' comes from mentions, so an attacker wrote it: not in this text"
    """
    try:
        tree = _ENVIRONMENT.parse(text)
        found = [*_constructs(tree), *_uses(tree, audience)]
        if all(problem.severity == "warning" for problem in found):
            found += [*_comparisons(tree), *_unguarded(tree.body, frozenset())]
    except TemplateSyntaxError as error:
        return [TemplateProblem(error.lineno, "{", f"template syntax: {error.message}")]
    except RecursionError:
        return [TemplateProblem(1, "{", "template is nested too deeply")]
    return sorted(set(found))


def _constructs(tree: nodes.Template) -> Iterator[TemplateProblem]:
    conditions = 0
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            kind = type(node).__name__
            yield TemplateProblem(node.lineno, "{", f"{kind}: {_GRAMMAR}")
        elif isinstance(node, nodes.Output):
            for child in node.nodes:
                if isinstance(child, _ALLOWED) and not isinstance(child, _WRITTEN):
                    yield TemplateProblem(child.lineno, "{{", f"an expression: {_GRAMMAR}")
        elif isinstance(node, nodes.TemplateData) and re.search(r"\{[{%#]", node.data):
            yield TemplateProblem(node.lineno, "{%", f"raw: {_GRAMMAR}")
        elif isinstance(node, _CONDITIONS):
            conditions += 1
    if conditions > _MAX_CONDITIONS:
        yield TemplateProblem(1, "{%", f"{conditions} conditions; at most {_MAX_CONDITIONS}")


def _uses(tree: nodes.Template, audience: Audience) -> Iterator[TemplateProblem]:
    for node in tree.find_all(nodes.Name):
        line, name = node.lineno, node.name
        if name not in FACTS:
            close = difflib.get_close_matches(name, sorted(FACTS), n=1)
            hint = f"did you mean '{close[0]}'?" if close else "see docs/playbook.md"
            yield TemplateProblem(line, name, f"unknown fact '{name}'; {hint}")
        elif name in HOSTILE and audience != "briefing":
            message = f"'{name}' comes from mentions, so an attacker wrote it: not in this text"
            yield TemplateProblem(line, name, message)
        elif name in MEASURES and audience == "public":
            message = f"'{name}' is our own measure; the public does not need it"
            yield TemplateProblem(line, name, message, "warning")


def _comparisons(tree: nodes.Template) -> Iterator[TemplateProblem]:
    """Only what cannot fail at run time: a number with a number, the severity with its words."""
    for node in tree.find_all(nodes.Compare):
        left, operand = node.expr, node.ops[0]
        name = left.name if isinstance(left, nodes.Name) else None
        right = operand.expr.value if isinstance(operand.expr, nodes.Const) else None
        numeric = name in NUMBERS and type(right) in (int, float) and operand.op not in _MEMBERSHIP
        word = name == "severity" and right in SEVERITIES and operand.op in ("eq", "ne")
        if len(node.ops) != 1 or not (numeric or word):
            message = "compare a number with a number, or severity with " + ", ".join(SEVERITIES)
            yield TemplateProblem(node.lineno, name or "{%", message)


def _unguarded(body: Sequence[nodes.Node], known: frozenset[str]) -> Iterator[TemplateProblem]:
    """Yield facts that may be missing and are written where no condition says they are there."""
    for node in body:
        if isinstance(node, nodes.Output):
            for name in node.find_all(nodes.Name):
                if name.name in OPTIONAL - known:
                    message = f"may be missing: put {{% if {name.name} %}} … {{% endif %}} around"
                    yield TemplateProblem(name.lineno, name.name, f"'{name.name}' {message} it")
        elif isinstance(node, nodes.If):
            rest = known
            for branch in (node, *node.elif_):
                yield from _unguarded(branch.body, rest | _proven(branch.test, True))
                rest |= _proven(branch.test, False)
            yield from _unguarded(node.else_, rest)


def _proven(test: nodes.Node, outcome: bool) -> frozenset[str]:
    """Names that must have a value if ``test`` turned out as ``outcome``."""
    if isinstance(test, nodes.Name):
        return frozenset((test.name,) if outcome else ())
    if isinstance(test, nodes.Not):
        return _proven(test.node, not outcome)
    if isinstance(test, (nodes.And, nodes.Or)):
        left, right = _proven(test.left, outcome), _proven(test.right, outcome)
        return left | right if isinstance(test, nodes.And) == outcome else left & right
    return frozenset()
