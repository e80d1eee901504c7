"""The dispatcher of notifications, made from the configuration: everything is wired here."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pydantic import SecretStr

from alerts.notify.chain import Chain, Route
from alerts.notify.channel import Channel
from alerts.notify.dispatcher import Dispatcher
from alerts.notify.errors import DeliveryError
from alerts.notify.queue import Queue
from alerts.notify.stages.inhibited import OpenAlerts
from alerts.notify.stages.silenced import Silences
from alerts.notify.worker import Worker
from streams.config import Config, ConsoleReceiver, JournalReceiver
from streams.config.receivers import (
    AlertmanagerReceiver,
    AppriseReceiver,
    EmailReceiver,
    Notified,
    PagerDutyReceiver,
    SlackReceiver,
    TeamsReceiver,
    TelegramReceiver,
    WebhookReceiver,
)
from streams.config.routes import NotificationSettings

Clock = Callable[[], int]


def notified(config: Config) -> Iterator[Notified]:
    """The receivers that the dispatcher sends to: all but console and journal."""
    for receiver in config.receivers:
        if not isinstance(receiver, (ConsoleReceiver, JournalReceiver)):
            yield receiver


def open_dispatcher(
    config: Config,
    queue: Queue,
    clock: Clock,
    silences: Silences | None = None,
    open_alerts: OpenAlerts | None = None,
) -> Dispatcher:
    """A dispatcher for the configured receivers, not started.

    Parameters
    ----------
    config : Config
    queue : Queue
        Used from many threads.
    clock : callable
        Milliseconds since the epoch.
    silences : Silences, optional
    open_alerts : OpenAlerts, optional

    Raises
    ------
    DeliveryError
        If a URL of apprise is none that it knows.
    """
    routes = {name: route.record() for route in config.routes for name in route.receivers}
    retries = config.notifications.record()
    workers = [
        Worker(
            receiver.name,
            _named_channel(receiver, config.notifications, clock),
            Chain(routes.get(receiver.name, Route()), silences, open_alerts),
            queue,
            clock,
            retries,
        )
        for receiver in notified(config)
    ]
    return Dispatcher(queue, workers, clock)


def _named_channel(receiver: Notified, settings: NotificationSettings, clock: Clock) -> Channel:
    try:
        return open_channel(receiver, settings, clock)
    except DeliveryError as error:
        raise DeliveryError(f"receiver {receiver.name}: {error.reason}", retry=False) from None


def open_channel(receiver: Notified, settings: NotificationSettings, clock: Clock) -> Channel:
    """The channel of a receiver.

    Parameters
    ----------
    receiver : Notified
    settings : NotificationSettings
    clock : callable
        Milliseconds since the epoch.
    """
    if isinstance(receiver, EmailReceiver):
        return _mail(receiver, settings.timeout_s)
    if isinstance(receiver, AppriseReceiver):
        from alerts.notify.channels.apprise_urls import AppriseSettings, AppriseUrls

        urls = tuple(url.get_secret_value() for url in receiver.urls)
        return AppriseUrls(
            AppriseSettings(
                urls=urls, allow_private=receiver.allow_private, languages=receiver.languages
            )
        )
    return _posted(receiver, settings, clock)


def _mail(receiver: EmailReceiver, timeout_s: float) -> Channel:
    from alerts.notify.channels.mail import Mail, MailSettings

    return Mail(
        MailSettings(
            name=receiver.name,
            host=receiver.host,
            port=receiver.port,
            security=receiver.security,
            sender=receiver.sender,
            to=receiver.to,
            username=receiver.username,
            password=_plain(receiver.password),
            ca_file=str(receiver.ca_file) if receiver.ca_file else None,
            allow_private=receiver.allow_private,
            timeout_s=timeout_s,
            languages=receiver.languages,
        )
    )


def _posted(
    receiver: AlertmanagerReceiver
    | PagerDutyReceiver
    | SlackReceiver
    | TeamsReceiver
    | TelegramReceiver
    | WebhookReceiver,
    settings: NotificationSettings,
    clock: Clock,
) -> Channel:
    """A channel that posts over HTTP."""
    from alerts.notify.channels.alertmanager import Alertmanager, AlertmanagerSettings
    from alerts.notify.channels.pagerduty import PagerDuty, PagerDutySettings
    from alerts.notify.channels.slack import Slack, SlackSettings
    from alerts.notify.channels.teams import Teams, TeamsSettings
    from alerts.notify.channels.telegram import Telegram, TelegramSettings
    from alerts.notify.channels.webhook import Webhook, WebhookSettings
    from alerts.notify.http import Sender

    sender = Sender(
        allow_private=receiver.allow_private,
        timeout_s=settings.timeout_s,
        ca_file=str(settings.ca_file) if settings.ca_file else None,
    )
    match receiver:
        case AlertmanagerReceiver(url=url, username=user, password=password, expires_h=hours):
            known = _plain(password)
            return Alertmanager(
                AlertmanagerSettings(url=url, username=user, password=known, expires_h=hours),
                sender,
            )
        case PagerDutyReceiver(routing_key=key, url=url, languages=languages):
            routing_key = key.get_secret_value()
            return PagerDuty(
                PagerDutySettings(routing_key=routing_key, url=url, languages=languages), sender
            )
        case SlackReceiver(url=secret, languages=languages):
            return Slack(SlackSettings(url=secret.get_secret_value(), languages=languages), sender)
        case TeamsReceiver(url=secret, languages=languages):
            return Teams(TeamsSettings(url=secret.get_secret_value(), languages=languages), sender)
        case TelegramReceiver(token=token, chat=chat, url=url, languages=languages):
            bot = token.get_secret_value()
            return Telegram(
                TelegramSettings(token=bot, chat=chat, url=url, languages=languages), sender
            )
        case WebhookReceiver(url=address, secret=shared):
            hook = WebhookSettings(url=address.get_secret_value(), secret=shared.get_secret_value())
            return Webhook(hook, sender, clock)


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
