"""What may be sent: every field is named, everything else is refused."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from alerts.lifecycle import Act
from alerts.playbook.channels import MAX_POSTS
from alerts.playbook.records import Severity
from alerts.privacy import Author, plain
from alerts.service.list_records import ListDraft
from alerts.service.records import VerdictWord
from alerts.service.silencing import SilenceDraft
from alerts.silences import Matchers, Recurring
from alerts.store.access import Role
from models.records import ListName

# no control characters but tab and line feed: PostgreSQL takes no NUL, terminals obey the others
Text = Annotated[str, Field(max_length=4_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Line = Annotated[str, Field(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]
Message = Annotated[str, Field(max_length=10_000, pattern=r"^[^\x00-\x08\x0b-\x1f\x7f]*$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~@:-]{1,80}$")]
Ids = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]{1,80}$")]
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def _near(moment: datetime) -> datetime:
    if not _FIRST <= moment < _LAST:
        raise ValueError("lies outside of this century")
    return moment


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError("is no IANA time zone")
    return name


Moment = Annotated[AwareDatetime, AfterValidator(_near)]


def milliseconds(moment: datetime) -> int:
    """A moment as we keep it."""
    return round(moment.timestamp() * 1000)


class Sent(BaseModel):
    """A body: unknown fields are refused, numbers are not made of text."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class ActRequest(Sent):
    """Why."""

    reason: Line = ""


class AssignRequest(Sent):
    """To whom; null takes it from everybody."""

    assignee: (
        Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")] | None
    )


class CommentRequest(Sent):
    """What to say."""

    text: Annotated[Text, Field(min_length=1)]


class VerdictRequest(Sent):
    """What the alert turned out to be; a duplicate names the alert that stays."""

    verdict: VerdictWord
    reason: Line = ""
    duplicate_of: Ids | None = None

    @model_validator(mode="after")
    def _consistent(self) -> VerdictRequest:
        if (self.verdict == "duplicate") != (self.duplicate_of is not None):
            raise ValueError("duplicate_of goes with duplicate")
        return self


class MessageRequest(Sent):
    """The text: several posts for a thread."""

    posts: Annotated[list[Message], Field(min_length=1, max_length=MAX_POSTS)]


class ApproveRequest(Sent):
    """What was read: the digest that was shown with it."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class SentRequest(Sent):
    """Where it was published: a link, or a place in words."""

    where: Annotated[Line, Field(min_length=1)]


class BulkItemRequest(Sent):
    """One alert, at the version that was seen; null is any."""

    id: Ids
    version: Annotated[int, Field(ge=1, le=999_999_999)] | None = None


class BulkRequest(Sent):
    """The same act on many alerts."""

    act: Act
    alerts: Annotated[list[BulkItemRequest], Field(min_length=1, max_length=100)]
    reason: Line = ""


class MatchersRequest(Sent):
    """What a silence is about; every list that names something must name what the alert has."""

    brands: Annotated[list[Name], Field(max_length=100)] = []
    types: Annotated[list[Name], Field(max_length=20)] = []
    severities: Annotated[list[Severity], Field(max_length=3)] = []
    kinds: Annotated[list[Name], Field(max_length=20)] = []


class RecurringRequest(Sent):
    """When it comes again: an RRULE by the clock of a time zone."""

    rule: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9=;,:+-]+$")]
    duration_min: Annotated[int, Field(ge=1, le=44_640)]
    timezone: Annotated[str, Field(max_length=64), AfterValidator(_zone)]


class SilenceRequest(Sent):
    """A silence."""

    matchers: MatchersRequest
    starts_at: Moment
    ends_at: Moment
    reason: Annotated[Line, Field(min_length=1)]
    recurring: RecurringRequest | None = None

    def draft(self) -> SilenceDraft:
        """As the service takes it."""
        named = self.matchers
        again = self.recurring
        return SilenceDraft(
            matchers=Matchers(
                brands=tuple(named.brands),
                types=tuple(named.types),
                severities=tuple(named.severities),
                kinds=tuple(named.kinds),
            ),
            starts_ms=milliseconds(self.starts_at),
            ends_ms=milliseconds(self.ends_at),
            reason=self.reason,
            recurring=None
            if again is None
            else Recurring(
                rule=again.rule, duration_min=again.duration_min, timezone=again.timezone
            ),
        )


class ListRequest(Sent):
    """An entry of a brand's lists: a handle, an account of a platform, or a domain."""

    list: ListName
    brand: Name
    reason: Annotated[Line, Field(min_length=1)]
    handle: Annotated[Line, Field(min_length=1)] | None = None
    platform: Annotated[Line, Field(min_length=1)] | None = None
    account: Annotated[Line, Field(min_length=1)] | None = None
    domain: Annotated[Line, Field(min_length=1)] | None = None
    until: Moment | None = None

    def draft(self) -> ListDraft:
        """As the service takes it."""
        return ListDraft(
            list=self.list,
            reason=self.reason,
            handle=self.handle,
            platform=self.platform,
            account=self.account,
            domain=self.domain,
            until_ms=None if self.until is None else milliseconds(self.until),
        )


class ReplayRequest(Sent):
    """Of which receiver; null is all."""

    receiver: Annotated[Line, Field(min_length=1)] | None = None


class ErasureRequest(Sent):
    """Whose data: an account of a platform, and names by which others speak of it."""

    platform: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
    author: Annotated[Line, Field(min_length=1)]
    handles: Annotated[list[Annotated[Line, Field(min_length=1)]], Field(max_length=50)] = []

    def record(self) -> Author:
        """As the service takes it."""
        named = frozenset(plain(handle) for handle in self.handles if plain(handle))
        return Author(platform=self.platform, id=self.author, handles=named)


class TokenRequest(Sent):
    """A token to make."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.@-]{0,62}$")]
    role: Role


Outcome = Literal["opened", "updated", "reopened", "not_alerted"]
