"""The kinds of value a setting can hold, each with the sentence that refuses a bad one.

A validator raises ``ValueError`` with what is wrong and, as second argument, what to do; between
the two :mod:`streams.config.messages` puts the bad value, unless it is secret.
"""

from __future__ import annotations

import re
import unicodedata
import zoneinfo
from collections.abc import Hashable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, Strict

from alerts.hostnames import ascii_domain
from models.records import Author, Engagement, Mention
from streams.config.problems import did_you_mean, printable

Item = TypeVar("Item", bound=Hashable)
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Language = Literal["ar", "en"]
Switch = Annotated[bool, Strict()]
WholeNumber = Annotated[int, Strict()]

MAX_TEXT_CHARS = 200
MAX_ITEMS = 1_000
MAX_BRANDS = 10_000

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\Z")
_HANDLE = re.compile(r"@?[\w.-]{1,100}\Z")
_URL = re.compile(r"https?://[^\s/?#@:]+(?::[0-9]{1,5})?(?:[/?#]\S*)?\Z", re.IGNORECASE)
_URL_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)?//(?:[^/@]*@)?([^/?#:@\s]+)")
_PREFIX = re.compile(r"[a-zA-Z0-9._-]{0,40}\Z")
_INSTANCE = re.compile(r"[a-zA-Z0-9._-]{1,200}\Z")
_PLATFORM = re.compile(r"[\w.-]{1,64}\Z")
_MAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@[^\s@<>()\[\],;:\\\"]{1,253}\Z")
_CLOCK = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]\Z")


def _line(text: str, limit: int = MAX_TEXT_CHARS) -> str:
    if not text.strip():
        raise ValueError("must not be blank", "write a value or leave the entry out")
    if len(text) > limit:
        raise ValueError(f"must have at most {limit} characters, not {len(text)}")
    if any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in text):
        raise ValueError("must be one line without control characters")
    return text


def _text(text: str) -> str:
    return _line(text)


def _id(text: str) -> str:
    if not _ID.match(text):
        raise ValueError(
            "must be 1 to 63 of a-z, 0-9, _ and -, and start with a letter or digit",
            "write a short one in small Latin letters",
        )
    return text


def _handle(text: str) -> str:
    if "/" in text:
        raise ValueError("is an address", "write the handle alone")
    if not _HANDLE.match(text):
        raise ValueError("must be a handle: letters, digits, _ . and -, without spaces")
    return text


def _platform(text: str) -> str:
    if not _PLATFORM.match(text):
        raise ValueError("must be a platform's short name without spaces, such as x")
    return text


def _prefix(text: str) -> str:
    if not _PREFIX.match(text):
        raise ValueError("must be at most 40 of a-z, A-Z, 0-9, . _ and -")
    return text


def _instance(text: str) -> str:
    if not _INSTANCE.match(text):
        raise ValueError("must be 1 to 200 of a-z, A-Z, 0-9, . _ and -")
    return text


def _host_port(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or "/" in text or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError("must be host:port, such as 127.0.0.1:9092")
    return _line(text)


def _url(text: str) -> str:
    if not _URL.match(_line(text, 2_048)):
        raise ValueError("must be a web address such as https://acme.sa/help")
    return text


def _secret_url(secret: SecretStr) -> SecretStr:
    value = _secret(secret).get_secret_value()
    if not _URL.match(value):
        raise ValueError("must be a web address that starts with https://")
    return secret


def _mail_address(text: str) -> str:
    if not _MAIL.match(_line(text)):
        raise ValueError("must be an e-mail address such as oncall@acme.sa, without a name")
    return text


def _clock_time(text: str) -> str:
    if not _CLOCK.match(text):
        raise ValueError("must be a time such as 22:00")
    return text


def domain_ascii(text: str) -> str:
    """A domain in the form in which two writings of it are equal.

    Raises
    ------
    ValueError
        When ``text`` is not a bare domain; the message says what it is instead.

    Examples
    --------
    >>> domain_ascii("Acme.SA"), domain_ascii("أكمي.السعودية")
    ('acme.sa', 'xn--igb8dgu.xn--mgberp4a5d4ar')
    """
    url = _URL_HOST.match(text)
    if url:
        raise ValueError("is a URL", f"write its domain alone: {printable(url[1])}")
    if "/" in text:
        raise ValueError("holds a path", "write the domain alone, nothing after a /")
    if "@" in text:
        raise ValueError("is a mail address or handle", "write the domain alone")
    if text.startswith("*."):
        raise ValueError("is a pattern", "write the domain without *.")
    if re.search(r":[0-9]*\Z", text):
        raise ValueError("holds a port", "write the domain alone")
    ascii_form = ascii_domain(text)
    if not ascii_form:
        raise ValueError("must be a domain such as acme.com")
    if "." not in ascii_form:
        raise ValueError("must be a domain with its ending, such as acme.com")
    return ascii_form


def _domain(text: str) -> str:
    domain_ascii(text)
    return text


@cache
def _timezones() -> dict[str, None]:
    return dict.fromkeys(sorted(zoneinfo.available_timezones()))


def _timezone(text: str) -> str:
    zones = _timezones()
    if text not in zones:
        cities = {zone.rpartition("/")[2].lower(): zone for zone in zones}
        same_city = cities.get(text.strip().replace(" ", "_").lower())
        near = f"did you mean {same_city}?" if same_city else did_you_mean(text, zones)
        raise ValueError("must be an IANA time zone such as Asia/Riyadh", near)
    return text


def _iso_date(text: str) -> str:
    try:
        if date.fromisoformat(text).isoformat() == text:
            return text
    except ValueError:
        pass
    raise ValueError("must be a date such as 2026-03-20")


def _token(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not 1 <= len(value) <= 512 or not all("!" <= c <= "~" for c in value):
        raise ValueError("must be 1 to 512 visible ASCII characters without spaces")
    return secret


def _secret(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not 1 <= len(value) <= 512 or not value.isprintable():
        raise ValueError("must be 1 to 512 characters in one line")
    return secret


def file_path(value: object) -> object:
    """A path as it may stand in a setting; what is not text is left for the schema to refuse."""
    return _line(value, 4_096) if isinstance(value, str) else value


def _time_format(text: str) -> str:
    sample = datetime(2024, 3, 14, 15, 9, 26, tzinfo=UTC)
    try:
        parsed = datetime.strptime(sample.strftime(text), text)  # noqa: DTZ007
    except (ValueError, re.error):
        raise ValueError(
            "must be a format that Python's strptime can read, such as %d/%m/%Y %H:%M"
        ) from None
    if (parsed.year, parsed.month, parsed.day) != (2024, 3, 14):
        raise ValueError("must hold year, month and day, such as %d/%m/%Y %H:%M")
    return text


def _delimiter(text: str) -> str:
    if text == r"\t":
        raise ValueError("is two characters", 'write a tab in double quotes: "\\t"')
    if len(text) != 1 or text.isalnum() or text in "\"'\n\r" or (text < " " and text != "\t"):
        raise ValueError('must be one character such as "," or ";" or "\\t"')
    return text


MENTION_FIELDS = tuple(
    dotted
    for name in Mention.__struct_fields__
    for dotted in (
        [f"author.{part}" for part in Author.__struct_fields__]
        if name == "author"
        else [f"engagement.{part}" for part in Engagement.__struct_fields__]
        if name == "engagement"
        else [name]
    )
)


def _encoding(text: str) -> str:
    try:
        same = '"a",\n'.encode(text) == b'"a",\n'
    except (LookupError, ValueError):
        same = False
    if not same:
        raise ValueError(
            "must be an encoding that holds ASCII as it is, such as utf-8 or windows-1256"
        )
    return text


def _mention_field(text: str) -> str:
    if text not in MENTION_FIELDS:
        raise ValueError(
            "is no field of a mention", did_you_mean(text, MENTION_FIELDS) or _FIELDS_ARE
        )
    return text


_FIELDS_ARE = f"the fields are {', '.join(MENTION_FIELDS)}"


def _filled(items: tuple[Item, ...]) -> tuple[Item, ...]:
    """For ``min_length``, which pydantic also calls broken when an entry is."""
    if not items:
        raise ValueError("must hold at least one entry")
    return items


def _distinct(items: tuple[Item, ...]) -> tuple[Item, ...]:
    if len(set(items)) < len(items):
        raise ValueError("must not hold an entry twice")
    return items


def _section(value: Any) -> Any:
    return {} if value is None else value  # every key under it is commented out


Text = Annotated[str, AfterValidator(_text)]
Identifier = Annotated[str, AfterValidator(_id)]
Handle = Annotated[str, AfterValidator(_handle)]
Platform = Annotated[str, AfterValidator(_platform)]
Url = Annotated[str, AfterValidator(_url)]
TopicPrefix = Annotated[str, AfterValidator(_prefix)]
InstanceName = Annotated[str, AfterValidator(_instance)]
HostPort = Annotated[str, AfterValidator(_host_port)]
Domain = Annotated[str, AfterValidator(_domain)]
IsoDate = Annotated[str, AfterValidator(_iso_date)]
TimeZone = Annotated[str, AfterValidator(_timezone)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
SecretUrl = Annotated[SecretStr, AfterValidator(_secret_url)]
Token = Annotated[SecretStr, AfterValidator(_token)]
MailAddress = Annotated[str, AfterValidator(_mail_address)]
ClockTime = Annotated[str, AfterValidator(_clock_time)]
FilePath = Annotated[Path, BeforeValidator(file_path)]
TimeFormat = Annotated[str, AfterValidator(_time_format)]
Delimiter = Annotated[str, AfterValidator(_delimiter)]
Encoding = Annotated[str, AfterValidator(_encoding)]
MentionField = Annotated[str, AfterValidator(_mention_field)]
Items = Annotated[tuple[Item, ...], Field(max_length=MAX_ITEMS)]
Distinct = Annotated[tuple[Item, ...], AfterValidator(_distinct)]
Filled = AfterValidator(_filled)
Section = Annotated[Item, BeforeValidator(_section)]
