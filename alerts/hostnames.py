"""Names of domains, in the form in which two writings of one are equal."""

from __future__ import annotations

import re
import unicodedata

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")
_MOST_CHARS = 253


def ascii_domain(text: str) -> str:
    """A bare domain as the DNS writes it, in small letters; empty if ``text`` is none.

    Examples
    --------
    >>> ascii_domain("Acme.SA"), ascii_domain("أكمي.السعودية"), ascii_domain("acme.sa/help")
    ('acme.sa', 'xn--igb8dgu.xn--mgberp4a5d4ar', '')
    """
    labels = [_label_ascii(label) for label in unicodedata.normalize("NFKC", text).split(".")]
    whole = ".".join(labels)
    if len(whole) > _MOST_CHARS or not all(map(_LABEL.match, labels)) or labels[-1].isdigit():
        return ""
    return whole


def _label_ascii(label: str) -> str:
    """A label as the DNS writes it (RFC 3492), or an empty string when it is none."""
    label = label.lower()
    if len(label) > 63 or not all(c == "-" or unicodedata.category(c)[0] in "LMN" for c in label):
        return ""
    if not label.isascii():
        return "xn--" + label.encode("punycode").decode("ascii")
    if label.startswith("xn--"):
        try:
            label[4:].encode("ascii").decode("punycode")
        except UnicodeError:
            return ""
    return label
