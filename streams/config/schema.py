"""Every setting of Nadhir: its type, default and meaning.

The descriptions are the ones in docs/configuration.md; a test holds the two together.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from models.records import Brand, Holiday, OfficialAccount, Sensitivity
from streams.config.api import ApiSettings, DatabaseSettings
from streams.config.base import Settings
from streams.config.fields import (
    MAX_BRANDS,
    Day,
    Delimiter,
    Distinct,
    Domain,
    Encoding,
    FilePath,
    Filled,
    Handle,
    HostPort,
    Identifier,
    InstanceName,
    IsoDate,
    Items,
    Language,
    MentionField,
    Platform,
    Secret,
    Section,
    Switch,
    Text,
    TimeFormat,
    TimeZone,
    Token,
    TopicPrefix,
    Url,
    WholeNumber,
)
from streams.config.listed import ListedSettings
from streams.config.receivers import (
    AnyReceiver,
    ConsoleReceiver,
    EmailReceiver,
    JournalReceiver,
)
from streams.config.response import (
    EscalationSettings,
    RetentionSettings,
    ScheduleSettings,
    SilenceSettings,
    anchored,
)
from streams.config.routes import NotificationSettings, RouteSettings
from streams.config.sentiment import SentimentSettings
from streams.config.tracing import TracingSettings

_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class AccountSettings(Settings):
    """An account the brand itself runs."""

    platform: Platform = Field(description="Platform of an official account, such as `x`.")
    id: Text = Field(description="The account's id on that platform, in quotes.")
    handle: Handle | None = Field(None, description="The account's handle.")
    name: Text | None = Field(None, description="The account's display name.")


class HolidaySettings(Settings):
    """Days on which the usual week does not hold."""

    name: Text = Field(description="What is celebrated, such as Ramadan or a sale.")
    first: IsoDate = Field(description="First day, in the brand's time zone.")
    last: IsoDate = Field(description="Last day; may be the first one.")

    @field_validator("last")
    @classmethod
    def _not_before_first(cls, last: str, given: ValidationInfo) -> str:
        if last < given.data.get("first", last):
            raise ValueError("must not be before the first day")
        return last


class BrandSettings(Settings):
    """One organisation or product that is watched."""

    id: Identifier = Field(description="Short id: a-z, 0-9, _ and -. It must not change later.")
    names: Annotated[Items[Text], Filled] = Field(
        description="Names, in every language and script."
    )
    keywords: Items[Text] = Field((), description="More ways to say it: products, slogans.")
    exclude: Items[Text] = Field((), description="Phrases that mean somebody else.")
    handles: Items[Handle] = Field(
        (), description="Official handles on any platform, with or without `@`."
    )
    accounts: Items[AccountSettings] = Field(
        (), description="Official accounts, where ids are known."
    )
    domains: Items[Domain] = Field((), description="Official domains, without `https://`.")
    allies: Items[Text] = Field(
        (),
        description="Known syndicators and your own ambassadors: handles (`@name`), accounts "
        "(`platform:id`) and domains. They never make a group suspect.",
    )
    languages: Annotated[Distinct[Language], Filled] = Field(
        ("ar", "en"), description="Languages of the brand's messages: `ar`, `en`."
    )
    timezone: TimeZone = Field("UTC", description="IANA time zone of the brand's customers.")
    weekend: Distinct[Day] = Field(
        ("fri", "sat"), max_length=6, description="Weekend days: `mon` to `sun`; may be empty."
    )
    holidays: Items[HolidaySettings] = Field(
        (), description="Times of other habits: Ramadan, Eid, campaign days."
    )
    sensitivity: Sensitivity | None = Field(
        None, description="The brand's own sensitivity; `null` takes the general one."
    )
    help_url: Url | None = Field(None, description="Where prepared messages send readers.")
    support_handle: Handle | None = Field(None, description="The handle customers may write to.")
    allow: Items[ListedSettings] = Field(
        (), description="Accounts and domains that are known: never flagged as impostors."
    )
    block: Items[ListedSettings] = Field(
        (), description="Accounts and domains that are always flagged."
    )

    def record(self, sensitivity: Sensitivity) -> Brand:
        """The brand as the stages know it; ``sensitivity`` where it has none of its own."""
        return Brand(
            id=self.id,
            names=self.names,
            keywords=self.keywords,
            exclude=self.exclude,
            handles=tuple(handle.removeprefix("@") for handle in self.handles),
            accounts=tuple(
                OfficialAccount(
                    platform=account.platform,
                    id=account.id,
                    handle=account.handle and account.handle.removeprefix("@"),
                    name=account.name,
                )
                for account in self.accounts
            ),
            domains=self.domains,
            allies=self.allies,
            languages=self.languages,
            timezone=self.timezone,
            weekend=tuple(sorted(_DAYS.index(day) for day in self.weekend)),
            holidays=tuple(Holiday(name=h.name, first=h.first, last=h.last) for h in self.holidays),
            sensitivity=self.sensitivity or sensitivity,
            help_url=self.help_url,
            support_handle=self.support_handle and self.support_handle.removeprefix("@"),
            allow=tuple(each.record(self.timezone) for each in self.allow),
            block=tuple(each.record(self.timezone) for each in self.block),
        )


class DetectSettings(Settings):
    """Which mentions are in time."""

    allowed_lateness_s: WholeNumber = Field(
        600, ge=0, le=2_700, description="Seconds a mention may arrive late and still count."
    )
    max_future_s: WholeNumber = Field(
        300, ge=0, le=3_600, description="Seconds a mention may lie in the future."
    )


class AlertSettings(Settings):
    """When signals become an alert, and when it ends."""

    min_mentions: WholeNumber = Field(
        15,
        ge=1,
        le=1_000_000,
        description="Least mentions in the window; where negative ones count, half as many.",
    )
    cooldown_min: WholeNumber = Field(
        120, ge=0, le=10_080, description="Minutes after an alert before the next of its kind."
    )
    resolve_after_quiet_min: WholeNumber = Field(
        60, ge=1, le=10_080, description="Minutes without a signal after which an alert ends."
    )


class PathSettings(Settings):
    """Where things are kept; relative to the configuration file."""

    data: FilePath = Field(
        Path("nadhir-data"), description="Directory of intake, positions, state and alerts."
    )
    playbooks: FilePath | None = Field(
        None, description="Directory of your own playbooks; `null` takes the shipped ones."
    )


class IntakeSettings(Settings):
    """The HTTP intake, ``POST /v1/mentions``."""

    token: Token | None = Field(
        None, description="Bearer token senders must show; better set in the environment."
    )
    max_body_mb: WholeNumber = Field(
        8, ge=1, le=64, description="Largest request body, in megabytes."
    )
    enabled: Switch = Field(True, description="Whether `nadhir run` takes mentions over HTTP.")


class MetricsSettings(Settings):
    """Who may read metrics."""

    token: Token | None = Field(
        None,
        description="Bearer token that opens /metrics; a worker needs one beyond this machine.",
    )


class KafkaSettings(Settings):
    """Apache Kafka, and the topics on it."""

    bootstrap: Annotated[Items[HostPort], Filled] = Field(
        ("127.0.0.1:9092",), description="Brokers to begin with, `host:port`."
    )
    prefix: TopicPrefix | None = Field(None, description="Put before the name of every topic.")
    partitions: WholeNumber = Field(
        8, ge=1, le=10_000, description="Partitions of each topic: the most workers of a stage."
    )
    replication: WholeNumber = Field(
        1, ge=1, le=9, description="Copies of each partition; 3 in production."
    )
    retention_h: WholeNumber = Field(
        72, ge=1, le=87_600, description="Hours for which mentions are kept."
    )
    settle_ms: WholeNumber = Field(
        2_000,
        ge=0,
        le=600_000,
        description="A mention waits so long for a partition that has nothing more to read.",
    )
    instance: InstanceName | None = Field(
        None,
        description="A worker's own name, for life: killed and back within six seconds, it has its"
        " partitions at once. `null` makes one up at each start.",
    )
    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="Security protocol: with `SSL` encrypted, with `SASL` known."
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        "SCRAM-SHA-512", description="How the user is proved, where the protocol has `SASL`."
    )
    username: Text | None = Field(None, description="User of the cluster.")
    password: Secret | None = Field(
        None, description="The user's password; better set in the environment."
    )
    ca_file: FilePath | None = Field(
        None, description="Certificates to trust (PEM); `null` takes the system's."
    )
    cert_file: FilePath | None = Field(None, description="Our certificate (PEM), if asked for.")
    key_file: FilePath | None = Field(None, description="Key of our certificate (PEM).")


class FileSource(Settings):
    """A file of JSON Lines, gzip too."""

    type: Literal["file"] = Field(description="`file` reads JSON Lines.")
    path: FilePath = Field(description="File to read, gzip too.")
    follow: Switch = Field(False, description="Wait for more lines, as `tail -F` does.")


class CsvSource(Settings):
    """A CSV export of another tool, gzip too."""

    type: Literal["csv"] = Field(description="`csv` reads the CSV export of another tool.")
    path: FilePath = Field(description="File to read, gzip too.")
    columns: dict[MentionField, Text] = Field(
        {}, description="Mention field to column header; empty where the headers are the fields."
    )
    constants: dict[MentionField, Any] = Field(
        {}, description="Mention field to the value that rows without it get."
    )
    time_format: TimeFormat | None = Field(
        None, description="Format of times for Python's strptime; `null` is RFC 3339."
    )
    timezone: TimeZone | None = Field(
        None, description="IANA time zone of times that do not say theirs."
    )
    delimiter: Delimiter | None = Field(
        None, description="Character between cells; `null` finds it in the header."
    )
    encoding: Encoding = Field("utf-8", description="Encoding, such as `windows-1256`.")


class Config(Settings):
    """The whole configuration, checked.  Built by :func:`streams.config.load`.

    Paths are resolved against the directory of the configuration file.
    """

    brands: Annotated[tuple[BrandSettings, ...], Filled] = Field(
        max_length=MAX_BRANDS, description="What is watched: at least one brand."
    )
    sensitivity: Sensitivity = Field(
        "balanced", description="How early to warn: `sensitive`, `balanced` or `strict`."
    )
    sentiment: Section[SentimentSettings] = Field(
        SentimentSettings(), description="Which model says how mentions speak."
    )
    detect: Section[DetectSettings] = Field(
        DetectSettings(), description="Which mentions are in time."
    )
    alerts: Section[AlertSettings] = Field(
        AlertSettings(), description="When signals become an alert."
    )
    receivers: Items[AnyReceiver] = Field(
        (
            ConsoleReceiver(name="console", type="console"),
            JournalReceiver(name="journal", type="journal", path=Path("alerts.jsonl")),
        ),
        description="Where alerts are sent.",
    )
    routes: Items[RouteSettings] = Field(
        (), description="What receivers are told; those in no route are told everything."
    )
    notifications: Section[NotificationSettings] = Field(
        NotificationSettings(), description="How notifications are tried."
    )
    schedules: Items[ScheduleSettings] = Field((), description="Who is on call.")
    escalation: Section[EscalationSettings] = Field(
        EscalationSettings(), description="Who is told, and who next."
    )
    silences: Section[SilenceSettings] = Field(SilenceSettings(), description="Limits of silences.")
    retention: Section[RetentionSettings] = Field(
        RetentionSettings(), description="How long things are kept."
    )
    paths: Section[PathSettings] = Field(PathSettings(), description="Where things are kept.")
    intake: Section[IntakeSettings] = Field(IntakeSettings(), description="The HTTP intake.")
    api: Section[ApiSettings] = Field(ApiSettings(), description="The API.")
    metrics: Section[MetricsSettings] = Field(
        MetricsSettings(), description="Who may read metrics."
    )
    database: Section[DatabaseSettings] = Field(
        DatabaseSettings(), description="Where alerts live once people answer them."
    )
    tracing: Section[TracingSettings] = Field(
        TracingSettings(), description="Where traces are sent."
    )
    kafka: Section[KafkaSettings] = Field(
        KafkaSettings(), description="Apache Kafka, for more than one machine."
    )
    sources: Items[Annotated[FileSource | CsvSource, Field(discriminator="type")]] = Field(
        (), description="What `nadhir run` reads beside the HTTP intake."
    )

    def brand_records(self) -> tuple[Brand, ...]:
        """The brands as the stages know them: weekend as numbers, sensitivity resolved.

        Examples
        --------
        >>> config = Config.model_validate({"brands": [{"id": "acme", "names": ["Acme"]}]})
        >>> config.brand_records()[0].weekend
        (4, 5)
        """
        return tuple(brand.record(self.sensitivity) for brand in self.brands)

    def anchored(self, base: Path) -> Config:
        """The same configuration with every path resolved against ``base``."""
        paths = self.paths.model_copy(
            update={
                "data": base / self.paths.data,
                "playbooks": self.paths.playbooks and base / self.paths.playbooks,
            }
        )
        files = ("ca_file", "cert_file", "key_file")
        kafka = self.kafka.model_copy(
            update={f: base / path for f in files if (path := getattr(self.kafka, f)) is not None}
        )
        receivers = tuple(_anchored(receiver, base) for receiver in self.receivers)
        sources = tuple(
            source.model_copy(update={"path": base / source.path}) for source in self.sources
        )
        return self.model_copy(
            update={
                "sentiment": self.sentiment.anchored(base),
                "paths": paths,
                "receivers": receivers,
                "notifications": self.notifications.anchored(base),
                "schedules": anchored(self.schedules, base),
                "sources": sources,
                "kafka": kafka,
            }
        )


def _anchored(receiver: AnyReceiver, base: Path) -> AnyReceiver:
    if isinstance(receiver, JournalReceiver):
        return receiver.model_copy(update={"path": base / receiver.path})
    if isinstance(receiver, EmailReceiver) and receiver.ca_file is not None:
        return receiver.model_copy(update={"ca_file": base / receiver.ca_file})
    return receiver
