"""A link taken apart as a browser would, without any look-up on the network.

After the WHATWG URL Standard (hosts, user information, numbers for addresses) and RFC 3492
(punycode); what belongs to whom under a suffix is told by the Public Suffix List.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from publicsuffixlist import PublicSuffixList

from models.records import Bool

MAX_URL_CHARS = 2048
_MAX_HOST_CHARS, _MAX_LABEL_CHARS = 253, 63  # what a name in the DNS may have (RFC 1035)
_MOST_ENCODED = 5  # labels in punycode that are read, those next to the suffix
_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*:)?[/\\]{2,}|https?:[/\\]*", re.IGNORECASE)
_END = re.compile(r"[/\\?#]")
_PORT = re.compile(r":([0-9]{0,5})\Z")
_ESCAPE = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_NUMBER = re.compile(r"(?:0x[0-9a-f]{1,16}|[0-9]{1,20})\Z")
_NO_HOST = re.compile(r"""[\s"'<>(){}|^`,;!*=&$+~:@%]""")
_DOTS = str.maketrans("。．｡", "...")


class Url(NamedTuple):
    """A link in parts; all lower case but for the path.

    Attributes
    ----------
    user : str
        What stands before an @ in front of the host.
    host : str
        In Unicode, without port; of an address the numbers as they were written.
    suffix : str
        Under which anybody can register: ``co.uk``, ``duckdns.org``.
    label : str
        The label that was registered: ``acme`` in ``www.acme.co.uk``; empty for an address.
    below : tuple of str
        Labels of the subdomain, from left to right.
    port, path
        As written; the path with query and fragment.
    is_address : bool
        Numbers instead of a name.
    is_encoded : bool
        Punycode, percent signs or characters outside ASCII in the host.
    """

    user: str
    host: str
    suffix: str
    label: str
    below: tuple[str, ...]
    port: str
    path: str
    is_address: bool
    is_encoded: bool

    @property
    def domain(self) -> str:
        """The registrable domain, or the host where there is none."""
        return f"{self.label}.{self.suffix}" if self.label and self.suffix else self.host


@lru_cache(1 << 8)  # a link is asked about more than once while it is judged
def parse_url(text: str) -> Url | None:
    """Take a URL or bare host apart; None for what is neither.

    Parameters
    ----------
    text : str
        Anything; beyond 2,048 characters it is cut.

    Examples
    --------
    >>> url = parse_url("https://acme.com:login@login.xn--80ak6aa92e.co.uk/a?b")
    >>> url.user, url.below, url.label, url.suffix, url.path
    ('acme.com:login', ('login',), 'аррӏе', 'co.uk', '/a?b')
    >>> parse_url("not a link") is None
    True
    """
    # browsers drop tabs and line breaks; hidden characters mean nothing in a host
    text = text[:MAX_URL_CHARS].strip()
    if not text.isprintable():
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        text = codes[~_hidden()[codes]].tobytes().decode("utf-32-le")
    scheme = _SCHEME.match(text)
    rest = text[scheme.end() :] if scheme else text
    end = _END.search(rest)
    authority, path = (rest[: end.start()], rest[end.start() :]) if end else (rest, "")
    user, _, host = authority.rpartition("@")
    if not host.startswith("["):
        port = _PORT.search(host)
        host = host[: port.start()] if port else host
        return _named(user.lower(), host, port[1] if port else "", path)
    return _numbers(user.lower(), host.partition("]")[0] + "]", "", path)


@cache
def _hidden() -> Bool:
    """Of each code point whether it is a control, a half or private character, or none."""
    hidden = np.ones(0x110000, dtype=np.bool_)
    hidden[0x20000:0x323B0] = False  # ideographs
    for block in (range(0x20000), range(0xE0000, 0xE0200)):
        hidden[block.start : block.stop] = [
            unicodedata.category(chr(code))[0] == "C" for code in block
        ]
    return hidden


def _named(user: str, written: str, port: str, path: str) -> Url | None:
    host = _ESCAPE.sub(_unescaped, written) if "%" in written else written
    host = (host if host.isascii() else host.translate(_DOTS)).strip(".").lower()
    if not _is_host(host):
        return None
    parts = host.split(".")
    if _NUMBER.match(parts[-1]):
        return _numbers(user, host, port, path)
    host, suffix, label, below = _split(host)
    if len(parts) < 2 and host != "localhost":
        return None
    return Url(user, host, suffix, label, below, port, path, False,
               not written.isascii() or "%" in written or "xn--" in written)  # fmt: skip


def _is_host(host: str) -> bool:
    fits = (
        0 < len(host) <= _MAX_HOST_CHARS and len(max(host.split("."), key=len)) <= _MAX_LABEL_CHARS
    )
    return fits and not _NO_HOST.search(host)


def _numbers(user: str, host: str, port: str, path: str) -> Url:
    return Url(user, host.lower(), "", "", (), port, path, True, False)


def _unescaped(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace")


@lru_cache(1 << 14)
def _split(host: str) -> tuple[str, str, str, tuple[str, ...]]:
    """Host in Unicode, public suffix, the label before it, and the labels below."""
    labels = [label for label in host.split(".") if label]
    encoded = [i for i, label in enumerate(labels) if label.startswith("xn--")]
    for i in encoded[-_MOST_ENCODED:]:
        labels[i] = _decoded(labels[i])
    host = ".".join(labels)
    under = _suffixes().publicsuffix(unicodedata.normalize("NFC", host)) or ""
    size = min(under.count(".") + 1, len(labels)) if under else 0
    if size == len(labels):  # a suffix itself, such as github.io: judged as if registered
        size = max(0, size - 1)
    cut = len(labels) - size
    return host, ".".join(labels[cut:]), labels[cut - 1] if cut else "", tuple(labels[: cut - 1])


def _decoded(label: str) -> str:
    try:
        decoded = label[4:].encode("ascii").decode("punycode").lower()
        decoded.encode()  # half a character is none, and could not be stored
        return decoded or label
    except UnicodeError:
        return label


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()
