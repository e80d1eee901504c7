"""Everything else: the services that the apprise library knows, by its URLs.

apprise opens its connections itself, so the guard can only look before it does: a URL that names a
host is resolved and judged ahead of every message.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec

from alerts.notify.address import Resolve, allowed_addresses, resolve
from alerts.notify.channel import Taken, words
from alerts.notify.content import plain
from alerts.notify.errors import DeliveryError
from alerts.notify.records import Notification
from alerts.playbook.records import LANGUAGES, Language


class AppriseSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Apprise URLs, which are secrets."""

    urls: tuple[str, ...]
    allow_private: bool = False
    languages: tuple[Language, ...] = LANGUAGES


class AppriseUrls:
    """Sends plain text through apprise.

    Raises
    ------
    DeliveryError
        When a URL is none that apprise knows.

    References
    ----------
    https://github.com/caronc/apprise
    """

    def __init__(self, settings: AppriseSettings, resolver: Resolve = resolve) -> None:
        from apprise import Apprise  # it takes a third of a second: only where it is used

        logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines hold parts of the URL
        self._settings = settings
        self._resolver = resolver
        self._services = []
        self._taken = Taken()  # by numbers of URLs
        for number, url in enumerate(settings.urls, 1):
            service = Apprise.instantiate(url)
            if service is None:
                raise DeliveryError(f"URL {number} is none that apprise knows", retry=False)
            self._services.append(service)

    def send(self, batch: Sequence[Notification]) -> str:
        """Send to every URL; those that fail are tried again later, the others have taken it."""
        from apprise import NotifyFormat

        shown = words(batch)
        title = getattr(shown.subject, self._settings.languages[0])
        paragraphs = ["\n".join(plain(shown, language)) for language in self._settings.languages]
        failures: list[DeliveryError] = []
        for number, service in enumerate(self._services, 1):
            if self._taken.by(str(number), batch):
                continue
            try:
                self._guard(service)
                if not service.notify(
                    body="\n\n".join(paragraphs), title=title, body_format=NotifyFormat.TEXT
                ):
                    raise DeliveryError(f"apprise could not send to URL {number}", retry=True)
            except DeliveryError as error:
                failures.append(error)
            else:
                self._taken.add(str(number), batch)
        if failures:
            again = any(error.retry for error in failures)
            raise DeliveryError("; ".join(error.reason for error in failures), retry=again)
        return f"sent to {len(self._services)}"

    def _guard(self, service: Any) -> None:
        templates: tuple[str, ...] = tuple(service.templates or ())
        if any("{host}" in template for template in templates):
            allowed_addresses(
                str(service.host),
                service.port or 0,
                allow_private=self._settings.allow_private,
                resolver=self._resolver,
            )
