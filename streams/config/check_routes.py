"""How receivers and routes go together: every name is one, every receiver in one route at most."""

from __future__ import annotations

from typing import Any

from streams.config.document import Document, entries
from streams.config.problems import KeyPath, did_you_mean, shown

_ALWAYS = ("console", "journal")  # told of everything, whatever a route says


def check_routes(document: Document, data: dict[str, Any]) -> None:
    """Add a problem for names in routes that are none, and for settings that cannot work."""
    receivers = [entry for _, entry in entries(data, "receivers")]
    types = {e["name"]: e.get("type") for e in receivers if isinstance(e.get("name"), str)}
    brands = [entry.get("id") for _, entry in entries(data, "brands")]
    routed: dict[str, KeyPath] = {}
    for i, route in entries(data, "routes"):
        for path, name in _names(route, ("routes", i, "receivers")):
            _check_receiver(document, path, name, types)
            if name in routed and routed[name][1] != i:
                line = document.origin(routed[name]).line
                where = f" (line {line})" if line else ""
                document.add(path, f"{shown(name)} is in a route already{where}; keep one")
            routed.setdefault(name, path)
        for path, name in _names(route, ("routes", i, "brands")):
            _check_known(document, path, name, brands, "brand")
    for i, entry in entries(data, "receivers"):
        if entry.get("security") == "none" and entry.get("password") is not None:
            message = "sends the password in the open; use starttls or tls"
            document.add(("receivers", i, "security"), message, severity="warning")


def _check_receiver(document: Document, path: KeyPath, name: str, types: dict[str, Any]) -> None:
    _check_known(document, path, name, list(types), "receiver")
    if types.get(name) in _ALWAYS:
        message = f"is of the type {types[name]}, which is told everything; leave it out here"
        document.add(path, f"{shown(name)} {message}")


def _check_known(document: Document, path: KeyPath, name: str, known: list[Any], what: str) -> None:
    if name not in known:
        near = did_you_mean(name, [each for each in known if isinstance(each, str)])
        message = f"{shown(name)} is no {what} here"
        document.add(path, f"{message}; {near}" if near else message)


def _names(route: dict[str, Any], path: KeyPath) -> list[tuple[KeyPath, str]]:
    items = route.get(str(path[-1]))
    return [
        ((*path, j), item)
        for j, item in enumerate(items if isinstance(items, list) else ())
        if isinstance(item, str)
    ]
