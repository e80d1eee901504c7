"""The HTTP API of the response side; docs/api.md describes it, /openapi.json specifies it."""

from alerts.api.app import create_api, end_streams
from alerts.api.parts import ApiOptions, EngineView, Rejected

__all__ = ["ApiOptions", "EngineView", "Rejected", "create_api", "end_streams"]
