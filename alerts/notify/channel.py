"""What every channel is, and what channels share."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from alerts.notify.content import Content, content, digest, phrases
from alerts.notify.records import Notification
from alerts.playbook.records import LANGUAGES, Bilingual, Language

_MOST_TAKEN = 10_000


class Channel(Protocol):
    """A way to tell people or machines."""

    def send(self, batch: Sequence[Notification]) -> str:
        """Tell one notification in full, or several in one message.

        Parameters
        ----------
        batch : sequence of Notification
            At least one.

        Returns
        -------
        str
            What the receiver said, in a few words.

        Raises
        ------
        DeliveryError
            It did not arrive, or nobody knows.
        """


class Taken:
    """To whom of several a channel got through, so that trying again repeats nothing to them.

    Kept in memory, of the latest messages alone.
    """

    def __init__(self) -> None:
        self._taken: OrderedDict[tuple[str, str], None] = OrderedDict()

    def add(self, whom: str, batch: Sequence[Notification]) -> None:
        """Somebody took a batch."""
        self._taken.update(((whom, told.key), None) for told in batch)
        while len(self._taken) > _MOST_TAKEN:
            self._taken.popitem(last=False)

    def by(self, whom: str, batch: Sequence[Notification]) -> bool:
        """Whether somebody took all of a batch before."""
        return all((whom, told.key) in self._taken for told in batch)


def words(batch: Sequence[Notification]) -> Content:
    """A batch in words: in full if it is one, else a digest."""
    return content(batch[0]) if len(batch) == 1 else digest(batch)


def links_of(shown: Content) -> list[tuple[str, Bilingual, str]]:
    """Buttons of a message: name, label, address."""
    wanted = (
        ("acknowledge", phrases().say("acknowledge"), shown.acknowledge_url),
        ("open", shown.open_label, shown.url),
    )
    return [(name, label, url) for name, label, url in wanted if url is not None]


def one_line(both: Bilingual, languages: Sequence[Language] = LANGUAGES) -> str:
    """Both languages in one line, the receiver's first language first."""
    return " | ".join(getattr(both, language) for language in languages)


def cut(text: str, most: int) -> str:
    """A text of at most so many characters.

    Examples
    --------
    >>> cut("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def cut_utf16(text: str, most: int) -> str:
    """A text of at most so many UTF-16 code units, no character halved.

    Examples
    --------
    >>> cut_utf16("a😀b", 3)
    'a…'
    """
    if len(text.encode("utf-16-le")) // 2 <= most:
        return text
    kept = text.encode("utf-16-le")[: 2 * (most - 1)].decode("utf-16-le", "ignore")
    return kept.rstrip() + "…"


def cut_bytes(text: str, most: int) -> str:
    """A text of at most so many bytes of UTF-8, no character halved.

    Examples
    --------
    >>> cut_bytes("نذير", 7)
    'نذ…'
    """
    if len(text.encode()) <= most:
        return text
    return text.encode()[: most - 3].decode("utf-8", "ignore").rstrip() + "…"
