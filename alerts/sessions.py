"""Sessions of the console: a signed, short-lived statement of whose token was shown.

The secret of the token is not in it.  What it says is checked each time against the token of that
name, so that revoking one ends its sessions at once; logging out uses up the session's nonce, as
following a link uses up the link's.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

import msgspec
from itsdangerous import BadData, URLSafeSerializer

from alerts.store import access
from alerts.store.database import Database
from alerts.tokens import Bearer

LIFE_MS = 12 * 3_600_000  # a shift; used nonces are kept for longer
_SALT = "nadhir.session"
_MOST_CHARS = 1_000


class Session(msgspec.Struct, frozen=True, array_like=True):
    """Who logged in, until when."""

    token: str
    expires_ms: int
    nonce: str


class Sessions:
    """Begins, reads and ends sessions.

    Parameters
    ----------
    database : Database
        Its secret signs, so that every replica reads the sessions of the others.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        with database.write() as connection:
            self._secret = access.secret(connection, "sessions")
        self._serializer = URLSafeSerializer(
            self._secret, salt=_SALT, signer_kwargs={"digest_method": hashlib.sha256}
        )

    def begin(self, bearer: Bearer, *, now_ms: int) -> str:
        """A new session, as its cookie holds it."""
        session = Session(bearer.name, now_ms + LIFE_MS, secrets.token_urlsafe(12))
        return str(self._serializer.dumps(msgspec.to_builtins(session)))

    def read(self, cookie: str, *, now_ms: int) -> tuple[Session, Bearer] | None:
        """Whose session it is; None if it opens nothing."""
        if len(cookie) > _MOST_CHARS:
            return None
        try:
            session = msgspec.convert(self._serializer.loads(cookie), Session)
        except (BadData, msgspec.ValidationError):
            return None
        if now_ms >= session.expires_ms:
            return None
        with self._database.read() as connection:
            if access.link_used(connection, session.nonce):
                return None
            row = access.token_by_name(connection, session.token)
        if row is None or row.revoked_ms is not None:
            return None
        return session, Bearer(name=row.name, role=row.role)

    def end(self, session: Session, *, now_ms: int) -> None:
        """Let a session open nothing any more."""
        with self._database.write() as connection:
            access.use_link(connection, session.nonce, now_ms)

    def mark(self, session: Session) -> str:
        """What a form of this session must bring along, and nobody else can know."""
        said = f"nadhir.form\n{session.token}\n{session.nonce}".encode()
        return hmac.new(self._secret, said, hashlib.sha256).hexdigest()

    def made_by(self, session: Session, mark: str) -> bool:
        """Whether a form was one of this session's."""
        return hmac.compare_digest(self.mark(session).encode(), mark.encode())
