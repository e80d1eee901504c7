"""Settings of receivers: whom to tell of alerts, and how.

What a receiver is told, and when, stands in ``routes`` (streams/config/routes.py).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from streams.config.base import Settings
from streams.config.fields import (
    Distinct,
    FilePath,
    Filled,
    Identifier,
    Items,
    Language,
    MailAddress,
    Secret,
    SecretUrl,
    Switch,
    Text,
    Url,
    WholeNumber,
)

_NAME = "Unique name of the receiver."
_PRIVATE = "Whether it may be at a private, loopback or link-local address."
_LANGUAGES = "Languages of its messages, in their order: `ar`, `en`."
_BOTH: tuple[Language, ...] = ("ar", "en")

Languages = Annotated[Distinct[Language], Filled]


class ConsoleReceiver(Settings):
    """Prints alerts."""

    name: Identifier = Field(description=_NAME)
    type: Literal["console"] = Field(description="`console` prints alerts.")


class JournalReceiver(Settings):
    """Appends alerts to a file of JSON Lines."""

    name: Identifier = Field(description=_NAME)
    type: Literal["journal"] = Field(description="`journal` appends alerts to a file.")
    path: FilePath = Field(description="File of JSON Lines that alerts are appended to.")


class AlertmanagerReceiver(Settings):
    """An Alertmanager."""

    name: Identifier = Field(description=_NAME)
    type: Literal["alertmanager"] = Field(description="`alertmanager` posts to its API, version 2.")
    url: Url = Field(description="Its address, such as `http://127.0.0.1:9093`.")
    username: Text | None = Field(None, description="User, where it asks for one.")
    password: Secret | None = Field(None, description="The user's password.")
    expires_h: WholeNumber = Field(
        72, ge=1, le=8_760, description="Hours after which an alert ends there if no more is heard."
    )
    allow_private: Switch = Field(False, description=_PRIVATE)


class PagerDutyReceiver(Settings):
    """A service of PagerDuty."""

    name: Identifier = Field(description=_NAME)
    type: Literal["pagerduty"] = Field(description="`pagerduty` sends events, version 2.")
    routing_key: Secret = Field(description="Integration key of the service.")
    url: Url = Field(
        "https://events.pagerduty.com", description="Its address; the EU has one of its own."
    )
    languages: Languages = Field(_BOTH, description=_LANGUAGES)
    allow_private: Switch = Field(False, description=_PRIVATE)


class SlackReceiver(Settings):
    """A channel in Slack."""

    name: Identifier = Field(description=_NAME)
    type: Literal["slack"] = Field(description="`slack` posts to an incoming webhook.")
    url: SecretUrl = Field(description="Address of the incoming webhook; a secret.")
    languages: Languages = Field(_BOTH, description=_LANGUAGES)
    allow_private: Switch = Field(False, description=_PRIVATE)


class TeamsReceiver(Settings):
    """A channel in Microsoft Teams."""

    name: Identifier = Field(description=_NAME)
    type: Literal["teams"] = Field(description="`teams` posts to the webhook of a workflow.")
    url: SecretUrl = Field(description="Address of the workflow's webhook; a secret.")
    languages: Languages = Field(_BOTH, description=_LANGUAGES)
    allow_private: Switch = Field(False, description=_PRIVATE)


class TelegramReceiver(Settings):
    """A chat in Telegram."""

    name: Identifier = Field(description=_NAME)
    type: Literal["telegram"] = Field(description="`telegram` writes through a bot.")
    token: Secret = Field(description="The bot's token.")
    chat: Text = Field(description="Id of the chat, in quotes, or `@name` of a channel.")
    url: Url = Field("https://api.telegram.org", description="Address of the bot API.")
    languages: Languages = Field(_BOTH, description=_LANGUAGES)
    allow_private: Switch = Field(False, description=_PRIVATE)


class EmailReceiver(Settings):
    """People who get e-mail."""

    name: Identifier = Field(description=_NAME)
    type: Literal["email"] = Field(description="`email` sends HTML and text over SMTP.")
    host: Text = Field(description="The mail server.")
    port: WholeNumber = Field(587, ge=1, le=65_535, description="Its port.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="Encryption: `starttls`, `tls` from the start, or `none`."
    )
    username: Text | None = Field(None, description="User, where it asks for one.")
    password: Secret | None = Field(None, description="The user's password.")
    ca_file: FilePath | None = Field(
        None, description="Certificates to trust (PEM); `null` takes the system's."
    )
    sender: MailAddress = Field(description="Address it comes from.")
    to: Annotated[Items[MailAddress], Filled] = Field(
        description="Addresses it goes to.", max_length=100
    )
    languages: Languages = Field(_BOTH, description=_LANGUAGES)
    allow_private: Switch = Field(False, description=_PRIVATE)


class WebhookReceiver(Settings):
    """A program of one's own."""

    name: Identifier = Field(description=_NAME)
    type: Literal["webhook"] = Field(description="`webhook` posts signed CloudEvents.")
    url: SecretUrl = Field(description="Where they are posted; kept as a secret.")
    secret: Secret = Field(description="Both know it; signs what is posted (HMAC-SHA256).")
    allow_private: Switch = Field(False, description=_PRIVATE)


class AppriseReceiver(Settings):
    """Any of the services that the apprise library knows."""

    name: Identifier = Field(description=_NAME)
    type: Literal["apprise"] = Field(description="`apprise` sends text to its URLs.")
    urls: Annotated[Items[Secret], Filled] = Field(description="URLs of apprise; secrets.")
    languages: Languages = Field(_BOTH, description=_LANGUAGES)
    allow_private: Switch = Field(False, description=_PRIVATE)


Notified = (
    AlertmanagerReceiver
    | PagerDutyReceiver
    | SlackReceiver
    | TeamsReceiver
    | TelegramReceiver
    | EmailReceiver
    | WebhookReceiver
    | AppriseReceiver
)
"""Receivers that the dispatcher sends to."""

AnyReceiver = Annotated[ConsoleReceiver | JournalReceiver | Notified, Field(discriminator="type")]

SECRET_KEYS = frozenset(("password", "routing_key", "token", "secret", "url", "urls"))
"""Settings of receivers that nobody should read; many an address is a secret too."""
