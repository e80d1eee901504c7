"""E-mail: HTML and plain text, both languages, over SMTP.

Messages about one alert are one thread: its first has an id derived from the alert, all others
refer to it.  The id of a message comes from its key, so that a second delivery can be told as one.
"""

from __future__ import annotations

import hashlib
import re
import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import Any, Literal

import msgspec

from alerts.notify.address import Resolve, allowed_addresses, resolve, tries
from alerts.notify.channel import Taken, cut, words
from alerts.notify.content import Content, phrases, plain, severity_word
from alerts.notify.errors import DeliveryError
from alerts.notify.records import Notification
from alerts.playbook.records import LANGUAGES, Language
from alerts.playbook.text import strip_controls
from alerts.show.page import environment

_SUBJECT_CHARS = 200
_MOST_PEOPLE = 100
_ADDRESS_CHARS = 254
_ADDRESS = re.compile(r"([^\s@<>()\[\],;:\\\"\x00-\x1f]+)@([^\s@<>()\[\],;:\\\"\x00-\x1f]+)")


class MailSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The server, the sender and who gets it."""

    name: str
    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    to: tuple[str, ...]
    username: str | None = None
    password: str | None = None
    ca_file: str | None = None
    allow_private: bool = False
    timeout_s: float = 10.0
    languages: tuple[Language, ...] = LANGUAGES


class Mail:
    """Sends e-mail.

    Parameters
    ----------
    settings : MailSettings
    resolver : callable, optional
        Addresses of a host and port.
    """

    def __init__(self, settings: MailSettings, resolver: Resolve = resolve) -> None:
        self._settings = settings
        self._resolver = resolver
        self._taken = Taken()

    def send(self, batch: Sequence[Notification]) -> str:
        """Send one message to all recipients who have not taken it yet."""
        message = message_of(batch, self._settings)
        everybody = [address.addr_spec for address in message["to"].addresses]
        people = [person for person in everybody if not self._taken.by(person, batch)]
        if not people:  # all of them took it, and nobody heard of it
            return f"recipients: {len(everybody)}"
        try:
            with closing(self._connected()) as server:
                refused = server.send_message(message, to_addrs=people)
                _quit(server)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise DeliveryError(
                f"every recipient was refused ({min(codes)})", retry=any(c < 500 for c in codes)
            ) from None
        except smtplib.SMTPResponseException as error:
            raise DeliveryError(
                f"the mail server answered {error.smtp_code}", retry=error.smtp_code < 500
            ) from None
        except smtplib.SMTPNotSupportedError:
            raise DeliveryError("the mail server lacks what is asked of it", retry=False) from None
        except ssl.SSLError as error:
            raise DeliveryError(f"no secure connection ({error.reason})", retry=True) from None
        except (smtplib.SMTPException, OSError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise DeliveryError(f"no connection to the server ({reason})", retry=True) from None
        for person in people:
            if person not in refused:
                self._taken.add(person, batch)
        if refused:  # whoever took it is passed over when it is tried, or replayed, again
            codes = [code for code, _ in refused.values()]
            told = len(everybody) - len(refused)
            raise DeliveryError(
                f"recipients: {told}, refused: {len(refused)} ({min(codes)})",
                retry=any(code < 500 for code in codes),
            )
        return f"recipients: {len(everybody)}"

    def _connected(self) -> smtplib.SMTP:
        settings = self._settings
        addresses = allowed_addresses(
            settings.host,
            settings.port,
            allow_private=settings.allow_private,
            resolver=self._resolver,
        )
        context = None
        if settings.security != "none":
            context = ssl.create_default_context(cafile=settings.ca_file)
        wrap = context if settings.security == "tls" else None
        server = _Pinned(settings.host, settings.port, addresses, wrap, settings.timeout_s)
        try:
            if settings.security == "starttls":
                server.starttls(context=context)
            if settings.username is not None:
                server.login(settings.username, settings.password or "")
        except BaseException:
            server.close()
            raise
        return server


class _Pinned(smtplib.SMTP):
    """A connection to addresses that were judged before; the certificate is that of the name."""

    def __init__(
        self,
        host: str,
        port: int,
        addresses: Sequence[str],
        context: ssl.SSLContext | None,
        timeout_s: float,
    ) -> None:
        self._addresses = addresses
        self._wrap = context
        super().__init__(host, port, timeout=timeout_s)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        failed: OSError | None = None
        for address, connect_s in tries(self._addresses, timeout):
            try:
                plain_socket = socket.create_connection((address, port), connect_s)
            except OSError as error:
                failed = error
                continue
            plain_socket.settimeout(timeout)
            if self._wrap is None:
                return plain_socket
            return self._wrap.wrap_socket(plain_socket, server_hostname=host)
        raise failed or OSError("no address")


def message_of(batch: Sequence[Notification], settings: MailSettings) -> EmailMessage:
    """A batch as a message.

    Parameters
    ----------
    batch : sequence of Notification
    settings : MailSettings

    Raises
    ------
    DeliveryError
        If an address is none.
    """
    shown, first = words(batch), batch[0]
    sender = _address(settings.sender)
    message = EmailMessage(policy=SMTP_POLICY)
    name = one_sender(settings.languages)
    message["From"] = Address(name, sender.username, sender.domain)
    message["To"] = _recipients(first.to if len(batch) == 1 else (), settings.to)
    message["Subject"] = cut(header_text(_of(shown.subject, settings)), _SUBJECT_CHARS)
    message["Date"] = format_datetime(datetime.fromisoformat(first.at))
    _thread(message, batch, sender.domain)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if shown.mark:
        message["X-Nadhir-Mark"] = "drill" if first.drill else "test"
    message.set_content("\n\n".join(_text(shown, settings)) + "\n", cte="base64")
    message.add_alternative(html_of(batch, shown, settings), subtype="html", cte="base64")
    return message


def html_of(batch: Sequence[Notification], shown: Content, settings: MailSettings) -> str:
    """The HTML part: nothing is loaded from elsewhere, every value is escaped."""
    alert = batch[0].alert if len(batch) == 1 else None
    ended = alert is not None and batch[0].why == "resolved"
    rank = ("watch", "warning", "critical")
    worst = max((told.alert.severity for told in batch), key=rank.index)
    footer = phrases().say("why_you", {"receiver": settings.name})
    badge = None
    if alert is not None:
        word = severity_word(alert)
        badge = {each: f"{getattr(word, each)} {alert.score}/100" for each in LANGUAGES}
    return (
        environment()
        .get_template("mail.html.j2")
        .render(
            shown=_builtin(shown),
            tone="calm" if ended else worst,
            badge=badge,
            languages=settings.languages,
            say=_say,
            footer=msgspec.to_builtins(footer),
        )
    )


def header_text(text: str) -> str:
    """Text as it may stand in a header: one line, nothing that steers, no encoded word.

    Python decodes encoded words (RFC 2047) where a header is set, line breaks in them too.

    Examples
    --------
    >>> header_text("a\\r\\nBcc: x@evil.example =?utf-8?q?=0d=0aBcc:_y?=")
    'a Bcc: x@evil.example = ?utf-8?q?=0d=0aBcc:_y?='
    """
    return strip_controls(text).replace("=?", "= ?")


def one_sender(languages: Sequence[Language]) -> str:
    """The name of the sender, in the receiver's languages."""
    name = phrases().say("sender")
    return " · ".join(getattr(name, each) for each in languages)


def _thread(message: EmailMessage, batch: Sequence[Notification], domain: str) -> None:
    """Say which message this is, and which thread it belongs to."""
    first = batch[0]
    root = _message_id(f"thread:{first.receiver}:{first.alert.id}", domain)
    if len(batch) == 1 and first.why == "opened":
        message["Message-ID"] = root
        return
    keys = "\n".join(told.key for told in batch)
    message["Message-ID"] = _message_id(keys, domain)
    message["In-Reply-To"] = root
    message["References"] = root


def _message_id(text: str, domain: str) -> str:
    return f"<{hashlib.sha256(text.encode()).hexdigest()[:40]}@{domain}>"


def _recipients(people: Sequence[str], everybody: Sequence[str]) -> tuple[Address, ...]:
    """People whom an escalation names by addresses, else everybody: a name alone reaches nobody."""
    named = [person for person in people if _is_address(person)]
    return tuple(_address(person) for person in (named or everybody)[:_MOST_PEOPLE])


def _is_address(text: str) -> bool:
    """Whether it is an address alone, without a line break or a second one in it."""
    shaped = _ADDRESS.fullmatch(text) is not None
    return shaped and len(text) <= _ADDRESS_CHARS and text == strip_controls(text)


def _address(text: str) -> Address:
    if not _is_address(text):
        raise DeliveryError("not an e-mail address", retry=False)
    username, _, domain = text.partition("@")
    return Address(username=username, domain=domain)


def _text(shown: Content, settings: MailSettings) -> list[str]:
    return ["\n".join(plain(shown, language)) for language in settings.languages]


def _of(both: Any, settings: MailSettings) -> str:
    text: str = getattr(both, settings.languages[0])
    return text


def _say(key: str) -> dict[str, str]:
    found: dict[str, str] = msgspec.to_builtins(phrases().say(key))
    return found


def _builtin(shown: Content) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(shown)
    return found


def _quit(server: smtplib.SMTP) -> None:
    """Say goodbye; the message was taken before."""
    try:
        server.quit()
    except (smtplib.SMTPException, OSError):
        return
