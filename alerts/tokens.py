"""Bearer tokens: random secrets of which only a hash is kept.

A secret has 256 random bits, so there is nothing to guess and one round of SHA-256 is right: slow
hashes (bcrypt, argon2) exist for passwords that people choose.  It is looked up by its hash: how
long that takes depends on a hash that a caller cannot steer towards a stored one; the hash that
was found is compared in constant time all the same.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets

import msgspec
from sqlalchemy import Connection

from alerts.store import access, audit
from alerts.store.access import Role, TokenRow
from alerts.store.database import Database

PREFIX = "nadhir_"  # so that scanners of repositories find one that was committed
ROLES: tuple[Role, ...] = ("viewer", "responder", "admin")
FIRST = "first-admin"
_NAME = re.compile(r"[a-z0-9][a-z0-9_.@-]{0,62}\Z")
_RESERVED = frozenset(("nadhir",))


class TokenError(ValueError):
    """A token that cannot be made or revoked; the message says why."""


class Bearer(msgspec.Struct, frozen=True, kw_only=True):
    """Whoever a request comes from."""

    name: str
    role: Role

    def may(self, role: Role) -> bool:
        """Whether the role holds what another one may do.

        Examples
        --------
        >>> [Bearer(name="amal", role="responder").may(role) for role in ROLES]
        [True, True, False]
        """
        return ROLES.index(self.role) >= ROLES.index(role)


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Tokens:
    """The tokens of a response database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str, role: Role, *, by: str, now_ms: int) -> str:
        """Make a token; its secret, which is told once.

        Raises
        ------
        TokenError
            If the name is none, or was taken before.
        """
        with self._database.write() as connection:
            return create(connection, name, role, by=by, now_ms=now_ms)

    def create_first(self, *, now_ms: int) -> str | None:
        """The secret of a first admin where there never was a token, else None."""
        with self._database.write() as connection:
            audit.lock(connection)  # replicas start at once; the others see the first one's token
            if access.count_tokens(connection):
                return None
            return create(connection, FIRST, "admin", by="nadhir", now_ms=now_ms)

    def rows(self) -> list[TokenRow]:
        """All tokens, revoked ones too."""
        with self._database.read() as connection:
            return access.list_tokens(connection)

    def revoke(self, name: str, *, by: str, now_ms: int) -> bool:
        """Revoke a token at once; False if there is none to revoke.

        Raises
        ------
        TokenError
            If no administrator would be left.
        """
        with self._database.write() as connection:
            return revoke(connection, name, by=by, now_ms=now_ms)

    def bearer(self, secret: str) -> Bearer | None:
        """Whose secret it is; None if it opens nothing."""
        shown = digest(secret)
        with self._database.read() as connection:
            found = access.token_by_digest(connection, shown)
        if found is None or not hmac.compare_digest(found[1], shown):
            return None
        row = found[0]
        return None if row.revoked_ms is not None else Bearer(name=row.name, role=row.role)


def create(connection: Connection, name: str, role: Role, *, by: str, now_ms: int) -> str:
    """Make a token in the caller's transaction; see `Tokens.create`."""
    if not _NAME.match(name) or name in _RESERVED:
        raise TokenError(f"{name!r} cannot name a token; write 1 to 63 of a-z, 0-9, _ . @ and -")
    secret = PREFIX + secrets.token_urlsafe(32)
    row = TokenRow(name=name, role=role, created_ms=now_ms, created_by=by, revoked_ms=None)
    audit.lock(connection)
    if not access.add_token(connection, row, digest(secret)):
        raise TokenError(f"there was a token {name} before; the audit trail goes by names")
    details = {"token": name, "role": role}
    audit.append(connection, at_ms=now_ms, actor=by, action="token_created", details=details)
    return secret


def revoke(connection: Connection, name: str, *, by: str, now_ms: int) -> bool:
    """Revoke a token in the caller's transaction; see `Tokens.revoke`."""
    audit.lock(connection)
    rows = [row for row in access.list_tokens(connection) if row.revoked_ms is None]
    admins = [row.name for row in rows if row.role == "admin"]
    if admins == [name]:
        raise TokenError(f"{name} is the last administrator; make another one first")
    if not access.revoke_token(connection, name, now_ms):
        return False
    details = {"token": name}
    audit.append(connection, at_ms=now_ms, actor=by, action="token_revoked", details=details)
    return True
