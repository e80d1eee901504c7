"""What a form sends: read with bounds, from this site and this session alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

from fastapi import Depends
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from alerts.console.console import console
from alerts.console.who import Refused, Visitor, require, same_origin

MARK = "mark"  # the field that a form of another site cannot fill
_MEDIA = "application/x-www-form-urlencoded"
_MOST_FIELDS = 200

Body = TypeVar("Body", bound=BaseModel)


class Form:
    """Fields of a form, each perhaps several times.

    Examples
    --------
    >>> form = Form([("state", "open"), ("state", "resolved"), ("text", " ")])
    >>> form.all("state"), form.get("text"), form.get("gone")
    (['open', 'resolved'], '', '')
    """

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self._fields = fields

    def get(self, name: str) -> str:
        """A field without the space around it; empty if it is not there."""
        return next((value.strip() for key, value in self._fields if key == name), "")

    def all(self, name: str) -> list[str]:
        """All values of a field that are not empty."""
        return [value.strip() for key, value in self._fields if key == name and value.strip()]

    def version(self) -> int:
        """The version that was seen when the form was filled in."""
        held = self.get("version")
        if not held.isdecimal() or not held.isascii() or len(held) > 9:
            raise Refused(422, "form")
        return int(held)

    def fields(self) -> list[tuple[str, str]]:
        """What a form must hold to be sent again."""
        return [(key, value) for key, value in self._fields if key not in (MARK, "version")]


async def _read(request: Request) -> Form:
    if not request.headers.get("content-type", "").startswith(_MEDIA):
        raise Refused(415, "form")
    body = await request.body()  # its length is bounded for all routes
    try:
        sent = body.decode("ascii")
        fields = parse_qsl(
            sent, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise Refused(422, "form") from None
    # browsers send line ends of their own
    return Form([(key, value.replace("\r\n", "\n")) for key, value in fields])


Read = Annotated[Form, Depends(_read)]


def open_form(request: Request, form: Read) -> Form:
    """A form of whoever is not logged in yet."""
    same_origin(request)
    return form


def form_of(request: Request, form: Read) -> Form:
    """A form of a session; the route says which role it asks for."""
    same_origin(request)
    visitor: Visitor = require("viewer")(request)
    mark = request.headers.get("x-nadhir-mark") or form.get(MARK)
    if not console(request).sessions.made_by(visitor.session, mark):
        raise Refused(403, "elsewhere")
    return form


def checked(model: type[Body], **fields: object) -> Body:
    """Fields as the API would take them.

    Raises
    ------
    Refused
        If it would not.
    """
    try:
        return model.model_validate(fields)
    except ValidationError:
        raise Refused(422, "form") from None


Login = Annotated[Form, Depends(open_form)]
Filled = Annotated[Form, Depends(form_of)]
