"""The settings of the API and its database; part of :mod:`streams.config.schema`."""

from __future__ import annotations

from pydantic import Field

from streams.config.base import Settings
from streams.config.fields import Secret, Switch, Url, WholeNumber


class ApiSettings(Settings):
    """The API of the response side."""

    enabled: Switch = Field(True, description="Whether `nadhir run` serves the API.")
    public_url: Url | None = Field(
        None, description="Where people reach the API, for links in notifications."
    )
    rate_per_min: WholeNumber = Field(
        600, ge=1, le=1_000_000, description="Requests a minute of one token."
    )
    max_body_kb: WholeNumber = Field(
        64, ge=1, le=1_024, description="Largest request body of the API, in kilobytes."
    )


class DatabaseSettings(Settings):
    """Where alerts live once people answer them."""

    url: Secret | None = Field(
        None,
        description="`postgresql://…`, best in the environment; `null` is a file in `paths.data`.",
    )
