"""Signed acknowledge links for mail and chat: of single use, and only for the call they came with.

The signature covers everything in the link.  That it was used is remembered by the database, so a
copy opens nothing; opening it shows a page and changes nothing, since previews of links do that.
"""

from __future__ import annotations

import hashlib
import secrets

import msgspec
from itsdangerous import BadData, URLSafeSerializer

LIFE_MS = 24 * 3_600_000
_SALT = "nadhir.acknowledge"
_MOST_CHARS = 1_000


class Link(msgspec.Struct, frozen=True, array_like=True):
    """What a link says: which alert, as of which version, sent to whom."""

    alert: str
    version: int
    receiver: str
    expires_ms: int
    nonce: str


class BadLink(Exception):
    """A link that opens nothing; ``why`` is forged or expired."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the link is {why}")
        self.why = why


class Links:
    """Makes and reads links.

    Parameters
    ----------
    secret : bytes
        Of the response database, so that every replica reads the links of the others.
    base_url : str or None
        Where people reach the API and the console; None makes no links.

    Examples
    --------
    >>> links = Links(b"0" * 32, "https://nadhir.example")
    >>> token = links.url("a-1", 3, "mail", now_ms=0).rpartition("/")[2]
    >>> links.read(token, now_ms=1000).alert
    'a-1'
    """

    def __init__(self, secret: bytes, base_url: str | None) -> None:
        self.base_url = base_url and base_url.rstrip("/")
        self._serializer = URLSafeSerializer(
            secret, salt=_SALT, signer_kwargs={"digest_method": hashlib.sha256}
        )

    def url(self, alert: str, version: int, receiver: str, *, now_ms: int) -> str | None:
        """A new link, or None where nobody could reach it."""
        if self.base_url is None:
            return None
        return f"{self.base_url}/ack/{self.token(alert, version, receiver, now_ms=now_ms)}"

    def token(self, alert: str, version: int, receiver: str, *, now_ms: int) -> str:
        """The signed part of a link."""
        link = Link(alert, version, receiver, now_ms + LIFE_MS, secrets.token_urlsafe(12))
        return str(self._serializer.dumps(msgspec.to_builtins(link)))

    def alert_url(self, alert: str) -> str | None:
        """Where people find the alert itself: its page of the console."""
        return None if self.base_url is None else f"{self.base_url}/alerts/{alert}"

    def list_url(self) -> str | None:
        """Where people find all alerts that are open: a page of the console."""
        return None if self.base_url is None else f"{self.base_url}/history?state=open"

    def read(self, token: str, *, now_ms: int) -> Link:
        """What a link says.

        Raises
        ------
        BadLink
            If we did not sign it, or its time is over.
        """
        if len(token) > _MOST_CHARS:
            raise BadLink("forged")
        try:
            link = msgspec.convert(self._serializer.loads(token), Link)
        except (BadData, msgspec.ValidationError):
            raise BadLink("forged") from None
        if now_ms >= link.expires_ms:
            raise BadLink("expired")
        return link
