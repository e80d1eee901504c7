"""Message catalogues of the console: ``python -m tools.messages`` brings them up to what is used.

Texts that are new come without a translation, which a test then asks for; texts that nothing uses
any more are dropped.
"""

from __future__ import annotations

from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from alerts.console import language

CONSOLE = Path(language.__file__).parent
_METHODS = [("**/*.py", "python"), ("**/*.j2", "jinja2")]
_OPTIONS = {"**/*.j2": {"trimmed": "true", "silent": "false"}}
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
_WIDTH = 100


def used() -> Catalog:
    """Every text that templates and code of the console show."""
    catalog = Catalog(project="nadhir", charset="utf-8")
    for file, _, message, comments, _ in extract_from_dir(
        CONSOLE, _METHODS, _OPTIONS, keywords=_KEYWORDS
    ):
        catalog.add(message, locations=[(file, 0)], auto_comments=comments)
    return catalog


def held(path: Path) -> Catalog:
    """A catalogue as it is in its file."""
    with path.open("rb") as file:
        return read_po(file, locale=path.stem)


def untranslated(catalog: Catalog) -> list[str]:
    """Texts that a catalogue does not say, or not in all numbers."""
    found = []
    for message in catalog:
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        if message.id and not all(strings):
            found.append(str(message.id))
    return found


def bring_up(path: Path) -> None:
    """Add what is new to a catalogue, and drop what nothing uses."""
    catalog = held(path)
    catalog.update(used(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    with path.open("wb") as file:
        # no header: it would hold the moment of writing, over which every merge would stumble
        write_po(file, catalog, width=_WIDTH, no_location=True, sort_output=True, omit_header=True)


def main() -> None:
    """Bring up every catalogue and say what is still to be translated."""
    for path in sorted(language.FOLDER.glob("*.po")):
        bring_up(path)
        for text in untranslated(held(path)):
            print(f"{path.name}: {text}")


if __name__ == "__main__":
    main()
