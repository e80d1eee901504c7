"""Who may enter, and what must not be done twice: tokens, idempotency keys, used links, secrets."""

from __future__ import annotations

import secrets as randomness
from typing import Literal

import msgspec
from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from alerts.store.tables import idempotency, secrets, tokens, used_links

Role = Literal["viewer", "responder", "admin"]
_SECRET_BYTES = 32


class TokenRow(msgspec.Struct, frozen=True, kw_only=True):
    """A token without its secret."""

    name: str
    role: Role
    created_ms: int
    created_by: str
    revoked_ms: int | None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The answer that was given to an idempotency key."""

    fingerprint: str
    status: int
    version: int | None
    body: bytes


_TOKEN = [tokens.c[name] for name in TokenRow.__struct_fields__]


def add_token(connection: Connection, row: TokenRow, digest: str) -> bool:
    """Keep a token; False if the name was ever taken: audit rows go by it."""
    if connection.execute(select(tokens.c.name).where(tokens.c.name == row.name)).first():
        return False
    connection.execute(tokens.insert().values(**msgspec.structs.asdict(row), hash=digest))
    return True


def token_by_digest(connection: Connection, digest: str) -> tuple[TokenRow, str] | None:
    """The token with a hash, and that hash."""
    row = connection.execute(select(*_TOKEN, tokens.c.hash).where(tokens.c.hash == digest)).first()
    if row is None:
        return None
    held = dict(row._mapping)
    digest = held.pop("hash")
    return TokenRow(**held), digest


def token_by_name(connection: Connection, name: str) -> TokenRow | None:
    """The token of a name; names are never taken twice."""
    row = connection.execute(select(*_TOKEN).where(tokens.c.name == name)).first()
    return None if row is None else TokenRow(**row._mapping)


def list_tokens(connection: Connection) -> list[TokenRow]:
    """All tokens, revoked ones too, by name."""
    return [TokenRow(**r._mapping) for r in connection.execute(select(*_TOKEN).order_by("name"))]


def count_tokens(connection: Connection) -> int:
    """Number of tokens, revoked ones too."""
    return int(connection.execute(select(func.count()).select_from(tokens)).scalar_one())


def revoke_token(connection: Connection, name: str, now_ms: int) -> bool:
    """Revoke a token; False if there is none of that name that still opens anything."""
    here = (tokens.c.name == name) & tokens.c.revoked_ms.is_(None)
    done = connection.execute(tokens.update().where(here).values(revoked_ms=now_ms))
    return bool(done.rowcount)


def kept(connection: Connection, owner: str, key: str) -> Kept | None:
    """What was answered to a key."""
    columns = [idempotency.c[name] for name in Kept.__struct_fields__]
    here = (idempotency.c.owner == owner) & (idempotency.c.key == key)
    row = connection.execute(select(*columns).where(here)).first()
    return None if row is None else Kept(**row._mapping)


def reserve(connection: Connection, owner: str, key: str, fingerprint: str, now_ms: int) -> bool:
    """Take a key in the caller's transaction; False if it is taken.

    Of two transactions at once the second waits here until the first has ended.
    """
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    values = {"owner": owner, "key": key, "fingerprint": fingerprint, "at_ms": now_ms}
    statement = make(idempotency).values(**values, status=0, version=None, body=b"")
    done = connection.execute(statement.on_conflict_do_nothing().returning(idempotency.c.key))
    return done.first() is not None


def keep(connection: Connection, owner: str, key: str, answer: Kept) -> None:
    """Remember the answer to a key that was taken."""
    here = (idempotency.c.owner == owner) & (idempotency.c.key == key)
    connection.execute(idempotency.update().where(here).values(**msgspec.structs.asdict(answer)))


def use_link(connection: Connection, nonce: str, now_ms: int) -> bool:
    """Use up a link in the caller's transaction; False if it was used before."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(used_links).values(nonce=nonce, at_ms=now_ms).on_conflict_do_nothing()
    return connection.execute(statement.returning(used_links.c.nonce)).first() is not None


def link_used(connection: Connection, nonce: str) -> bool:
    """Whether a link was used, or a session ended."""
    query = select(used_links.c.nonce).where(used_links.c.nonce == nonce)
    return connection.execute(query).first() is not None


def secret(connection: Connection, name: str) -> bytes:
    """A random secret of this database, made when it is first asked for."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    value = randomness.token_bytes(_SECRET_BYTES)
    connection.execute(make(secrets).values(name=name, value=value).on_conflict_do_nothing())
    query = select(secrets.c.value).where(secrets.c.name == name)
    return bytes(connection.execute(query).scalar_one())
