"""The one HTTP client of all channels."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ssl import SSLContext, SSLError

import httpx

from alerts.notify.address import Resolve, allowed_addresses, resolve, tries
from alerts.notify.errors import DeliveryError

_MOST_ANSWER_BYTES = 65_536
_SHOWN_CHARS = 200
_RETRIED = (408, 425, 429)
_LONGEST_WAIT_S = 86_400.0
_USER_AGENT = "nadhir"


class Answer:
    """What a receiver answered: a status of 2xx, and the start of the body."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body


class Sender:
    """Posts to receivers: timeouts, no redirects, no proxies, no addresses that are forbidden.

    Parameters
    ----------
    allow_private : bool
        Whether private, loopback and link-local addresses are allowed.
    timeout_s : float
        For connecting to all of its addresses, for each read and write, and for the whole body.
    resolver : callable, optional
        Addresses of a host and port.
    ca_file : str, optional
        Certificates (PEM) that are trusted beside the public ones.
    """

    def __init__(
        self,
        *,
        allow_private: bool,
        timeout_s: float,
        resolver: Resolve = resolve,
        ca_file: str | None = None,
    ) -> None:
        self._allow_private = allow_private
        self._timeout_s = timeout_s
        self._resolver = resolver
        # its lines name whole addresses, and some of them hold a token
        for noisy in ("httpx", "httpcore"):
            logging.getLogger(noisy).setLevel(logging.WARNING)
        self._client = httpx.Client(
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
            headers={"user-agent": _USER_AGENT},
            verify=_trusted(ca_file),
        )

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        auth: tuple[str, str] | None = None,
    ) -> Answer:
        """Post a body.

        Raises
        ------
        DeliveryError
            On any answer but 2xx, and if there is none.  Its text never holds the address, which
            may be a secret.
        """
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL:
            raise DeliveryError("the address is no web address", retry=False) from None
        if target.scheme not in ("http", "https") or not target.host:
            raise DeliveryError("the address is neither http nor https", retry=False)
        port = target.port or (443 if target.scheme == "https" else 80)
        addresses = allowed_addresses(
            target.raw_host.decode("ascii").strip("[]"),
            port,
            allow_private=self._allow_private,
            resolver=self._resolver,
        )
        failed: DeliveryError | None = None
        for address, connect_s in tries(addresses, self._timeout_s):
            timeout = httpx.Timeout(self._timeout_s, connect=connect_s)
            try:
                return self._post_to(address, target, body, headers, auth, timeout)
            except httpx.ConnectError as error:
                failed = DeliveryError(_connection(error), retry=True)
            except httpx.ConnectTimeout:
                failed = DeliveryError("no connection in time", retry=True)
        assert failed is not None
        raise failed

    def close(self) -> None:
        """Close its connections."""
        self._client.close()

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _post_to(
        self,
        address: str,
        target: httpx.URL,
        body: bytes,
        headers: Mapping[str, str],
        auth: tuple[str, str] | None,
        timeout: httpx.Timeout,
    ) -> Answer:
        """To one address; certificate and Host are those of the name."""
        request = self._client.build_request(
            "POST",
            target.copy_with(host=address),
            content=body,
            headers={**headers, "host": target.netloc.decode("ascii")},
            extensions={"sni_hostname": target.raw_host.decode("ascii")},
            timeout=timeout,
        )
        try:
            answer = self._client.send(request, stream=True, auth=auth or httpx.USE_CLIENT_DEFAULT)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise  # the next address is tried
        except httpx.TimeoutException as error:
            raise DeliveryError(f"no answer in time ({type(error).__name__})", retry=True) from None
        except httpx.HTTPError as error:
            reason = f"the connection broke ({type(error).__name__})"
            raise DeliveryError(reason, retry=True) from None
        try:
            start = self._read(answer)
        finally:
            answer.close()
        _judge(answer, start)
        return Answer(answer.status_code, start)

    def _read(self, answer: httpx.Response) -> bytes:
        """The start of the body; one that drips ends in time."""
        start, end = b"", time.monotonic() + self._timeout_s
        try:
            for chunk in answer.iter_raw():
                start += chunk
                if len(start) >= _MOST_ANSWER_BYTES or time.monotonic() > end:
                    break
        except httpx.HTTPError:
            pass  # the status has said whether it was taken
        return start[:_MOST_ANSWER_BYTES]


def _trusted(ca_file: str | None) -> SSLContext | bool:
    if ca_file is None:
        return True
    context = httpx.create_ssl_context(trust_env=False)
    try:
        context.load_verify_locations(ca_file)
    except OSError as error:  # of which SSLError is one
        reason = error.strerror or "no certificate in it"
        raise DeliveryError(f"{ca_file}: cannot be read ({reason})", retry=False) from None
    return context


def _judge(answer: httpx.Response, start: bytes) -> None:
    status = answer.status_code
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        raise DeliveryError(f"answered {status}; redirects are not followed", retry=False)
    text = start.decode("utf-8", "replace")[:_SHOWN_CHARS]
    shown = "".join(c if c.isprintable() else " " for c in text).strip()
    raise DeliveryError(
        f"answered {status}{f': {shown}' if shown else ''}",
        retry=status >= 500 or status in _RETRIED,
        retry_after_s=_retry_after_s(answer.headers.get("retry-after")),
    )


def _retry_after_s(header: str | None) -> float | None:
    """``Retry-After`` (RFC 9110, section 10.2.3): seconds or a date."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return min(float(header), _LONGEST_WAIT_S)
    try:
        wait = (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(wait, 0.0), _LONGEST_WAIT_S)


def _connection(error: httpx.ConnectError) -> str:
    cause = error.__cause__ or error.__context__
    while cause is not None and not isinstance(cause, OSError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, SSLError):
        return f"no secure connection ({cause.reason or 'TLS'})"
    return f"no connection ({cause.strerror if cause and cause.strerror else 'refused'})"
